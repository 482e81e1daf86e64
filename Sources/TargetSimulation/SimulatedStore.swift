public import BackingStore
public import Reactor
internal import Synchronization

/// A store over the file of a `SimulatedDisk`, for tests of what stands on stores. It keeps the
/// contract: short transfers are continued, EINTR and EAGAIN repeated, and a synchronize that
/// failed latches it, for the kernel reports that only once.
public final class SimulatedStore: Store {
  private let shape: StoreGeometry
  private let capacityBytes: Atomic<UInt64>
  public let capabilities: StoreCapabilities
  private let file: FileHandle
  private let state = Atomic(StoreReadiness.ready.rawValue)

  public init(
    file: FileHandle, geometry: StoreGeometry,
    capabilities: StoreCapabilities = SimulatedStore.allAbilities
  ) {
    self.file = file
    shape = geometry
    capacityBytes = Atomic(geometry.capacityBytes)
    self.capabilities = capabilities
  }

  /// A store of all of `disk`.
  public convenience init(
    _ disk: SimulatedDisk, logicalBlockBytes: UInt32 = 512, physicalBlockBytes: UInt32 = 4096,
    capabilities: StoreCapabilities = SimulatedStore.allAbilities
  ) {
    self.init(
      file: disk.file,
      geometry: StoreGeometry(
        capacityBytes: disk.sizeBytes, logicalBlockBytes: logicalBlockBytes,
        physicalBlockBytes: physicalBlockBytes), capabilities: capabilities)
  }

  public static let allAbilities = StoreCapabilities(
    canPunchHoles: true, canZeroRanges: true, canAnchor: true)

  public var geometry: StoreGeometry {
    var geometry = shape
    geometry.capacityBytes = capacityBytes.load(ordering: .acquiring)
    return geometry
  }

  /// What an administrator does; the disk is large enough.
  public func setCapacity(_ bytes: UInt64) { capacityBytes.store(bytes, ordering: .releasing) }

  public var readiness: StoreReadiness {
    StoreReadiness(rawValue: state.load(ordering: .acquiring)) ?? .gone
  }

  /// What an administrator, a lock or the loss of a device does.
  public func setReadiness(_ readiness: StoreReadiness) {
    state.store(readiness.rawValue, ordering: .releasing)
  }

  public func start(_ request: StoreRequest, on reactor: Reactor) {
    let capacity = capacityBytes.load(ordering: .acquiring)
    precondition(
      request.count <= capacity && request.offset <= capacity - request.count,
      "the caller has checked the range")
    StoreTransfer(request, store: self, file: file, reactor: reactor).start()
  }

  /// Why `operation` may not start now.
  fileprivate func refusal(of operation: StoreRequest.Operation) -> StoreFailure? {
    switch readiness {
    case .ready: break
    case .waitingForLock: return .notReady
    case .gone, .unusable, .absent: return .gone
    case .latched: if operation != .read, operation != .findExtents { return .latched }
    }
    switch operation {
    case .punchHole: return capabilities.canPunchHoles ? nil : .unsupported
    case .zeroRange: return capabilities.canZeroRanges ? nil : .unsupported
    case .read, .write, .synchronize, .findExtents: return nil
    }
  }

  fileprivate func latch() { setReadiness(.latched) }
}

/// One request on its way. The reactor's table keeps it alive from completion to completion.
private final class StoreTransfer: OperationHandler {
  private let request: StoreRequest
  private let store: SimulatedStore
  private let file: FileHandle
  private let reactor: Reactor
  private var refusal: StoreFailure?

  init(_ request: StoreRequest, store: SimulatedStore, file: FileHandle, reactor: Reactor) {
    self.request = request
    self.store = store
    self.file = file
    self.reactor = reactor
  }

  func start() {
    refusal = store.refusal(of: request.operation)
    // Never before `start` returns: a refusal and an empty transfer take a turn, too.
    if refusal != nil || isEmptyTransfer {
      return reactor.complete(OperationResult(rawValue: 0), for: self)
    }
    submit()
  }

  /// Nothing to ask of the engine.
  private var isEmptyTransfer: Bool {
    request.operation == .findExtents || request.operation != .synchronize && request.count == 0
  }

  private func submit() {
    switch request.operation {
    case .read: reactor.read(file, into: request.slice, at: request.offset, for: self)
    case .write:
      reactor.write(
        file, from: request.slice, at: request.offset, isDurable: request.isDurable, for: self)
    case .synchronize: reactor.synchronize(file, for: self)
    case .punchHole:
      reactor.allocate(file, .punchHole, at: request.offset, count: request.count, for: self)
    case .zeroRange:
      reactor.allocate(file, .zeroRange, at: request.offset, count: request.count, for: self)
    case .findExtents: preconditionFailure("extents are not asked of the engine")
    }
  }

  func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    if refusal != nil || isEmptyTransfer {
      if refusal == nil, request.operation == .findExtents { findExtents() }
      return request.finish(refusal)
    }
    if let error = result.error { return failed(error) }
    guard request.operation == .read || request.operation == .write else {
      return request.finish(nil)
    }
    let done = result.value ?? 0
    // Nothing moved and nothing failed: the end of the file, where the capacity says there is more.
    guard done > 0 else { return request.finish(.medium(.inputOutput)) }
    request.advance(by: done)
    if request.count == 0 { request.finish(nil) } else { submit() }
  }

  /// What is anchored counts as mapped where that is not served.
  private func findExtents() {
    guard let engine = reactor.engine as? SimulatedEngine, request.count > 0 else { return }
    let found = engine.world.disk(of: file).extents(at: request.offset, count: request.count)
    request.noteExtents(
      found.map { extent in
        let isHidden = extent.state == .anchored && !store.capabilities.canAnchor
        return isHidden ? StoreExtent(offset: extent.offset, count: extent.count, .mapped) : extent
      })
  }

  private func failed(_ error: SystemError) {
    switch error {
    case .interrupted, .tryAgain: return submit()
    case .noSpace, .quotaExceeded: return request.finish(.outOfSpace)
    case .noSuchDevice, .deviceGone: return request.finish(.gone)
    case .notSupported: return request.finish(.unsupported)
    case .outOfMemory: return request.finish(.shortOfResources)
    default: break
    }
    if request.operation == .synchronize || (request.operation == .write && request.isDurable) {
      store.latch()
    }
    request.finish(.medium(error))
  }
}
