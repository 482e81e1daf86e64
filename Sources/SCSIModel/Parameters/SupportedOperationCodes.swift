internal import Bytes

/// The answers of REPORT SUPPORTED OPERATION CODES, made from the command table (SPC-4 §6.35).
///
/// REPORTING OPTIONS (CDB byte 2, bits 2–0): 0 all commands, 1 an opcode without service actions,
/// 2 an opcode with a service action, 3 either.
///
/// All commands: a length in bytes 0–3, then for each command
///
/// | byte | field                                                    |
/// |------|----------------------------------------------------------|
/// | 0    | OPERATION CODE                                           |
/// | 2–3  | SERVICE ACTION                                           |
/// | 5    | bit 1 CTDP: a timeouts descriptor follows; bit 0 SERVACTV |
/// | 6–7  | CDB LENGTH                                               |
///
/// One command:
///
/// | byte | field                                                          |
/// |------|----------------------------------------------------------------|
/// | 1    | bit 7 CTDP, bits 2–0 SUPPORT: 1 not supported, 3 as the standard |
/// | 2–3  | CDB SIZE                                                       |
/// | 4…   | CDB USAGE DATA, then the timeouts descriptor                   |
extension CommandTable {
  /// The parameter data for a validated REPORT SUPPORTED OPERATION CODES command. What the unit
  /// does not serve is answered for as if the table did not have it.
  public func reportSupportedOperationCodes(
    _ cdb: CommandDescriptorBlock, serving serves: (Command) -> Bool = { _ in true }
  ) throws(SenseData) -> [UInt8] {
    func lookup(opcode: UInt8, serviceAction: UInt16) -> Command? {
      self.lookup(opcode: opcode, serviceAction: serviceAction).flatMap { serves($0) ? $0 : nil }
    }
    let hasTimeouts = cdb.bytes[2] & 0x80 != 0
    let opcode = cdb.bytes[3]
    let action = cdb.bytes.bigEndianUInt16(at: 4)
    switch cdb.bytes[2] & 0x07 {
    case 0:
      return allCommands(rows.filter { serves($0.command) }, hasTimeouts: hasTimeouts)
    case 1:
      guard !hasServiceActions(opcode) else { throw .invalidFieldInCDB(byte: 2, bit: 2) }
      return oneCommand(lookup(opcode: opcode, serviceAction: 0), hasTimeouts: hasTimeouts)
    case 2:
      guard hasServiceActions(opcode) || !servesOpcode(opcode) else {
        throw .invalidFieldInCDB(byte: 2, bit: 2)
      }
      return oneCommand(lookup(opcode: opcode, serviceAction: action), hasTimeouts: hasTimeouts)
    case 3:
      // An opcode without service actions has the action 0 and no other.
      let exists = hasServiceActions(opcode) || action == 0
      return oneCommand(
        exists ? lookup(opcode: opcode, serviceAction: action) : nil, hasTimeouts: hasTimeouts)
    default:
      throw .invalidFieldInCDB(byte: 2, bit: 2)
    }
  }

  private func allCommands(_ rows: [CommandRow], hasTimeouts: Bool) -> [UInt8] {
    let descriptorBytes = hasTimeouts ? 20 : 8
    var writer = ByteWriter(reserving: 4 + rows.count * descriptorBytes)
    writer.uint32(UInt32(rows.count * descriptorBytes))
    for row in rows {
      writer.uint8(row.opcode)
      writer.uint8(0)
      writer.uint16(row.serviceAction ?? 0)
      writer.uint8(0)
      writer.uint8((hasTimeouts ? 0x02 : 0) | (row.serviceAction == nil ? 0 : 0x01))
      writer.uint16(UInt16(row.length))
      if hasTimeouts { Self.putTimeouts(into: &writer) }
    }
    return writer.bytes
  }

  private func oneCommand(_ command: Command?, hasTimeouts: Bool) -> [UInt8] {
    guard let command else { return [0, 0x01, 0, 0] }
    let row = self[command]
    var writer = ByteWriter(reserving: 4 + row.length + 12)
    writer.uint8(0)
    writer.uint8((hasTimeouts ? 0x80 : 0) | 0x03)
    writer.uint16(UInt16(row.length))
    writer.append(row.usageData)
    if hasTimeouts { Self.putTimeouts(into: &writer) }
    return writer.bytes
  }

  /// The command timeouts descriptor (SPC-4 §6.35.4): length 10, and both the NOMINAL COMMAND
  /// PROCESSING TIMEOUT and the RECOMMENDED COMMAND TIMEOUT 0, "not specified". The time a command
  /// takes is that of the store beneath, which we cannot promise.
  private static func putTimeouts(into writer: inout ByteWriter) {
    writer.uint16(10)
    writer.zeros(10)
  }
}

extension CommandRow {
  /// CDB usage data (SPC-4 §6.35.3): opcode and service action themselves, a mask elsewhere.
  public var usageData: [UInt8] {
    var data = (0..<length).map {
      UInt8(truncatingIfNeeded: usage[$0 / 8] >> UInt64(56 - $0 % 8 * 8))
    }
    data[0] = opcode
    guard let serviceAction else { return data }
    if opcode == CommandDescriptorBlock.variableLengthOpcode {
      data[8] = UInt8(truncatingIfNeeded: serviceAction >> 8)
      data[9] = UInt8(truncatingIfNeeded: serviceAction)
    } else {
      data[1] = data[1] & 0xE0 | UInt8(truncatingIfNeeded: serviceAction & 0x1F)
    }
    return data
  }
}
