public import Reactor

// The sessions, for whoever administers them. To be called on one worker, for all; completions are
// called there.
extension Worker {
  /// All sessions but those for discovery, by reactor and then in no order that means anything.
  public func sessions(completion: @escaping ([SessionSummary]) -> Void) {
    ask { (summaries: [[SessionSummary]]) in
      completion(summaries.flatMap(\.self))
    } _: { worker, answer in
      answer(worker.allSessions.compactMap(\.summary))
    }
  }

  /// Asks the initiator to log out, on each of the session's connections (RFC 7143 §11.9.1), and
  /// closes what is left after `grace`. `completion` when the last operation of the last task has
  /// ended; false at once: there is no such session.
  public func logOut(
    _ id: SessionID, grace: Milliseconds, completion: @escaping (Bool) -> Void
  ) {
    end(id, completion) { $0.expel(within: grace) }
  }

  /// Closes the session's connections; otherwise as `logOut`. The initiator will most likely log in
  /// again: what keeps it out is the access list.
  public func kill(_ id: SessionID, completion: @escaping (Bool) -> Void) {
    end(id, completion) { $0.end(.endedByAdministrator) }
  }

  private func end(
    _ id: SessionID, _ completion: @escaping (Bool) -> Void,
    by body: @escaping @Sendable (Session) -> Void
  ) {
    ask { (found: [Bool]) in
      completion(found.contains(true))
    } _: { worker, answer in
      guard let session = worker.allSessions.first(where: { $0.id == id }) else {
        return answer(false)
      }
      session.whenEnded { answer(true) }
      body(session)
    }
  }
}

extension Session {
  /// Asks for a logout on every connection; no further one joins.
  func expel(within grace: Milliseconds) {
    isExpelled = true
    for connection in connections {
      connection.requestLogout(within: grace, else: .endedByAdministrator)
    }
    // A session that waits for a connection to be replaced has none to be asked.
    if connections.isEmpty { end(.endedByAdministrator) }
  }
}
