internal import Bytes
internal import ISCSIModel
internal import Reactor

// Commands that overtook an earlier one on another connection of the session (RFC 7143 §4.2.2.1).
extension Session {
  func hold(_ pdu: HeldPDU) {
    held[pdu.cmdSN] = pdu
    if gapSince == nil { gapSince = worker.reactor.now }
    // The gap may have been filled while its data arrived.
    deliverHeld()
  }

  /// Delivers the held PDUs whose turn has come. One that is not complete yet comes by itself.
  func deliverHeld() {
    while let next = held[window.expCmdSN], window.releaseNext() != nil {
      held[next.cmdSN] = nil
      next.connection.deliver(next)
    }
    performDeferred()
  }

  /// Performs a task management function when every command numbered before it has arrived: only then
  /// all of the tasks it is about are there (RFC 7143 §4.2.3.3).
  func inOrder(_ cmdSN: SerialNumber, _ perform: @escaping () -> Void) {
    deferred.append((cmdSN, perform))
    if gapSince == nil, window.expCmdSN.precedes(cmdSN) { gapSince = worker.reactor.now }
    performDeferred()
  }

  private func performDeferred() {
    while let first = deferred.first, !window.expCmdSN.precedes(first.cmdSN) {
      deferred.removeFirst()
      first.perform()
    }
    if deferred.isEmpty, held.isEmpty { gapSince = nil }
  }

  /// The held command with this task tag, taken out of the order for good.
  func removeHeld(_ tag: InitiatorTaskTag) -> Bool {
    guard
      let pdu = held.values.first(where: {
        $0.header.opcode == .scsiCommand && $0.header.initiatorTaskTag == tag
      })
    else { return false }
    discardHeld(pdu)
    return true
  }

  /// A PDU to be held that will never be whole.
  func abandonHeld(_ pdu: HeldPDU) {
    discardHeld(pdu)
    deliverHeld()
  }

  func discardHeld(_ pdu: HeldPDU) {
    held[pdu.cmdSN] = nil
    window.plug(pdu.cmdSN)
    if let data = pdu.data { worker.reactor.buffers.release(data) }
    pdu.connection.continueAfterOrder(pdu)
  }
}

extension HeldPDU {
  /// A write whose unsolicited Data-Out follows.
  var announcesData: Bool { header.opcode == .scsiCommand && !header.isFinal }

  var cmdSN: SerialNumber { SerialNumber(header.bytes.bigEndianUInt32(at: 24)) }
}
