internal import CLinux
public import Reactor
internal import Synchronization

/// A store on a regular file or a block device.
///
/// Three rules protect what initiators were promised:
/// - **The gate.** Nothing is served before the lock of the file is granted. The kernel keeps a
///   dead process's lock until its last write has landed, so no timeout may ever work around it.
///   flock(2) asks for no permission beyond an open file: **whoever may read the backing file can
///   hold its lock and keep the logical unit from serving**, for as long as he likes. Files are
///   created with mode 0600; one made otherwise must not be readable by others than its owner.
/// - **The latch.** Linux reports a failed write-back once and forgets it. After the first failed
///   sync or durable write nothing is written or synced any more until the administrator clears it,
///   and nothing that ends meanwhile counts as durable. See `SyncQueue`.
/// - **Gone is for good.** A device that vanished took its volatile cache with it; should it come
///   back, it is another one, with a store and a unit of its own.
public final class DescriptorStore: OperationStore {
  public let path: String
  public let kind: StoreKind
  public let identity: StoreIdentity
  /// What that is on, if it is a loop device.
  public let medium: StoreIdentity
  public let cacheMode: CacheMode
  public let capabilities: StoreCapabilities

  /// As found when it was opened; the capacity is in `capacityBytes`.
  private let shape: StoreGeometry
  /// What may be asked for; changed by `resize` and `adoptSize`.
  let capacityBytes: Atomic<UInt64>

  /// For the engine. Its number stays the same for the store's life.
  let file: FileHandle
  let descriptor: FileDescriptor
  /// Whether it has a block device to itself (O_EXCL).
  let isClaimed: Atomic<Bool>
  let state: StoreState
  let syncs = SyncQueue()
  let searches = ExtentSearches()
  /// The size that the administrator demands; nil: as found.
  public let configuredSizeBytes: UInt64?
  /// Of a file, when it was opened and nothing was done to it yet; 0 for a device.
  public let foundFileBytes: UInt64
  /// Whether opening made the file: it was nobody's before.
  public let isMade: Bool
  private let onLatch: @Sendable (SystemError) -> Void

  init(
    _ options: StoreOptions, _ found: consuming FoundStore,
    onLatch: @escaping @Sendable (SystemError) -> Void
  ) {
    path = options.path
    kind = found.kind
    foundFileBytes = found.fileBytes
    isMade = found.isMade
    identity = found.identity
    medium = found.identity.resolved(at: options.path)
    cacheMode = found.cacheMode
    shape = found.geometry
    capacityBytes = Atomic(shape.capacityBytes)
    capabilities = found.capabilities
    isClaimed = Atomic(found.isClaimed)
    file = found.file
    descriptor = found.descriptor
    state = StoreState(isLatched: options.startsLatched)
    configuredSizeBytes = options.sizeBytes
    self.onLatch = onLatch
  }

  public var geometry: StoreGeometry {
    var geometry = shape
    geometry.capacityBytes = capacityBytes.load(ordering: .acquiring)
    return geometry
  }

  public var readiness: StoreReadiness { state.readiness }

  /// Whether a sync failed and nobody has cleared that, also while the store is not ready
  /// otherwise.
  public var isLatched: Bool { state.isLatched }

  /// Refuses writes as after a failed sync: one has failed on the same medium, under another name,
  /// or since this was opened.
  public func inheritLatch() { _ = state.latch() }

  /// Forgets the failed sync. For the administrator, who has seen to what is on the medium.
  public func clearLatch() { state.clearLatch() }

  // MARK: Starting

  public func start(_ request: StoreRequest, on reactor: Reactor) {
    let capacity = capacityBytes.load(ordering: .acquiring)
    // The caller has checked the range; but the store may have got smaller since, by a change of
    // its size that was made too late.
    guard request.count <= capacity, request.offset <= capacity - request.count else {
      return request.finishLater(.medium(.inputOutput), on: reactor)
    }
    if let refusal = refusal(of: request.operation) {
      return request.finishLater(refusal, on: reactor)
    }
    guard request.count > 0 || request.operation == .synchronize else {
      return request.finishLater(nil, on: reactor)
    }
    guard request.operation != .findExtents else { return findExtents(request, on: reactor) }
    request.begin(by: self, on: reactor)
    startOperation(of: request, on: reactor)
  }

  func refusal(of operation: StoreRequest.Operation) -> StoreFailure? {
    switch state.readiness {
    case .ready: nil
    case .latched: operation == .read || operation == .findExtents ? nil : .latched
    case .waitingForLock: .notReady
    case .gone, .unusable, .absent: .gone
    }
  }

  private func startOperation(of request: StoreRequest, on reactor: Reactor) {
    switch request.operation {
    case .read:
      reactor.read(file, into: request.slice, at: request.offset, for: request)
    case .write:
      reactor.write(
        file, from: request.slice, at: request.offset,
        isDurable: request.isDurable && !isSyncedAfter(request), for: request)
    case .synchronize:
      synchronize(request, on: reactor)
    case .punchHole:
      reactor.allocate(
        file, .punchHole, at: request.offset, count: request.count, for: request)
    case .zeroRange:
      reactor.allocate(
        file, .zeroRange, at: request.offset, count: request.count, for: request)
    case .findExtents:
      preconditionFailure("extents are not asked of the engine")
    }
  }

  /// Whether `request` is durable only after a sync; a write past the page cache is so by itself.
  private func isSyncedAfter(_ request: StoreRequest) -> Bool {
    request.operation == .write && request.isDurable && file.isBuffered
  }

  private func synchronize(_ request: StoreRequest, on reactor: Reactor) {
    let waiter = SyncWaiter(request, on: reactor)
    guard syncs.enter(waiter) else { return }
    SyncRound(self, for: waiter, on: reactor).start()
  }

  // MARK: Continuing

  /// An operation that is interrupted this often without doing anything never will do anything.
  static let interruptionsMax = 100

  public func operationEnded(
    _ result: OperationResult, of request: StoreRequest, on reactor: Reactor
  ) {
    if let error = result.error {
      operationFailed(error, of: request, on: reactor)
    } else if request.operation == .read || request.operation == .write {
      transferred(result.value ?? 0, of: request, on: reactor)
    } else {
      request.finish(nil)
    }
  }

  private func transferred(_ count: Int, of request: StoreRequest, on reactor: Reactor) {
    // No progress: the file was cut under us, or the device ends early. Never zeros, never a loop.
    guard count > 0 else {
      return operationFailed(.inputOutput, of: request, on: reactor)
    }
    request.advance(by: count)
    guard request.count > 0 else { return transferEnded(request, on: reactor) }
    // A step of a command: what latched the store meanwhile stops the rest.
    if let refusal = refusal(of: request.operation) { return request.finish(refusal) }
    startOperation(of: request, on: reactor)
  }

  /// A write that was to be durable makes no promise once the store is latched.
  private func transferEnded(_ request: StoreRequest, on reactor: Reactor) {
    if request.isDurable, state.isLatched { return request.finish(.latched) }
    guard isSyncedAfter(request) else { return request.finish(nil) }
    synchronize(request, on: reactor)
  }

  /// What the end of a sync means for those it served; nil: what they wrote is durable. A sync that
  /// found nothing amiss after the store was latched knows nothing of what it promises.
  func syncEnded(_ error: SystemError?) -> StoreFailure? {
    guard let error else { return state.isLatched ? .latched : nil }
    return failure(of: .synchronize, error, isPromise: true)
  }

  private func operationFailed(
    _ error: SystemError, of request: StoreRequest, on reactor: Reactor
  ) {
    if error == .interrupted, request.interruptions < DescriptorStore.interruptionsMax {
      request.noteInterruption()
      return startOperation(of: request, on: reactor)
    }
    let isPromise = request.isDurable && !isSyncedAfter(request)
    request.finish(failure(of: request.operation, error, isPromise: isPromise))
  }

  /// What `error` means for the initiator, and for the store. `isPromise`: the operation was to
  /// make something durable.
  private func failure(
    of operation: StoreRequest.Operation, _ error: SystemError, isPromise: Bool
  ) -> StoreFailure {
    let failure = StoreFailure(error, during: operation)
    if failure == .gone { state.noteGone() }
    guard isPromise, losesWrites(failure) else { return failure }
    if state.latch() { onLatch(error) }
    return .medium(error)
  }

  /// Whether a sync or durable write that failed so may have lost writes answered before. Out of
  /// space and out of memory are the misfortune of the one write that is told of them; what the
  /// engine never submitted has tried nothing; a vanished device takes unwritten pages along only
  /// where there are any.
  private func losesWrites(_ failure: StoreFailure) -> Bool {
    switch failure {
    case .medium: true
    case .gone: file.isBuffered
    case .outOfSpace, .latched, .unsupported, .shortOfResources, .notReady: false
    }
  }
}
