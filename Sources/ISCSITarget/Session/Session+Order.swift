internal import Bytes
internal import ISCSIModel
internal import Reactor

// Commands that overtook an earlier one on another connection of the session (RFC 7143 §4.2.2.1).
extension Session {
  /// Enters a PDU into the order as soon as its header is there: from then on its number counts as
  /// come, so that an abort must find it, although its data is still on the way.
  func hold(_ pdu: HeldPDU) {
    held[pdu.cmdSN] = pdu
    lentBytes += pdu.lentBytes
    noteGap()
  }

  /// Whether `byteCount` more bytes of held data keep to what a session may have. What its
  /// initiator may have is looked at where they get their memory.
  func mayHold(_ byteCount: Int) -> Bool { lentBytes + byteCount <= memoryMax }

  private func removeHeld(_ pdu: HeldPDU) {
    guard held.removeValue(forKey: pdu.cmdSN) != nil else { return }
    lentBytes -= pdu.lentBytes
  }

  /// `pdu` is whole now. False: it was discarded while its data arrived, and its data is the
  /// caller's to give back. Its connection says which PDU it is, as no connection takes two at a
  /// time.
  func heldArrived(_ pdu: HeldPDU) -> Bool {
    guard held[pdu.cmdSN]?.connection === pdu.connection else { return false }
    held[pdu.cmdSN]?.isWhole = true
    return true
  }

  /// Delivers the held PDUs whose turn has come and that are whole; the others come by themselves.
  /// What waits for its turn among them has it before the commands that are numbered after it.
  func deliverHeld() {
    performDeferred()
    while let next = held[window.expCmdSN], next.isWhole {
      removeHeld(next)
      if next.takesNumberItself {
        window.forget(next.cmdSN)
      } else {
        _ = window.releaseNext()
      }
      next.connection.deliver(next)
      performDeferred()
    }
    noteGap()
  }

  /// Starts the clock for the number that others wait for; every other one has its own time.
  private func noteGap() {
    guard !deferred.isEmpty || !held.isEmpty else {
      gap = nil
      return
    }
    if gap?.number != window.expCmdSN {
      gap = CommandGap(number: window.expCmdSN, since: worker.reactor.now)
    }
  }

  /// Whether a number that others wait for has been missing for `timeout`, which any connection may
  /// owe. One that is coming in is late when its own connection is behind with it (`DataDue`).
  func lacksNumber(for timeout: Milliseconds) -> Bool {
    guard let gap, held[gap.number] == nil else { return false }
    return worker.reactor.now.milliseconds(since: gap.since) >= timeout
  }

  /// Performs a task management function when every command numbered before it has arrived: only
  /// then all of the tasks it is about are there (RFC 7143 §4.2.3.3).
  func inOrder(_ cmdSN: SerialNumber, _ perform: @escaping () -> Void) {
    deferred.append((cmdSN, perform))
    performDeferred()
    noteGap()
  }

  private func performDeferred() {
    while let first = deferred.first, !window.expCmdSN.precedes(first.cmdSN) {
      deferred.removeFirst()
      first.perform()
    }
  }

  /// The held command with this task tag.
  func heldCommand(_ tag: InitiatorTaskTag) -> HeldPDU? {
    held.values.first {
      $0.header.opcode == .scsiCommand && $0.header.initiatorTaskTag == tag
    }
  }

  /// Takes `pdu` out of the order for good: it is never executed, and nobody waits for its number.
  func discardHeld(_ pdu: HeldPDU) {
    removeHeld(pdu)
    window.plug(pdu.cmdSN)
    // Data that is still arriving stays its connection's, until it is whole.
    guard pdu.isWhole else { return }
    if let data = pdu.data { pdu.connection.releasePayload(data) }
    pdu.connection.continueAfterOrder(pdu)
  }
}

/// A CmdSN that others wait for.
struct CommandGap {
  let number: SerialNumber
  let since: MonotonicTime
}

extension HeldPDU {
  /// A write whose unsolicited Data-Out follows.
  var announcesData: Bool { header.opcode == .scsiCommand && !header.isFinal }

  /// A text request shows only when it is whole whether it is one.
  var takesNumberItself: Bool { header.opcode == .textRequest }

  var lentBytes: Int { data?.capacity ?? 0 }

  var cmdSN: SerialNumber { SerialNumber(header.bytes.bigEndianUInt32(at: 24)) }
}
