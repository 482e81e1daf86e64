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
      if let server = task.unit?.server, !task.hasEnded {
        server.abort(task.scsi, barrier: nil)
      }
      released(task)
    }
  }

  func closed(_ connection: Connection) {
    closedCount += 1
    finishIfDrained()
  }

  /// Closes `connection` and calls back when nothing of it is left: no task, no operation.
  func replace(_ connection: Connection, completion: @escaping () -> Void) {
    let waiting = departures.indices.filter { departures[$0].connection === connection }
    // As in `end`: the oldest has given up, or will.
    if waiting.count >= Session.successorsMax, let oldest = waiting.first {
      departures.remove(at: oldest)
    }
    departures.append((connection, completion))
    connection.close(.connectionReinstated)
    finishIfDrained()
  }

  /// Closes every connection. `successor` is called when the last operation of the last task has
  /// ended; of several logins under one name the last that is still there wins.
  func end(_ reason: CloseReason, successor: (() -> Bool)? = nil) {
    isEnding = true
    if let successor {
      successors.append(successor)
      // The others have given up, or will when their login takes too long.
      if successors.count > Session.successorsMax { successors.removeFirst() }
    }
    for connection in connections { connection.close(reason) }
    finishIfDrained()
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

  private func finish() {
    hasFinished = true
    isEnding = true
    nexus?.detachAll()
    if type == .normal { worker.closeAccount(of: initiatorName) }
    worker.removed(self)
    let waiting = successors.reversed()
    successors = []
    let isSucceeded = waiting.contains { $0() }
    if !isSucceeded, let key { worker.context.sessions.remove(key, handle) }
  }
}
