internal import CLinux
public import Reactor
internal import Synchronization

/// Plain, blocking system calls, at start-up and on helper threads; never on a reactor.
extension DescriptorStore {
  /// Opens the file or device of `options`, creating or extending a file as they ask, and tries to
  /// lock it: `readiness` is then `.ready`, `.latched`, or `.waitingForLock` (see `retryLock`).
  ///
  /// `onLatch` is called once each time a failed sync latches the store, on the reactor that saw
  /// it: it must be quick, and is there to log and to leave a mark that survives a restart.
  public static func open(
    _ options: StoreOptions, onLatch: @escaping @Sendable (SystemError) -> Void
  ) throws(StoreError) -> DescriptorStore {
    try options.validate()
    let found = try FoundStore(options)
    let store = DescriptorStore(options, found, onLatch: onLatch)
    do throws(StoreError) {
      if try store.attempting("flock", { () throws(SystemError) in try store.tryLock() }) {
        try store.settle()
      }
    } catch {
      if !options.keepsFile { store.removeMadeFile() }
      throw error
    }
    return store
  }

  /// Removes the file if it was made by opening it, is empty, and no other one is in its place;
  /// unless somebody else has its lock, who may serve it by now.
  public func removeMadeFile() {
    guard isMade, (try? tryLock()) == true else { return }
    FoundStore.removeFile(at: path, ifItIs: identity)
  }

  /// Finds what `open` would, and leaves nothing made, locked or changed: the store is never ready.
  /// Nil: a file would be made.
  public static func tryOpening(_ options: StoreOptions) throws(StoreError) -> DescriptorStore? {
    try options.validate()
    guard try !FoundStore.wouldMakeFile(options) else { return nil }
    // A file that has vanished meanwhile is not made.
    var found = options
    found.createsFile = false
    return DescriptorStore(options, try FoundStore(found, isTrial: true)) { _ in }
  }

  /// Makes the store ready if nobody else holds the lock. False: somebody does, and no timeout may
  /// stand in for the end of that. For helper threads, one at a time.
  ///
  /// An error gives the lock back, as others may wait for it. Where the error may pass, the store
  /// waits on; else it is `.unusable`, or `.gone` as its device is.
  public func retryLock() throws(StoreError) -> Bool {
    if state.holdsLock { return true }
    do throws(StoreError) {
      guard try attempting("flock", { () throws(SystemError) in try tryLock() }) else {
        return false
      }
      try claimDevice()
      guard try attempting("flock", { () throws(SystemError) in try tryLock() }) else {
        return false
      }
      try settle()
      return true
    } catch {
      noteFailedLock(error)
      descriptor.unlock()
      throw error
    }
  }

  /// What an attempt that ended so leaves the store as.
  func noteFailedLock(_ error: StoreError) {
    switch error.reason {
    case .inUse: break
    case .system(_, let error) where Self.shortages.contains(error): break
    // It may come back, which what is unusable cannot.
    case .system(_, .noSuchFile) where kind == .blockDevice,
      .system(_, .noSuchDevice) where kind == .blockDevice:
      state.noteGone()
    default: state.noteUnusable()
    }
  }

  /// What the system has not at that moment, and what says nothing of the medium. A network file
  /// system has no locks while the lock service of its server restarts.
  private static let shortages: Set<SystemError> = [
    .noLocks, .outOfMemory, .tooManyFiles, .tooManyFilesInSystem,
  ]

  private var isReadOnly: Bool { capabilities.isReadOnly }

  private func tryLock() throws(SystemError) -> Bool {
    try descriptor.tryLock(isShared: isReadOnly)
  }

  /// Claims a block device for good (O_EXCL), which fails while its former owner is not quite gone.
  /// The claim belongs to a description of its own, which takes the place of the one we waited
  /// with; so the lock has to be taken once more. Once only: a second claim would find the device
  /// in use, by the first.
  private func claimDevice() throws(StoreError) {
    guard kind == .blockDevice, !isReadOnly, !isClaimed.load(ordering: .acquiring) else { return }
    try attempting("open") { () throws(SystemError) in
      let claimed = try FileDescriptor.claim(
        path, FoundStore.openFlags(isReadOnly: isReadOnly, cacheMode))
      guard try claimed.status().identity == identity else { throw .deviceGone }
      try descriptor.become(claimed)
      isClaimed.store(true, ordering: .releasing)
    }
  }

  /// With the lock held: gives a file its size, and opens the gate.
  private func settle() throws(StoreError) {
    if kind == .file { try settleSize() }
    state.noteLock()
  }

  private func settleSize() throws(StoreError) {
    let capacity = geometry.capacityBytes
    let status = try attempting("fstat") { () throws(SystemError) in try descriptor.status() }
    // Who had the lock may have removed it: what is written to it ends with this process. A file
    // system that counts no links says so of files that are there.
    guard status.linkCount > 0 || isAtItsPath else { throw StoreError(path, .replaced) }
    let size = status.sizeBytes
    guard size < capacity else { return }
    guard configuredSizeBytes != nil, !isReadOnly else {
      throw StoreError(path, .shrank(actual: size, presented: capacity))
    }
    try attempting("ftruncate") { () throws(SystemError) in
      try descriptor.setSize(capacity)
      try descriptor.synchronize()
    }
  }

  private var isAtItsPath: Bool {
    (try? FileStatus.of(path, followsLink: false))?.identity == identity
  }

  func attempting<Result>(
    _ call: String, _ body: () throws(SystemError) -> Result
  ) throws(StoreError) -> Result {
    do { return try body() } catch {
      throw StoreError(path, error == .busy ? .inUse : .system(call: call, error))
    }
  }
}
