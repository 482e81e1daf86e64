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
  }

  private struct Entry {
    var handle: TargetSessionID
    var reactorIndex: Int
  }

  private struct State {
    var entries: [SessionKey: Entry] = [:]
    var handles: Set<TargetSessionID> = []

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
      return handle
    }

    mutating func remove(_ key: SessionKey) {
      guard let entry = entries.removeValue(forKey: key) else { return }
      handles.remove(entry.handle)
    }
  }

  private let sessionsMax: Int
  private let randomHandle: @Sendable () -> UInt16
  private let state = Mutex(State())

  init(sessionsMax: Int, randomHandle: @escaping @Sendable () -> UInt16) {
    precondition(sessionsMax > 0 && sessionsMax < 65_535, "a TSIH has 16 bits and is never zero")
    self.sessionsMax = sessionsMax
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
      guard state.entries.count < sessionsMax else { return .refused(.outOfResources) }
      return .create(state.insert(key, onReactor: reactorIndex, randomHandle))
    }
  }

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
