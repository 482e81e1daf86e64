internal import CLinux
internal import Reactor

/// What opening a path found, not locked yet.
struct FoundStore: ~Copyable {
  let kind: StoreKind
  let identity: StoreIdentity
  let cacheMode: CacheMode
  let geometry: StoreGeometry
  let capabilities: StoreCapabilities
  let descriptor: FileDescriptor
  /// Of a file, before anything is done to it; 0 for a device.
  let fileBytes: UInt64
  /// Whether it was made here: nobody else has made it, and nobody else had it.
  let isMade: Bool
  /// Whether the descriptor has a block device to itself (O_EXCL).
  let isClaimed: Bool

  /// For the engine.
  var file: FileHandle {
    FileHandle(
      rawValue: descriptor.rawValue, isBuffered: !cacheMode.isDirect, device: identity.device)
  }

  /// `isTrial`: whether a device could be claimed is found out, and the claim given back at once.
  init(_ options: StoreOptions, isTrial: Bool = false) throws(StoreError) {
    let opening = Opening(options)
    let kind = try opening.findKind()
    let mode = options.cacheMode ?? (kind ?? .file).defaultCacheMode
    let made: MadeFile? = if kind == nil { try opening.create() } else { nil }
    do throws(StoreError) {
      var isClaimed = false
      let opened = try opening.open(kind ?? .file, mode, isTrial: isTrial, &isClaimed)
      let status = try opening.attempting("fstat") { () throws(SystemError) in try opened.status() }
      guard let actual = status.kind, actual == kind ?? .file,
        made == nil || made?.identity == status.identity && status.sizeBytes == 0
      else { throw StoreError(options.path, .replaced) }
      geometry = try opening.geometry(of: opened, status, mode)
      capabilities = opening.capabilities(of: opened, status)
      identity = status.identity
      fileBytes = actual == .file ? status.sizeBytes : 0
      isMade = made != nil
      self.isClaimed = isClaimed
      self.kind = actual
      descriptor = opened
    } catch {
      if !options.keepsFile { made?.remove() }
      throw error
    }
    cacheMode = mode
  }

  /// Removes a file that was made, unless there is another one by now, or something in it: the disk
  /// may have hung for long, and somebody may have put the data there meanwhile. One that stays is
  /// empty, and harms nobody.
  static func removeFile(at path: String, ifItIs identity: StoreIdentity) {
    guard let status = try? FileStatus.of(path, followsLink: false), status.identity == identity,
      status.allocatedBytes == 0
    else { return }
    unsafe _ = unlink(path)
  }

  /// Whether a file would be made, which is found out without making it. Throws what stands against
  /// that.
  static func wouldMakeFile(_ options: StoreOptions) throws(StoreError) -> Bool {
    let opening = Opening(options)
    guard try opening.findKind() == nil else { return false }
    try opening.tryCreating(options.cacheMode ?? StoreKind.file.defaultCacheMode)
    return true
  }

  static func openFlags(isReadOnly: Bool, _ mode: CacheMode) -> Int32 {
    (isReadOnly ? O_RDONLY : O_RDWR) | (mode.isDirect ? O_DIRECT : 0)
  }
}

/// A file that opening has made. As long as this lives nobody else serves it, if `isLocked`: who
/// found it at once may have been quicker.
private final class MadeFile {
  let identity: StoreIdentity
  private let path: String
  private let descriptor: FileDescriptor
  private let isLocked: Bool

  init(at path: String) throws(SystemError) {
    self.path = path
    descriptor = try .open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    isLocked = (try? descriptor.tryLock(isShared: false)) ?? false
    identity = try descriptor.status().identity
  }

  func remove() {
    if isLocked { FoundStore.removeFile(at: path, ifItIs: identity) }
  }
}

/// O_TMPFILE, which is a sum of macros in C that Swift does not import.
private let openNameless = __O_TMPFILE | O_DIRECTORY

/// The steps of opening, with the options at hand.
private struct Opening {
  let options: StoreOptions

  init(_ options: StoreOptions) { self.options = options }

  private var path: String { options.path }

  func attempting<Result: ~Copyable>(
    _ call: String, _ body: () throws(SystemError) -> Result
  ) throws(StoreError) -> Result {
    do { return try body() } catch { throw StoreError(path, .system(call: call, error)) }
  }

  // MARK: Opening

  /// nil: nothing is there, and it may be created.
  func findKind() throws(StoreError) -> StoreKind? {
    let target = try attempting("stat") { () throws(SystemError) in
      try FileStatus.of(path, followsLink: true)
    }
    guard let target else {
      if (path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/")) || options.kind == .blockDevice {
        throw StoreError(path, .missingDevice)
      }
      guard options.sizeBytes != nil, !options.isReadOnly else { throw StoreError(path, .missing) }
      guard options.createsFile else { throw StoreError(path, .lost) }
      return nil
    }
    guard let kind = target.kind else { throw StoreError(path, .wrongType(target.typeName)) }
    if let wanted = options.kind, wanted != kind { throw StoreError(path, .notOfKind(wanted)) }
    if kind == .file {
      let link = try attempting("lstat") { () throws(SystemError) in
        try FileStatus.of(path, followsLink: false)
      }
      guard link?.kind == .file else { throw StoreError(path, .linkToFile) }
    }
    return kind
  }

  func open(
    _ kind: StoreKind, _ mode: CacheMode, isTrial: Bool, _ isClaimed: inout Bool
  ) throws(StoreError) -> FileDescriptor {
    let flags = FoundStore.openFlags(isReadOnly: options.isReadOnly, mode)
    do throws(SystemError) {
      guard kind == .blockDevice, !options.isReadOnly else {
        return try FileDescriptor.open(path, flags | (kind == .file ? O_NOFOLLOW : 0))
      }
      guard isTrial else { return try claimDevice(flags, &isClaimed) }
      _ = try claimDevice(flags, &isClaimed)
      isClaimed = false
      return try FileDescriptor.open(path, flags)
    } catch {
      throw openError(error, mode)
    }
  }

  /// A writable block device is claimed (O_EXCL) unless another target server's process has not
  /// quite ended; then the lock is waited for, and the claim follows (`claimDevice` of the store).
  private func claimDevice(
    _ flags: Int32, _ isClaimed: inout Bool
  ) throws(SystemError) -> FileDescriptor {
    isClaimed = true
    do throws(SystemError) { return try FileDescriptor.open(path, flags | O_EXCL) } catch {
      guard error == .busy else { throw error }
    }
    let unclaimed = try FileDescriptor.open(path, flags)
    // Nobody has the lock: then it is no target server that has the claim, or one just ending.
    if try unclaimed.tryLock(isShared: false) { return try FileDescriptor.claim(path, flags) }
    isClaimed = false
    return unclaimed
  }

  /// A new file for the daemon only, whose name is on stable storage before anything relies on it.
  func create() throws(StoreError) -> MadeFile {
    do throws(SystemError) {
      let file = try MadeFile(at: path)
      do throws(SystemError) {
        try FileDescriptor.open(directory, O_RDONLY | O_DIRECTORY).synchronize()
      } catch {
        if !options.keepsFile { file.remove() }
        throw error
      }
      return file
    } catch {
      throw creationError(error)
    }
  }

  private func creationError(_ error: SystemError) -> StoreError {
    StoreError(
      path, error == .noSuchFile ? .missingDirectory(directory) : .system(call: "open", error))
  }

  /// A nameless file in the same directory meets what the file would; where the file system has
  /// none, only the permission is asked for.
  func tryCreating(_ mode: CacheMode) throws(StoreError) {
    let flags = FoundStore.openFlags(isReadOnly: false, mode) | openNameless
    let nameless: FileDescriptor
    do throws(SystemError) {
      nameless = try FileDescriptor.open(directory, flags, mode: 0o600)
    } catch {
      guard error != .noSuchFile else { throw creationError(error) }
      guard error == .notSupported || error == .isDirectory else { throw openError(error, mode) }
      guard unsafe faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0 else {
        throw openError(.last, mode)
      }
      return
    }
    if mode.isDirect { try checkDirectAlignment(nameless.directAlignment(), mode) }
  }

  private func openError(_ error: SystemError, _ mode: CacheMode) -> StoreError {
    switch error {
    case .busy: StoreError(path, .inUse)
    case .invalidArgument where mode.isDirect: StoreError(path, .noDirectAccess(mode))
    default: StoreError(path, .system(call: "open", error))
    }
  }

  private var directory: String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  // MARK: Geometry

  func geometry(
    of descriptor: borrowing FileDescriptor, _ status: FileStatus, _ mode: CacheMode
  ) throws(StoreError) -> StoreGeometry {
    let isFile = status.kind == .file
    if isFile, mode.isDirect { try checkDirectAlignment(descriptor.directAlignment(), mode) }
    let capacity =
      isFile ? try fileCapacity(status.sizeBytes) : try deviceCapacity(descriptor, mode)
    try options.validateSize(capacity)
    let detected = isFile ? 4096 : (try? descriptor.physicalSectorBytes()) ?? 512
    let physical = options.physicalBlockBytes ?? max(detected, options.logicalBlockBytes)
    return StoreGeometry(
      capacityBytes: capacity, logicalBlockBytes: options.logicalBlockBytes,
      physicalBlockBytes: physical)
  }

  private func checkDirectAlignment(_ bytes: UInt32?, _ mode: CacheMode) throws(StoreError) {
    guard let bytes else { return }
    guard bytes > 0 else { throw StoreError(path, .noDirectAccess(mode)) }
    guard bytes <= options.logicalBlockBytes else {
      throw StoreError(
        path,
        .directAlignment(required: bytes, blockSize: options.logicalBlockBytes, cacheMode: mode))
    }
  }

  private func fileCapacity(_ actual: UInt64) throws(StoreError) -> UInt64 {
    guard let configured = options.sizeBytes else { return actual }
    // Of a larger one the rest stays as it is, out of reach: it may be all that is left of data.
    guard actual >= configured || !options.isReadOnly else {
      throw StoreError(path, .smallerThanConfigured(actual: actual, configured: configured))
    }
    return configured
  }

  /// A tail of the device that is shorter than a block is not presented.
  private func deviceCapacity(
    _ descriptor: borrowing FileDescriptor, _ mode: CacheMode
  ) throws(StoreError) -> UInt64 {
    let size: UInt64
    let sector: UInt32
    do {
      size = try descriptor.deviceSizeBytes()
      sector = try descriptor.logicalSectorBytes()
    } catch { throw StoreError(path, .system(call: "ioctl", error)) }
    guard !mode.isDirect || sector <= options.logicalBlockBytes else {
      throw StoreError(
        path,
        .sectorLargerThanBlock(
          sector: sector, blockSize: options.logicalBlockBytes, cacheMode: mode))
    }
    guard size > 0 else { throw StoreError(path, .noMedium) }
    let whole = size - size % UInt64(options.logicalBlockBytes)
    if let configured = options.sizeBytes, configured != whole {
      throw StoreError(path, .deviceSizeDiffers(actual: size, configured: configured))
    }
    return whole
  }

  // MARK: Capabilities

  func capabilities(
    of descriptor: borrowing FileDescriptor, _ status: FileStatus
  ) -> StoreCapabilities {
    status.kind == .file
      ? fileCapabilities(descriptor, status) : deviceCapabilities(status)
  }

  /// What the file system can is tried on a nameless file beside this one, which another may hold
  /// the lock of, make larger and write to at this moment. Only where there are no nameless files a
  /// hole is punched into this one, so far past its end that nobody gets there meanwhile.
  private func fileCapabilities(
    _ descriptor: borrowing FileDescriptor, _ status: FileStatus
  ) -> StoreCapabilities {
    var capabilities = StoreCapabilities(
      canPunchHoles: false, canZeroRanges: false,
      discardGranularityBytes: status.preferredBlockBytes, isReadOnly: options.isReadOnly)
    guard !options.isReadOnly else { return capabilities }
    let block = 4096
    if let nameless = try? FileDescriptor.open(directory, O_RDWR | openNameless, mode: 0o600),
      // A file may be mounted over another.
      (try? nameless.status().identity.device) == status.identity.device
    {
      capabilities.canPunchHoles = nameless.allows(FALLOC_FL_PUNCH_HOLE, at: 0, count: block)
      capabilities.canZeroRanges = nameless.allows(FALLOC_FL_ZERO_RANGE, at: 0, count: block)
      capabilities.canAnchor =
        options.discards && capabilities.canPunchHoles && capabilities.canZeroRanges
        && descriptor.isPreallocatable && keepsSpace(of: nameless, count: block)
    } else if options.discards {
      let end = max(status.sizeBytes, options.sizeBytes ?? 0)
      let (offset, isTooLarge) = end.addingReportingOverflow(Self.farBytes)
      capabilities.canPunchHoles =
        !isTooLarge && offset < UInt64(Int64.max) / 2
        && descriptor.allows(
          FALLOC_FL_PUNCH_HOLE, at: offset & ~UInt64(block - 1), count: block)
    }
    capabilities.canPunchHoles = capabilities.canPunchHoles && options.discards
    return capabilities
  }

  /// Whether the first `count` bytes, which were zeroed, have their place and are known not to be
  /// written.
  private func keepsSpace(of nameless: borrowing FileDescriptor, count: Int) -> Bool {
    do throws(SystemError) {
      // Of what is past the end not every file system tells.
      try nameless.setSize(UInt64(count))
      return try nameless.nextExtent(in: 0..<UInt64(count))?.isUnwritten ?? false
    } catch {
      return false
    }
  }

  private static let farBytes: UInt64 = 1 << 40

  /// On a block device, punching a hole is write-zeroes with the permission to deallocate, and
  /// fails with EOPNOTSUPP without it; zeroing a range works always, at worst by the kernel writing
  /// zeros.
  private func deviceCapabilities(_ status: FileStatus) -> StoreCapabilities {
    let queue = BlockQueue(deviceNumber: status.deviceNumber)
    let deallocates = queue.discardMaxBytes > 0 && queue.writeZeroesMaxBytes > 0
    return StoreCapabilities(
      canPunchHoles: !options.isReadOnly && options.discards && deallocates,
      canZeroRanges: !options.isReadOnly,
      discardGranularityBytes: queue.discardGranularityBytes,
      isRotational: queue.isRotational, isReadOnly: options.isReadOnly)
  }
}
