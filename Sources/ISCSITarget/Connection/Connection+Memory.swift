internal import Reactor

// The memory a connection takes, apart from that of its session's commands. Before it has joined a
// normal session anybody may be at its other end: what all of those hold together stays within a
// share, and each of them can lose what it has to a newer one. From then on what it needs to live
// is its own, and what PDUs need its initiator's.
extension Connection {
  /// A buffer of at least `byteCount` bytes, or nil. Given back by `release`.
  func allocate(_ byteCount: Int) -> Buffer? {
    if isStranger, !worker.makeRoom(forStranger: self, byteCount) { return nil }
    guard let buffer = reactor.buffers.allocate(byteCount) else { return nil }
    if isStranger { noteStranger(buffer.capacity) }
    return buffer
  }

  func release(_ buffer: Buffer) {
    reactor.buffers.release(buffer)
    if isStranger { noteStranger(-buffer.capacity) }
  }

  /// As `allocate`, for data of a PDU that comes in and has no command yet, or goes out: in a
  /// normal session as much as its initiator may have, and nothing of what logins need. Given back
  /// by `releasePayload`.
  func allocatePayload(_ byteCount: Int) -> Buffer? {
    guard let account else { return allocate(byteCount) }
    guard account.mayLend(byteCount),
      let buffer = reactor.buffers.allocateForCommand(byteCount, userBytes: 0)
    else { return nil }
    account.lends(buffer.capacity)
    return buffer
  }

  func releasePayload(_ buffer: Buffer) {
    release(buffer)
    account?.takesBack(buffer.capacity)
  }

  private func noteStranger(_ byteCount: Int) {
    strangerBytes += byteCount
    worker.strangerBytes += byteCount
  }

  /// It belongs to the normal session `session` from here on. Answers of the login may be on their
  /// way yet.
  func leaveStrangers(for session: Session) {
    endStranger()
    account = session.account
    session.account.lends(controlByteCount)
  }

  /// It is over, or belongs to a normal session.
  func endStranger() {
    guard isStranger else { return }
    isStranger = false
    worker.strangerBytes -= strangerBytes
    strangerBytes = 0
  }
}
