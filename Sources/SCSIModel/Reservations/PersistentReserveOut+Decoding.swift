// The parameter lists of PERSISTENT RESERVE OUT. The basic one (SPC-4 §6.16.3):
//
// | byte  | field                                                                       |
// |-------|-----------------------------------------------------------------------------|
// | 0–7   | RESERVATION KEY                                                             |
// | 8–15  | SERVICE ACTION RESERVATION KEY                                              |
// | 20    | bit 3 SPEC_I_PT, bit 2 ALL_TG_PT, bit 0 APTPL                                |
// | 24–27 | with SPEC_I_PT: TRANSPORTID PARAMETER DATA LENGTH, of what follows           |
// | 28…   | TransportIDs                                                                |
//
// That of REGISTER AND MOVE (SPC-4 §6.16.4):
//
// | byte  | field                                                                       |
// |-------|-----------------------------------------------------------------------------|
// | 0–7   | RESERVATION KEY                                                             |
// | 8–15  | SERVICE ACTION RESERVATION KEY                                              |
// | 17    | bit 1 UNREG, bit 0 APTPL                                                    |
// | 18–19 | RELATIVE TARGET PORT IDENTIFIER                                             |
// | 20–23 | TRANSPORTID PARAMETER DATA LENGTH                                           |
// | 24…   | one TransportID, of a port                                                  |

extension PersistentReserveOut {
  /// A longer list is a PARAMETER LIST LENGTH ERROR: what a field pointer of sense data reaches.
  public static let parameterListBytesMax = 65_536

  private static let basicBytes = 24

  /// Decodes the bytes that arrived, which must be as many as PARAMETER LIST LENGTH says.
  public init(decoding list: [UInt8], cdb: CommandDescriptorBlock) throws(SenseData) {
    guard let action = UInt8(exactly: cdb.serviceAction).flatMap(Action.init) else {
      throw .invalidFieldInCDB(byte: 1, bit: 4)
    }
    guard list.count == cdb.parameterLengthBytes(.bytes5To8),
      (Self.basicBytes...Self.parameterListBytesMax).contains(list.count)
    else { throw .parameterListLengthError }
    self.action = action
    scopeAndType = cdb.bytes[2]
    reservationKey = Self.integer(list[0..<8])
    serviceActionKey = Self.integer(list[8..<16])
    if action == .registerAndMove {
      try takeMove(list)
    } else {
      try takeBasic(list)
    }
    // PREEMPT looks at the type only if it preempts the reservation (SPC-4 §5.13.11.4).
    if action == .reserve || action == .release || action == .replaceLostReservation {
      _ = try requireType()
    }
  }

  private mutating func takeBasic(_ list: [UInt8]) throws(SenseData) {
    let flags = list[20]
    try Self.requireZero(flags & 0xF2, byte: 20)
    let specifiesInitiatorPorts = flags & 0x08 != 0
    guard !specifiesInitiatorPorts || action == .register else {
      throw .invalidFieldInParameterList(byte: 20, bit: 3)
    }
    appliesToAllTargetPorts = flags & 0x04 != 0
    activatesPersistThroughPowerLoss = flags & 0x01 != 0
    guard specifiesInitiatorPorts else {
      guard list.count == Self.basicBytes else { throw .parameterListLengthError }
      return
    }
    specifiedInitiators = try Self.transportIDs(list)
  }

  private static func transportIDs(_ list: [UInt8]) throws(SenseData) -> [SpecifiedInitiator] {
    guard list.count >= 28, integer(list[24..<28]) == UInt64(list.count - 28) else {
      throw .parameterListLengthError
    }
    var specified: [SpecifiedInitiator] = []
    var offset = 28
    while offset < list.count {
      let (transportID, byteCount) = try TransportID.decode(list, at: offset)
      specified.append(SpecifiedInitiator(transportID, offset: offset))
      offset += byteCount
    }
    return specified
  }

  private mutating func takeMove(_ list: [UInt8]) throws(SenseData) {
    let flags = list[17]
    try Self.requireZero(flags & 0xFC, byte: 17)
    activatesPersistThroughPowerLoss = flags & 0x01 != 0
    guard Self.integer(list[20..<24]) == UInt64(list.count - 24) else {
      throw .parameterListLengthError
    }
    let (transportID, byteCount) = try TransportID.decode(list, at: 24)
    guard byteCount == list.count - 24 else { throw .parameterListLengthError }
    // A reservation moves to one port: a device without ISID will not do.
    guard case .port(let initiator) = transportID else {
      throw .invalidFieldInParameterList(byte: 24, bit: 7)
    }
    destination = Destination(
      relativeTargetPort: UInt16(truncatingIfNeeded: Self.integer(list[18..<20])),
      initiator: initiator, unregistersSender: flags & 0x02 != 0)
  }

  private static func requireZero(_ reserved: UInt8, byte: Int) throws(SenseData) {
    guard reserved == 0 else {
      throw .invalidFieldInParameterList(
        byte: byte, bit: UInt8(7 - reserved.leadingZeroBitCount))
    }
  }

  private static func integer(_ field: ArraySlice<UInt8>) -> UInt64 {
    field.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
