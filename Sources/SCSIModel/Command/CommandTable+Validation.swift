public import Bytes

extension CommandTable {
  /// The command of a CDB whose reserved bits are all zero and whose codes are all defined; throws
  /// the sense data to answer otherwise. Allocates nothing, takes no lock and counts no reference,
  /// which the compiler proves where it optimizes: else it does not see into the loads of `Bytes`.
  #if !DEBUG
    @_noLocks
  #endif
  @inlinable
  public func decode(_ cdb: CommandDescriptorBlock) throws(SenseData) -> Command {
    guard let command = lookup(cdb) else { throw unknown(cdb) }
    if let refusal = refusal(of: cdb, row: self[command]) { throw refusal }
    return command
  }

  /// SPC-4 §4.2.5: an unknown opcode is not the same mistake as an unknown service action.
  @usableFromInline
  func unknown(_ cdb: CommandDescriptorBlock) -> SenseData {
    guard servesOpcode(cdb.opcode) else { return .invalidCommandOperationCode }
    return cdb.opcode == CommandDescriptorBlock.variableLengthOpcode
      ? .invalidFieldInCDB(byte: 8, bit: 7) : .invalidFieldInCDB(byte: 1, bit: 4)
  }

  @inlinable
  func refusal(of cdb: CommandDescriptorBlock, row: CommandRow) -> SenseData? {
    // The ADDITIONAL CDB LENGTH of a variable length CDB, or a transport that cut it short.
    if cdb.length != row.length { return .invalidFieldInCDB(byte: 7, bit: 7) }
    var stray = cdb.bytes.bigEndianUInt64(at: 0) & ~row.usage[0]
    if stray != 0 { return SenseData.reservedBit(stray, firstByte: 0) }
    stray = cdb.bytes.bigEndianUInt64(at: 8) & ~row.usage[1]
    if stray != 0 { return SenseData.reservedBit(stray, firstByte: 8) }
    if cdb.length > 16 {
      stray = cdb.bytes.bigEndianUInt64(at: 16) & ~row.usage[2]
      if stray != 0 { return SenseData.reservedBit(stray, firstByte: 16) }
      stray = cdb.bytes.bigEndianUInt64(at: 24) & ~row.usage[3]
      if stray != 0 { return SenseData.reservedBit(stray, firstByte: 24) }
    }
    return reservedValue(in: cdb, row.command)
  }

  /// Fields whose every bit is looked at but whose value has no meaning.
  @inlinable
  func reservedValue(in cdb: CommandDescriptorBlock, _ command: Command) -> SenseData? {
    switch command {
    case .verify10, .verify12, .verify16:
      cdb.byteCheck == .reserved ? .invalidFieldInCDB(byte: 1, bit: 2) : nil
    case .verify32:
      cdb.byteCheck == .reserved ? .invalidFieldInCDB(byte: 10, bit: 2) : nil
    case .inquiry, .modeSelect6, .modeSelect10, .reportLUNs, .reportSupportedOperationCodes,
      .reportIdentifyingInformation, .reportTargetPortGroups, .setIdentifyingInformation,
      .setTargetPortGroups, .setTimestamp, .writeBuffer, .readBuffer:
      reservedParameterValue(in: cdb, command)
    case .extendedCopyLID1, .extendedCopyLID4, .populateToken, .writeUsingToken:
      copyListRefusal(of: cdb, command)
    default:
      nil
    }
  }

  @usableFromInline
  func reservedParameterValue(
    in cdb: CommandDescriptorBlock, _ command: Command
  ) -> SenseData? {
    switch command {
    // SPC-4 §6.6.1: a PAGE CODE without EVPD.
    case .inquiry where !cdb.isVitalProductData && cdb.vitalProductDataPage != 0:
      .invalidFieldInCDB(byte: 2, bit: 7)
    // SPC-4 §6.11: without PF the pages are vendor specific, and we have none.
    case .modeSelect6 where cdb.bytes[1] & 0x10 == 0 && cdb.bytes[4] != 0,
      .modeSelect10 where cdb.bytes[1] & 0x10 == 0 && cdb.bytes.bigEndianUInt16(at: 7) != 0:
      .invalidFieldInCDB(byte: 1, bit: 4)
    case .reportLUNs where ReportLUNsSelection(rawValue: cdb.selectReport) == nil:
      .invalidFieldInCDB(byte: 2, bit: 7)
    case .reportSupportedOperationCodes where cdb.bytes[2] & 0x07 > 3:
      .invalidFieldInCDB(byte: 2, bit: 2)
    default:
      reservedDeviceValue(in: cdb, command)
    }
  }
}

extension SenseData {
  /// Points at the first bit set in a word of the CDB, the leftmost of its field.
  @usableFromInline
  static func reservedBit(_ stray: UInt64, firstByte: Int) -> SenseData {
    let leading = stray.leadingZeroBitCount
    return .invalidFieldInCDB(
      byte: UInt16(firstByte + leading / 8), bit: UInt8(7 - leading % 8))
  }
}
