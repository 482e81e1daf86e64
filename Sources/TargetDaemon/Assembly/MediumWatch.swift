internal import BackingStore
internal import Synchronization
internal import TargetConfig

/// What a thread finds out about the medium of a store while others go on: one look at a time.
final class MediumWatch: Sendable {
  typealias Finding = Result<any Store, StoreError>

  private enum State {
    case idle
    case underWay
    case found(Finding)
    case givenUp
  }

  private let state: Mutex<State>

  /// `isUnderWay`: a look has begun already.
  init(isUnderWay: Bool = false) { state = Mutex(isUnderWay ? .underWay : .idle) }

  /// False: one is under way, or has found something that nobody has taken.
  func begin() -> Bool {
    state.withLock { state in
      guard case .idle = state else { return false }
      state = .underWay
      return true
    }
  }

  /// Nil: nothing is to be told. False: nobody wants to know any more.
  @discardableResult
  func end(_ finding: Finding?) -> Bool {
    state.withLock { state in
      if case .givenUp = state { return false }
      state = finding.map { .found($0) } ?? .idle
      return true
    }
  }

  /// Nobody takes what it finds. What it has found already.
  func giveUp() -> Finding? {
    state.withLock { state in
      defer { state = .givenUp }
      guard case .found(let finding) = state else { return nil }
      return finding
    }
  }

  func take() -> Finding? {
    state.withLock { state in
      guard case .found(let finding) = state else { return nil }
      state = .idle
      return finding
    }
  }
}

extension TargetConfiguration.Medium {
  /// What hangs as one with it (`MediaThreads`); nil: it cannot hang.
  var place: String? {
    switch self {
    case .file(let path):
      path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
    case .block(let path): path
    case .memory, .null: nil
    }
  }
}
