internal import ISCSIModel
internal import SCSITarget

// The end of connections and of the session. What somebody waits for is over only when the last
// operation of the last task has ended.
extension Session {
  /// Aborts the tasks that belong to `connection`, which is gone; it stays in the session until its
  /// socket is closed and the last of them has ended. At error recovery level 0 a session does not
  /// outlive its last connection (RFC 7143 §7.2), unless another is about to replace that.
  func lost(_ connection: Connection) {
    for pdu in held.values where pdu.connection === connection { discardHeld(pdu) }
    abortTasks { $0.connection === connection }
    transfersLost(on: connection)
    deliverHeld()
    announceWindow()
    let hasOther = connections.contains { $0.phase == .fullFeature }
    if !hasOther, departures.isEmpty { isEnding = true }
  }

  private func abortTasks(where isVictim: (CommandTask) -> Bool) {
    for task in orderedTasks where isVictim(task) {
      task.transfer = nil
      if let server = task.nexus?.server, !task.hasEnded {
        server.abort(task.scsi, barrier: nil)
      }
      released(task)
    }
  }

  func closed(_ connection: Connection) {
    closedCount += 1
    finishIfDrained()
  }

  /// Closes `connection` and calls `login` back when nothing of it is left: no task, no operation.
  func replace(
    _ connection: Connection, by login: Connection, completion: @escaping () -> Void
  ) {
    let waiting = departures.indices.filter { departures[$0].connection === connection }
    // As in `end`.
    if waiting.count >= Session.successorsMax, let oldest = waiting.first {
      departures.remove(at: oldest).login.close(.loginSuperseded)
    }
    departures.append((connection, login, completion))
    connection.close(.connectionReinstated)
    finishIfDrained()
  }

  /// Closes every connection. `successor` is called when the last operation of the last task has
  /// ended, or in `makeWay`; of several logins under one name the last that is still there wins.
  func end(_ reason: CloseReason, successor: Successor? = nil) {
    isEnding = true
    if let successor {
      successors.append(successor)
      // The others have given up, or will when their login takes too long.
      if successors.count > Session.successorsMax {
        successors.removeFirst().connection?.close(.loginSuperseded)
      }
    }
    for connection in connections { connection.close(reason) }
    finishIfDrained()
  }

  /// `completion` when the last operation of the last task has ended and the nexus is gone.
  func whenEnded(_ completion: @escaping () -> Void) {
    if hasFinished { completion() } else { endWaiters.append(completion) }
  }

  private func isGone(_ connection: Connection) -> Bool {
    connection.phase == .closed && !tasks.values.contains { $0.connection === connection }
  }

  func finishIfDrained() {
    if closedCount > 0 || !departures.isEmpty { removeGone() }
    // A connection that replaced one of them has joined by now, or has given up.
    guard connections.isEmpty, tasks.isEmpty, departures.isEmpty, !hasFinished else { return }
    finish()
  }

  private func removeGone() {
    let before = connections.count
    connections.removeAll { isGone($0) }
    closedCount -= before - connections.count
    let gone = departures.filter { isGone($0.connection) }
    departures.removeAll { departure in gone.contains { $0.connection === departure.connection } }
    for departure in gone { departure.completion() }
  }

  /// Gives its place to a login that has waited long enough, as a store seems to hang. What it has
  /// left keeps only the logical units shut where it has it, and the nexus ends with each of these
  /// when that has ended: the same as at the end of a session, one unit at a time.
  func makeWay() {
    guard isEnding, !hasFinished, !hasMadeWay, predecessors.count < Session.predecessorsMax,
      let succeed = takeSuccessor()
    else { return }
    hasMadeWay = true
    nexus?.detachWhenDrained()
    let left = takePredecessors() + [self]
    succeed(left.filter { !$0.hasFinished })
  }

  /// The last of the logins that wait and are let in; the others have given up, are refused, or
  /// will give up when they take too long.
  private func takeSuccessor() -> ((_ predecessors: [Session]) -> Void)? {
    let waiting = successors.reversed()
    successors = []
    for successor in waiting {
      guard let standing = successor.standing() else { continue }
      return { successor.succeed(standing, $0) }
    }
    return nil
  }

  /// Its own last operation has ended. Without a successor it stays while there are predecessors,
  /// so that the next login finds them, and on their reactor.
  private func finish() {
    isEnding = true
    nexus?.detachAll()
    guard !hasMadeWay else {
      leave()
      if let key { worker.session(key)?.predecessorEnded(self) }
      return tellEnd()
    }
    if let succeed = takeSuccessor() {
      leave()
      succeed(takePredecessors())
      return tellEnd()
    }
    guard predecessors.isEmpty else { return }
    leave()
    worker.removed(self)
    if let key { worker.context.sessions.remove(key, handle) }
    tellEnd()
  }

  private func leave() {
    hasFinished = true
    if type == .normal { worker.closeAccount(of: initiatorName) }
    if let observed { worker.context.observer?.sessionEnded(observed) }
  }

  private func tellEnd() {
    let waiters = exchange(&endWaiters, with: [])
    for waiter in waiters { waiter() }
  }
}

/// A login that waits for a session's place.
struct Successor {
  weak var connection: Connection?
  /// By which rule it is let in now; nil: it has given up, or was refused.
  let standing: () -> SessionStanding?
  /// Makes the new session, after those that have not ended.
  let succeed: (_ standing: SessionStanding, _ predecessors: [Session]) -> Void
}
