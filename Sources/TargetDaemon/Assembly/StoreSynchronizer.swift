internal import BackingStore
internal import Reactor

/// Puts everything that a store was given on stable storage, through a reactor as any command
/// would. On that reactor's thread only.
final class StoreSynchronizer: StoreClient {
  /// Itself, until the store has answered: a request does not keep its client alive.
  private var whilePending: StoreSynchronizer?
  private let completion: (StoreFailure?) -> Void

  /// On `reactor`'s thread.
  static func start(
    _ store: any Store, on reactor: Reactor, completion: @escaping (StoreFailure?) -> Void
  ) {
    let synchronizer = StoreSynchronizer(completion)
    let request = StoreRequest(client: synchronizer)
    synchronizer.whilePending = synchronizer
    request.prepareSynchronize()
    store.start(request, on: reactor)
  }

  private init(_ completion: @escaping (StoreFailure?) -> Void) { self.completion = completion }

  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
    whilePending = nil
    completion(failure)
  }
}
