import SCSIModel
import Bytes
import Testing

@Suite struct PersistentReserveOutTests {
  /// RESERVATION KEY 0102…08h, SERVICE ACTION RESERVATION KEY 1112…18h, no flags.
  static let basic: [UInt8] = [
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
    0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18,
    0, 0, 0, 0, 0x00, 0, 0, 0,
  ]

  static var specified: [UInt8] {
    var list = basic
    list[20] = 0x0D  // SPEC_I_PT, ALL_TG_PT, APTPL
    return list + [0, 0, 0, 60] + TransportIDTests.port + TransportIDTests.device
  }

  /// UNREG and APTPL, RELATIVE TARGET PORT IDENTIFIER 0102h.
  static var move: [UInt8] {
    var list = basic
    list[17] = 0x03
    list[18] = 0x01
    list[19] = 0x02
    list[23] = 36
    return list + TransportIDTests.port
  }

  private func cdb(_ action: UInt8, _ scopeAndType: UInt8 = 5, count: Int)
    -> CommandDescriptorBlock
  {
    CommandDescriptorBlock([
      0x5F, action, scopeAndType, 0, 0, UInt8(count >> 24 & 0xFF), UInt8(count >> 16 & 0xFF),
      UInt8(count >> 8 & 0xFF), UInt8(count & 0xFF), 0,
    ])
  }

  private func decode(_ list: [UInt8], _ action: UInt8, _ scopeAndType: UInt8 = 5)
    throws(SenseData) -> PersistentReserveOut
  {
    try PersistentReserveOut(
      decoding: list, cdb: cdb(action, scopeAndType, count: list.count))
  }

  @Test("Keys, flags and TransportIDs are where the standard has them")
  func fields() throws {
    let plain = try decode(Self.basic, 1)
    #expect(plain.action == .reserve)
    #expect(plain.reservationKey == 0x0102_0304_0506_0708)
    #expect(plain.serviceActionKey == 0x1112_1314_1516_1718)
    #expect(try plain.requireType() == .writeExclusiveRegistrantsOnly)
    #expect(!plain.appliesToAllTargetPorts && !plain.activatesPersistThroughPowerLoss)
    #expect(plain.specifiedInitiators == nil && plain.destination == nil)

    let register = try decode(Self.specified, 0)
    #expect(register.appliesToAllTargetPorts && register.activatesPersistThroughPowerLoss)
    let port = InitiatorPort(name: "iqn.x:n", isid: 0x0001_3701_0203)
    #expect(
      register.specifiedInitiators == [
        .init(.port(port), offset: 28), .init(.device(name: "iqn.x:n"), offset: 64),
      ])

    let move = try decode(Self.move, 7)
    #expect(
      move.destination
        == .init(relativeTargetPort: 0x0102, initiator: port, unregistersSender: true))
    #expect(move.activatesPersistThroughPowerLoss && !move.appliesToAllTargetPorts)
  }

  @Test("A list cut anywhere is a PARAMETER LIST LENGTH ERROR, whether the CDB admits it or not")
  func truncated() {
    for (list, action) in [(Self.basic, UInt8(0)), (Self.specified, 0), (Self.move, 7)] {
      for count in 0..<list.count {
        let part = Array(list.prefix(count))
        #expect(throws: SenseData.parameterListLengthError) { try decode(part, action) }
        #expect(throws: SenseData.parameterListLengthError) {
          try PersistentReserveOut(decoding: part, cdb: cdb(action, count: list.count))
        }
      }
    }
  }

  @Test("Without SPEC_I_PT the list has exactly 24 bytes")
  func exactly24() {
    for action in UInt8(0)...6 {
      #expect(throws: SenseData.parameterListLengthError) { try decode(Self.basic + [0], action) }
      #expect(throws: SenseData.parameterListLengthError) {
        try decode(Self.basic + [0, 0, 0, 0], action)
      }
    }
    #expect(throws: SenseData.parameterListLengthError) { try decode(Self.move + [0], 7) }
    #expect(throws: SenseData.parameterListLengthError) { try decode(Self.specified + [0], 0) }
    let huge = [UInt8](repeating: 0, count: PersistentReserveOut.parameterListBytesMax + 1)
    #expect(throws: SenseData.parameterListLengthError) { try decode(huge, 0) }
  }

  @Test("SPEC_I_PT is for REGISTER alone; reserved flags are nobody's")
  func flags() {
    for action in UInt8(0)...8 where action != 0 && action != 7 {
      var list = Self.basic
      list[20] = 0x08
      #expect(throws: SenseData.invalidFieldInParameterList(byte: 20, bit: 3)) {
        try decode(list, action)
      }
    }
    for (byte, bit, action) in [(20, 1, 0), (20, 4, 0), (20, 7, 1), (17, 2, 7), (17, 7, 7)] {
      var list = action == 7 ? Self.move : Self.basic
      list[byte] |= 1 << UInt8(bit)
      #expect(throws: SenseData.invalidFieldInParameterList(byte: byte, bit: UInt8(bit))) {
        try decode(list, UInt8(action))
      }
    }
  }

  @Test("SCOPE and TYPE matter to RESERVE, RELEASE and REPLACE LOST RESERVATION")
  func scopeAndType() throws {
    for action in [1, 2, 8] as [UInt8] {
      for type in UInt8(0)..<16 {
        if ReservationType(rawValue: type) != nil {
          #expect(try decode(Self.basic, action, type).requireType().rawValue == type)
        } else {
          #expect(throws: SenseData.invalidFieldInCDB(byte: 2, bit: 3)) {
            try decode(Self.basic, action, type)
          }
        }
      }
      #expect(throws: SenseData.invalidFieldInCDB(byte: 2, bit: 7)) {
        try decode(Self.basic, action, 0x15)
      }
    }
    for action in [0, 3, 4, 5, 6] as [UInt8] { _ = try decode(Self.basic, action, 0xFF) }
    _ = try decode(Self.move, 7, 0xFF)
  }

  @Test("Service actions that are none are INVALID FIELD IN CDB")
  func actions() {
    for action in UInt8(9)..<32 {
      #expect(throws: SenseData.invalidFieldInCDB(byte: 1, bit: 4)) {
        try decode(Self.basic, action)
      }
    }
  }

  @Test("REGISTER AND MOVE takes one TransportID, and one with ISID")
  func moveDestination() {
    var list = Self.basic
    list[23] = 24
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 24, bit: 7)) {
      try decode(list + TransportIDTests.device, 7)
    }
    list[23] = 60
    #expect(throws: SenseData.parameterListLengthError) {
      try decode(list + TransportIDTests.port + TransportIDTests.device, 7)
    }
  }

  @Test("A TransportID at fault is pointed at in its list")
  func pointer() {
    var list = Self.specified
    list[64] = 0x06
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 64, bit: 3)) {
      try decode(list, 0)
    }
    list = Self.specified
    list[30] = 0x01  // the first TransportID's ADDITIONAL LENGTH
    #expect(throws: SenseData.invalidFieldInParameterList(byte: 30, bit: 7)) {
      try decode(list, 0)
    }
  }

  /// T-PR-1.
  @Test("A TRANSPORTID PARAMETER DATA LENGTH that lies is a PARAMETER LIST LENGTH ERROR")
  func lyingLength() {
    let wide: [UInt64] = [
      0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFC4, 0xFFFF_FFFF,
    ]
    for (list, action, field) in [(Self.specified, UInt8(0), 24), (Self.move, 7, 20)] {
      let length = UInt64(list.count - field - 4)
      for lie in Array(0..<length) + Array(length + 1...length + 40) + wide {
        var lying = list
        for index in 0..<4 {
          lying[field + index] = UInt8(truncatingIfNeeded: lie >> UInt64(24 - 8 * index))
        }
        #expect(throws: SenseData.parameterListLengthError, "\(lie)") {
          try decode(lying, action)
        }
      }
    }
  }

  /// A REGISTER with SPEC_I_PT and so many TransportIDs, each of another port.
  private func specifying(_ count: Int) -> [UInt8] {
    let ports = (0..<count).flatMap {
      TransportID.port(InitiatorPort(name: "n", isid: UInt64($0))).encoded
    }
    var list = Self.basic
    list.replaceSubrange(0..<8, with: repeatElement(0, count: 8))
    list[20] = 0x08
    return list + [0, 0, 0, 0] + ports
  }

  /// T-PR-1.
  @Test("SPEC_I_PT without TransportIDs names nobody; with more than there is room for, nobody too")
  func manyTransportIDs() throws {
    func register(_ count: Int) throws -> PersistentReserveOut {
      var list = specifying(count)
      let length = list.count - 28
      list[25] = UInt8(length >> 16)
      list[26] = UInt8(length >> 8 & 0xFF)
      list[27] = UInt8(length & 0xFF)
      return try decode(list, 0)
    }
    let nobody = try register(0)
    #expect(nobody.specifiedInitiators == [])
    #expect(try ReservationState().after(nobody, from: Cluster.a).state.registrations.count == 1)
    let room = ReservationState.registrationsMax - ReservationState.registrationsReserved
    let state = try ReservationState().after(try register(room - 1), from: Cluster.a).state
    #expect(state.registrations.count == room)
    // As many as the longest list has room for: 24 bytes each.
    let most = (PersistentReserveOut.parameterListBytesMax - 28) / 24
    for count in [room, most] {
      let request = try register(count)
      #expect(request.specifiedInitiators?.count == count)
      #expect(throws: ReservationRefusal.check(.insufficientRegistrationResources)) {
        try ReservationState().after(request, from: Cluster.a)
      }
    }
    for count in [most + 1, 10_000] {
      #expect(throws: SenseData.parameterListLengthError) { try register(count) }
    }
  }

  /// T-PR-1.
  @Test("Ten thousand damaged lists and CDBs are decoded, applied or refused; none traps")
  func damaged() {
    var generator = SplitMix64(seed: 5)
    var state = ReservationState(
      [(Cluster.a, 0x0102_0304_0506_0708)], .writeExclusive, by: Cluster.a)
    var decoded = 0
    for _ in 0..<10_000 {
      var list = [Self.basic, Self.specified, Self.move].randomElement(using: &generator) ?? []
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        list[Int.random(in: 0..<list.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      if Bool.random(using: &generator) {
        list = Array(list.prefix(.random(in: 0...list.count, using: &generator)))
      }
      let action = UInt8.random(in: 0...9, using: &generator)
      guard
        let request = try? decode(list, action, .random(in: 0...255, using: &generator))
      else { continue }
      decoded += 1
      if let change = try? state.after(request, from: Cluster.a) { state = change.state }
      if state.registrations.count > 8 { state = ReservationState() }
    }
    #expect(decoded > 500)
  }

  @Test("Ten thousand random byte strings are no lists")
  func random() {
    var generator = SplitMix64(seed: 6)
    for _ in 0..<10_000 {
      let count = Int.random(in: 0...128, using: &generator)
      let list = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      _ = try? decode(list, .random(in: 0...8, using: &generator))
      _ = try? TransportID.decode(list, at: .random(in: 0...130, using: &generator))
    }
  }
}
