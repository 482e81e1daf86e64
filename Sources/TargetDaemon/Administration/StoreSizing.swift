internal import BackingStore
internal import Synchronization
internal import TargetConfig

/// The size of a store's file, changed on a thread that may hang with it. One change is made at a
/// time, and one that was given up is taken back before another begins.
struct StoreSizing: Sendable {
  /// What a file that has grown was before.
  struct Growth: Sendable {
    /// What the store presented.
    let storeBytes: UInt64
    let fileBytes: UInt64
  }

  private let media: MediaThreads
  private let store: DescriptorStore
  private let turn: MediumWatch
  private let changes: SizeChanges
  private let place: String

  init(_ daemon: Daemon, _ served: Inventory.Served, _ store: DescriptorStore) {
    media = daemon.workshop.media
    self.store = store
    turn = served.opened.sizing
    changes = served.opened.sizeChanges
    place = served.opened.configured.medium.place ?? store.path
  }

  /// Makes the file larger, for a unit that is told afterwards. Where that fails, or comes too
  /// late, it is as before. Nil: it is large enough, now that no change that was given up can make
  /// it smaller any more.
  func grow(to bytes: UInt64) -> Result<Growth?, StoreError> {
    perform { store throws(StoreError) -> Growth? in
      try Self.refuseDanger(to: store)
      let presented = store.geometry.capacityBytes
      guard bytes > presented else { return nil }
      let growth = Growth(storeBytes: presented, fileBytes: try store.findActualBytes())
      do throws(StoreError) { try store.resize(to: bytes) } catch {
        _ = Self.undo(growth, of: store)
        throw error
      }
      return growth
    } late: { [store] growth in
      if let growth { _ = Self.undo(growth, of: store) }
    }
  }

  /// What `grow` would be refused for.
  func checkGrowth(to bytes: UInt64) -> Result<Void, StoreError> {
    perform { store throws(StoreError) in
      try Self.refuseDanger(to: store)
      if bytes > store.geometry.capacityBytes { try store.checkResize(to: bytes) }
    }
  }

  /// A size that is given to what the next start does not find, or finds cut, would hide the loss.
  private static func refuseDanger(to store: DescriptorStore) throws(StoreError) {
    guard let danger = try? store.findDanger() else { return }
    throw StoreError(store.path, .endangered(danger))
  }

  /// The number of a change of the size that is made now.
  func begin() -> UInt64 { changes.begin() }

  /// Why the file stays larger; nil: it is as before.
  func undo(_ growth: Growth) -> StoreError? {
    let answer = perform { store throws(StoreError) in Self.undo(growth, of: store) }
    return switch answer {
    case .success(let error): error
    case .failure(let error): error
    }
  }

  /// Cuts off what is behind a unit's end, of which nobody uses anything any more. Why that is
  /// still there; nil: it is not, or another change than `number` has begun, which has a use for it
  /// or cuts it off when it may.
  func cut(to bytes: UInt64, of number: UInt64) -> StoreError? {
    guard changes.isLast(number) else { return nil }
    let answer = perform { store throws(StoreError) in
      try store.resize(to: bytes, allowsShrinking: true)
    }
    return if case .failure(let error) = answer { error } else { nil }
  }

  /// Presents all of the medium as it is now.
  func adopt() -> Result<UInt64, StoreError> {
    perform { store throws(StoreError) in try store.adoptSize() }
  }

  /// On the thread that may hang.
  static func undo(_ growth: Growth, of store: DescriptorStore) -> StoreError? {
    guard store.readiness == .ready, !store.capabilities.isReadOnly else { return nil }
    do throws(StoreError) {
      try store.undoGrowth(to: growth.storeBytes, fileBytes: growth.fileBytes)
      return nil
    } catch {
      return error
    }
  }

  private func perform<Value: Sendable>(
    _ change: @escaping @Sendable (DescriptorStore) throws(StoreError) -> Value,
    late: @escaping @Sendable (Value) -> Void = { _ in }
  ) -> Result<Value, StoreError> {
    let unanswered = StoreError(store.path, .unanswered)
    guard turn.begin() else { return .failure(unanswered) }
    let answer = media.ask(at: place) { [store] in
      Result { () throws(StoreError) in try change(store) }
    } late: { [turn] answer in
      if case .success(let value) = answer { late(value) }
      turn.end(nil)
    }
    guard let answer else { return .failure(unanswered) }
    turn.end(nil)
    return answer
  }
}

/// Numbers the changes of a store's size.
final class SizeChanges: Sendable {
  private let last = Atomic<UInt64>(0)

  func begin() -> UInt64 { last.add(1, ordering: .acquiringAndReleasing).newValue }

  func isLast(_ number: UInt64) -> Bool { last.load(ordering: .acquiring) == number }
}
