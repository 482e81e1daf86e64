public import Reactor
internal import Synchronization

/// The place of a store that was missing at the start: its logical unit is there, keeps its name,
/// its reservations and its sessions, and serves nothing until the real one comes, once. It knows
/// of that only the block sizes it is going to have; the capacity is 0 until then.
///
/// Afterwards it passes everything on, which costs a retain and a release for each request: the
/// price of a store that was late, until the next start.
public final class AwaitedStore: Store {
  private final class Arrived: Sendable {
    let store: any Store
    init(_ store: any Store) { self.store = store }
  }

  private let awaited: StoreGeometry
  private let arrived = AtomicLazyReference<Arrived>()

  public init(logicalBlockBytes: UInt32 = 512, physicalBlockBytes: UInt32 = 4096) {
    awaited = StoreGeometry(
      capacityBytes: 0, logicalBlockBytes: logicalBlockBytes,
      physicalBlockBytes: max(physicalBlockBytes, logicalBlockBytes))
  }

  /// What has come.
  public var store: (any Store)? { arrived.load()?.store }

  /// Passes everything on to `store` from here on, whose logical blocks are those awaited. False:
  /// another has come before.
  public func arrive(_ store: any Store) -> Bool {
    precondition(
      store.geometry.logicalBlockBytes == awaited.logicalBlockBytes, "the block size is promised")
    let arrival = Arrived(store)
    return arrived.storeIfNil(arrival) === arrival
  }

  public var geometry: StoreGeometry { store?.geometry ?? awaited }
  public var capabilities: StoreCapabilities {
    store?.capabilities ?? StoreCapabilities(canPunchHoles: false, canZeroRanges: false)
  }
  public var readiness: StoreReadiness { store?.readiness ?? .absent }

  public func start(_ request: StoreRequest, on reactor: Reactor) {
    guard let store else { return request.finishLater(.gone, on: reactor) }
    store.start(request, on: reactor)
  }
}
