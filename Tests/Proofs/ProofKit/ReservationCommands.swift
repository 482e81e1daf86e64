import Bytes
import ISCSIModel
import TargetSimulation

/// PERSISTENT RESERVE OUT service actions (SPC-4 §6.16.2).
public enum ReserveOut: UInt8, Sendable {
  case register = 0
  case reserve = 1
  case release = 2
  case clear = 3
  case preempt = 4
  case preemptAndAbort = 5
  case registerAndIgnoreExistingKey = 6
}

extension ScriptedInitiator {
  /// Sends a PERSISTENT RESERVE OUT with its basic parameter list, 24 bytes.
  @discardableResult
  public func sendReserveOut(
    _ action: ReserveOut, type: UInt8 = 0, key: UInt64 = 0, serviceActionKey: UInt64 = 0,
    lun: UInt64 = 0
  ) -> InitiatorTaskTag {
    let (cdb, list) = ReserveOut.encoded(action.rawValue, type, key, serviceActionKey)
    return sendCommand(
      cdb, lun: lun, expected: UInt32(list.count), isWrite: true, immediateData: list)
  }

  /// The same, waited for; its status, 0 for GOOD.
  public func reserveOut(
    _ action: ReserveOut, type: UInt8 = 0, key: UInt64 = 0, serviceActionKey: UInt64 = 0,
    lun: UInt64 = 0
  ) -> UInt8? {
    let tag = sendReserveOut(
      action, type: type, key: key, serviceActionKey: serviceActionKey, lun: lun)
    return finish(tag)?.status
  }
}

extension ReserveOut {
  /// The CDB and the parameter list.
  public static func encoded(
    _ action: UInt8, _ type: UInt8, _ key: UInt64, _ serviceActionKey: UInt64
  ) -> (cdb: [UInt8], list: [UInt8]) {
    var cdb = [UInt8](repeating: 0, count: 10)
    cdb[0] = 0x5F
    cdb[1] = action
    cdb[2] = type
    cdb[8] = 24
    var list = ByteWriter()
    list.uint64(key)
    list.uint64(serviceActionKey)
    list.uint32(0)
    list.uint32(0)
    return (cdb, list.bytes)
  }
}
