internal import BackingStore
internal import TargetConfig

/// The size of a store's file, changed on a thread that may hang with it. One change is made at a
/// time, and one that was given up is taken back before another begins.
struct StoreSizing {
  private let media: MediaThreads
  private let store: DescriptorStore
  private let turn: MediumWatch
  private let place: String

  init(_ daemon: Daemon, _ served: Inventory.Served, _ store: DescriptorStore) {
    media = daemon.workshop.media
    self.store = store
    turn = served.opened.sizing
    place = served.opened.configured.medium.place ?? store.path
  }

  /// Why it has not that size; nil: it has. `former`: the size that it gets again where it is too
  /// late.
  func set(
    _ bytes: UInt64, allowsShrinking: Bool = false, orBackTo former: UInt64? = nil
  ) -> StoreError? {
    guard turn.begin() else { return unanswered }
    let answer = media.ask(at: place) { [store] in
      Self.resize(store, to: bytes, allowsShrinking: allowsShrinking)
    } late: { [store, turn] error in
      if error == nil, let former { _ = Self.resize(store, to: former, allowsShrinking: true) }
      turn.end(nil)
    }
    guard let answer else { return unanswered }
    turn.end(nil)
    return answer
  }

  /// Presents all of the medium as it is now.
  func adopt() -> Result<UInt64, StoreError> {
    guard turn.begin() else { return .failure(unanswered) }
    let answer = media.ask(at: place) { [store] in
      Result { () throws(StoreError) in try store.adoptSize() }
    } late: { [turn] _ in
      turn.end(nil)
    }
    guard let answer else { return .failure(unanswered) }
    turn.end(nil)
    return answer
  }

  private var unanswered: StoreError { StoreError(store.path, .unanswered) }

  static func resize(
    _ store: DescriptorStore, to bytes: UInt64, allowsShrinking: Bool
  ) -> StoreError? {
    do throws(StoreError) {
      try store.resize(to: bytes, allowsShrinking: allowsShrinking)
      return nil
    } catch {
      return error
    }
  }
}
