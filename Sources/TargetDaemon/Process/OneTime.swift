internal import Synchronization

/// Something that one of several threads does, whoever comes first.
final class OneTime: Sendable {
  private let state = Atomic<Bool>(false)

  var isTaken: Bool { state.load(ordering: .acquiring) }

  /// True: nobody has before.
  func take() -> Bool { !state.exchange(true, ordering: .acquiringAndReleasing) }
}
