import BackingStore
import Reactor

/// A store that says it has done what it has only begun: what a target would be that does not wait
/// for the completion of an operation. For showing that a proof notices.
public final class HastyStore: Store {
  private let store: any Store

  public init(_ store: any Store) { self.store = store }

  public var geometry: StoreGeometry { store.geometry }
  public var capabilities: StoreCapabilities { store.capabilities }
  public var readiness: StoreReadiness { store.readiness }

  public func start(_ request: StoreRequest, on reactor: Reactor) {
    guard request.operation == .write else { return store.start(request, on: reactor) }
    Afterthought(request).start(on: store, reactor)
    request.finishLater(nil, on: reactor)
  }
}

/// The write that is still on its way. It keeps itself alive until it has ended.
private final class Afterthought: StoreClient {
  private let request = StoreRequest()
  private var itself: Afterthought?

  init(_ original: StoreRequest) {
    request.belong(to: self)
    request.prepareWrite(from: original.slice, at: original.offset, isDurable: original.isDurable)
  }

  func start(on store: any Store, _ reactor: Reactor) {
    itself = self
    store.start(request, on: reactor)
  }

  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) { itself = nil }
}
