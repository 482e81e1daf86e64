internal import Synchronization

/// The order of the ORDERED tasks of one logical unit, whose task set is spread over the reactors
/// (TST 000b: one task set for all nexuses; SAM-5 §8.7.3).
///
/// A share of the task set asks for its first ORDERED task when nothing before it on that share is
/// left. One task has its **turn** at a time. For a turn every other share is closed: what is in it
/// drains, what comes later waits. When all have drained the task is granted, and when it has ended
/// the next turn begins. Shares decide nothing here and hold nothing while they ask, so two ORDERED
/// tasks never wait for each other. Used by all reactors, by rare tasks only.
final class UnitOrder: Sendable {
  /// A task that asks: the share it is on, and its place in that share.
  struct Ask: Sendable, Equatable {
    var share: Int
    var entry: UInt64
  }

  /// What a share has to be told. Numbers grow; one that comes late is older and does not count.
  enum Notice: Sendable, Equatable {
    /// For `share`: hold back what comes from now on, and say when the rest has ended.
    case closed(share: Int, number: UInt64)
    case opened(share: Int, number: UInt64)
    /// The ORDERED task with this entry may start.
    case granted(Ask)

    var share: Int {
      switch self {
      case .closed(let share, _), .opened(let share, _): share
      case .granted(let ask): ask.share
      }
    }
  }

  fileprivate struct State {
    var shareCount = 0
    var waiting: [Ask] = []
    var turn: Ask?
    var number: UInt64 = 0
    /// Shares that are closed and have not drained.
    var draining: Set<Int> = []
  }

  private let state = Mutex(State())

  /// The number of shares; known before the first command.
  func setShareCount(_ count: Int) { state.withLock { $0.shareCount = count } }

  /// An ORDERED task is the first of its share.
  func ask(_ ask: Ask) -> [Notice] {
    state.withLock { state in
      state.waiting.append(ask)
      return state.turn == nil ? state.beginTurn() : []
    }
  }

  /// A closed share has nothing left of what was in it.
  func drained(share: Int, number: UInt64) -> [Notice] {
    state.withLock { state in
      guard number == state.number, let turn = state.turn,
        state.draining.remove(share) != nil, state.draining.isEmpty
      else { return [] }
      return [.granted(turn)]
    }
  }

  /// A task that asked has ended, whether it ran or not.
  func ended(_ ask: Ask) -> [Notice] {
    state.withLock { state in
      guard state.turn == ask else {
        state.waiting.removeAll { $0 == ask }
        return []
      }
      state.turn = nil
      return state.beginTurn()
    }
  }
}

extension UnitOrder.State {
  /// The next turn, or order for nobody.
  fileprivate mutating func beginTurn() -> [UnitOrder.Notice] {
    number += 1
    turn = waiting.isEmpty ? nil : waiting.removeFirst()
    guard let turn else {
      draining = []
      return (0..<shareCount).map { .opened(share: $0, number: number) }
    }
    draining = Set((0..<shareCount).filter { $0 != turn.share })
    var notices: [UnitOrder.Notice] = (0..<shareCount).map { share in
      share == turn.share
        ? .opened(share: share, number: number) : .closed(share: share, number: number)
    }
    if draining.isEmpty { notices.append(.granted(turn)) }
    return notices
  }
}
