public import ISCSIModel
internal import Synchronization

/// Names a session for reinstatement: the I_T nexus (RFC 7143 §6.3.5).
public struct SessionKey: Hashable, Sendable {
  public let initiatorName: String
  public let initiatorSessionID: InitiatorSessionID
  public let targetName: String
  public let portalGroupTag: UInt16
}

/// Which sessions exist and on which reactor each lives, for all reactors. Asked once per login, so
/// a lock will do; commands never come here.
public final class SessionDirectory: Sendable {
  enum Placement: Equatable {
    /// A new session, to be made by the caller at once.
    case create(TargetSessionID)
    /// Its reactor must end the old session before it makes the new one.
    case reinstate(onReactor: Int)
    case join(TargetSessionID, onReactor: Int)
    case refused(LoginStatus)
    case crowded(Limit)
  }

  /// What there is too much of, by the key that raises it.
  enum Limit: String {
    case sessions = "limits.sessions"
    case sessionsOfInitiator = "limits.sessions (the share of one initiator)"
    case sessionsAtTarget = "sessions of one initiator at one target"
    case connectionsOfInitiator = "limits.connections (the share of one initiator)"
  }

  /// Connections that an initiator may have beyond its share while they wait for the end of those
  /// that they replace.
  static let replacementsMax = 64

  private struct Entry {
    var handle: TargetSessionID
    var reactorIndex: Int
  }

  /// What one initiator has, by its name: it makes as many ISIDs as it likes.
  private struct Holdings {
    var sessionsByTarget: [String: Int] = [:]
    var sessionCount = 0
    var connectionCount = 0
  }

  private struct State {
    var entries: [SessionKey: Entry] = [:]
    var handles: Set<TargetSessionID> = []
    var holdings: [String: Holdings] = [:]

    /// A random handle, so that one initiator cannot guess another's.
    mutating func insert(
      _ key: SessionKey, onReactor index: Int, _ randomHandle: () -> UInt16
    ) -> TargetSessionID {
      var handle = TargetSessionID.none
      repeat {
        handle = TargetSessionID(rawValue: randomHandle())
      } while handle == .none || handles.contains(handle)
      handles.insert(handle)
      entries[key] = Entry(handle: handle, reactorIndex: index)
      change(key.initiatorName) {
        $0.sessionCount += 1
        $0.sessionsByTarget[key.targetName, default: 0] += 1
      }
      return handle
    }

    mutating func remove(_ key: SessionKey) {
      guard let entry = entries.removeValue(forKey: key) else { return }
      handles.remove(entry.handle)
      change(key.initiatorName) {
        $0.sessionCount -= 1
        let left = ($0.sessionsByTarget[key.targetName] ?? 0) - 1
        $0.sessionsByTarget[key.targetName] = left > 0 ? left : nil
      }
    }

    /// Keeps nothing of initiators that have nothing.
    mutating func change(_ initiator: String, _ body: (inout Holdings) -> Void) {
      var its = holdings[initiator] ?? Holdings()
      body(&its)
      precondition(its.sessionCount >= 0 && its.connectionCount >= 0, "what ends had begun")
      let isEmpty = its.sessionCount == 0 && its.connectionCount == 0
      holdings[initiator] = isEmpty ? nil : its
    }
  }

  private let limits: ServerLimits
  private let randomHandle: @Sendable () -> UInt16
  private let state = Mutex(State())

  init(limits: ServerLimits, randomHandle: @escaping @Sendable () -> UInt16) {
    precondition(
      limits.sessionsMax > 0 && limits.sessionsMax < 65_535,
      "a TSIH has 16 bits and is never zero")
    self.limits = limits
    self.randomHandle = randomHandle
  }

  public var count: Int { state.withLock { $0.entries.count } }

  /// Decides what becomes of a login that has proved itself.
  func place(_ key: SessionKey, requested: TargetSessionID, onReactor reactorIndex: Int)
    -> Placement
  {
    state.withLock { state in
      let entry = state.entries[key]
      if requested != .none {
        // §6.3.1: joining needs the very session; anything else has no such session.
        guard let entry, entry.handle == requested else { return .refused(.sessionDoesNotExist) }
        return .join(entry.handle, onReactor: entry.reactorIndex)
      }
      if let entry { return .reinstate(onReactor: entry.reactorIndex) }
      if let limit = limitReached(by: key, state) { return .crowded(limit) }
      return .create(state.insert(key, onReactor: reactorIndex, randomHandle))
    }
  }

  /// What keeps `key` from a session more, and a connection that is counted already.
  private func limitReached(by key: SessionKey, _ state: State) -> Limit? {
    let its = state.holdings[key.initiatorName] ?? Holdings()
    if its.connectionCount > limits.connectionsPerInitiatorMax { return .connectionsOfInitiator }
    if its.sessionCount >= limits.sessionsPerInitiatorMax { return .sessionsOfInitiator }
    let atTarget = its.sessionsByTarget[key.targetName] ?? 0
    if atTarget >= limits.sessionsPerInitiatorAtTargetMax { return .sessionsAtTarget }
    return state.entries.count >= limits.sessionsMax ? .sessions : nil
  }

  // MARK: Connections

  /// Counts a connection of `initiator` that has proved itself; false if there is no room, even for
  /// one that takes another's place.
  func addConnection(of initiator: String) -> Bool {
    let countMax = limits.connectionsPerInitiatorMax + SessionDirectory.replacementsMax
    return state.withLock { state in
      guard state.holdings[initiator]?.connectionCount ?? 0 < countMax else { return false }
      state.change(initiator) { $0.connectionCount += 1 }
      return true
    }
  }

  func removeConnection(of initiator: String) {
    state.withLock { state in state.change(initiator) { $0.connectionCount -= 1 } }
  }

  /// Whether the connections of `initiator` are no more than it may have.
  func isWithinConnections(_ initiator: String) -> Bool {
    state.withLock {
      $0.holdings[initiator]?.connectionCount ?? 0 <= limits.connectionsPerInitiatorMax
    }
  }

  // MARK: Ends

  /// The entry of a session that has ended: free, or the successor's under a new handle.
  func replace(_ key: SessionKey, onReactor reactorIndex: Int) -> TargetSessionID {
    state.withLock { state in
      state.remove(key)
      return state.insert(key, onReactor: reactorIndex, randomHandle)
    }
  }

  /// A handle for a session that nobody joins.
  func makeUnlistedHandle() -> TargetSessionID { TargetSessionID(rawValue: max(1, randomHandle())) }

  func remove(_ key: SessionKey, _ handle: TargetSessionID) {
    state.withLock { state in
      guard state.entries[key]?.handle == handle else { return }
      state.remove(key)
    }
  }
}
