internal import Bytes
internal import DequeModule
internal import ISCSIModel
internal import Logging
internal import SCSIModel
internal import SCSITarget

// What a session is told without having asked (RFC 7143 §11.9).
extension Session {
  /// Says that the units are others now, by an Asynchronous Message with the sense data of the unit
  /// attention: many initiators look for units again when they hear it, and otherwise not before
  /// somebody tells them to.
  func announceUnits() {
    guard !isEnding,
      let connection = connections.first(where: { $0.phase == .fullFeature && !$0.isLeaving })
    else { return }
    connection.logger.info(
      "the logical units have changed", metadata: ["luns": "\(nexus?.luns.count ?? 0)"])
    guard !connection.hasSCSIEventWaiting else { return }
    let lun = LogicalUnitNumber.number(nexus?.luns.first ?? 0).field
    connection.enqueueSCSIEvent(.reportedLUNsDataHasChanged, lun: lun)
  }
}

extension Connection {
  /// One of them is enough, however much happens until an initiator that does not read takes it.
  fileprivate var hasSCSIEventWaiting: Bool {
    outbox.contains { item in
      guard case .pdu(let pdu) = item, pdu.header.opcode == .asynchronousMessage else {
        return false
      }
      return AsynchronousMessage(pdu.header).event == .scsi
    }
  }

  /// The data segment is that of a SCSI Response: SenseLength and the sense data (RFC 7143
  /// §11.9.4).
  fileprivate func enqueueSCSIEvent(_ sense: SenseData, lun: UInt64) {
    let pdu = AsynchronousMessage(event: .scsi, lun: lun, numbers: .unset)
    let bytes = sense.encoded(.fixed).bytes
    enqueue(
      pdu.encoded(), .status,
      payload: [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes)
  }
}
