import SCSIModel
import Testing

@Suite struct CommandTableTests {
  let table = CommandTable.standard

  /// A CDB that the row accepts: all zeros but opcode, service action and what a rule demands.
  private func plainCDB(_ row: CommandRow) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: row.length)
    bytes[0] = row.opcode
    if let action = row.serviceAction {
      if row.opcode == CommandDescriptorBlock.variableLengthOpcode {
        bytes[7] = UInt8(row.length - 8)
        bytes[9] = UInt8(action)
      } else {
        bytes[1] = UInt8(action)
      }
    }
    // Mode 0 is none of those served.
    if row.command == .readBuffer || row.command == .writeBuffer { bytes[1] = 0x02 }
    return bytes
  }

  @Test("Every row is found by its opcode and service action and accepts its plain CDB")
  func lookup() throws {
    for command in Command.allCases {
      let row = table[command]
      #expect(row.command == command)
      #expect(try table.decode(CommandDescriptorBlock(plainCDB(row))) == command)
      #expect(CommandDescriptorBlock(plainCDB(row)).length == row.length)
    }
  }

  @Test(
    "A bit outside a row's mask is refused with a pointer to exactly that bit, all others are not")
  func mask() {
    for row in table.rows {
      for byte in 1..<row.length {
        for bit in 0..<8 {
          let isVariable = row.opcode == CommandDescriptorBlock.variableLengthOpcode
          // The length and the service action say which row it is.
          if isVariable, (7...9).contains(byte) { continue }
          if row.serviceAction != nil, !isVariable, byte == 1, bit < 5 { continue }
          var bytes = plainCDB(row)
          bytes[byte] |= 1 << UInt8(bit)
          let answer = table.refusal(of: CommandDescriptorBlock(bytes))
          if row.usageData[byte] & 1 << UInt8(bit) == 0 {
            let expected = SenseData.invalidFieldInCDB(byte: UInt16(byte), bit: UInt8(bit))
            #expect(answer == expected, "\(row.name) byte \(byte) bit \(bit)")
          } else if !hasValueRule(row.command) {
            #expect(answer == nil, "\(row.name) byte \(byte) bit \(bit)")
          }
        }
      }
    }
  }

  private func hasValueRule(_ command: Command) -> Bool {
    switch command {
    case .inquiry, .modeSelect6, .modeSelect10, .reportLUNs, .reportSupportedOperationCodes,
      .verify10, .verify12, .verify16, .verify32, .extendedCopyLID1, .extendedCopyLID4,
      .populateToken, .writeUsingToken, .reportIdentifyingInformation, .reportTargetPortGroups,
      .setIdentifyingInformation, .setTargetPortGroups, .setTimestamp, .readBuffer, .writeBuffer:
      true
    default: false
    }
  }

  @Test(
    "All 256 opcodes × all service actions answer, unknown ones with the sense the standard names")
  func allOpcodes() {
    for opcode in UInt8.min...UInt8.max {
      for action in UInt8(0)..<32 {
        let cdb = CommandDescriptorBlock([opcode, action])
        let answer = table.refusal(of: cdb)
        if !table.servesOpcode(opcode) {
          #expect(answer == .invalidCommandOperationCode)
        } else if opcode == CommandDescriptorBlock.variableLengthOpcode {
          #expect(answer == .invalidFieldInCDB(byte: 8, bit: 7))
        } else if table.hasServiceActions(opcode), table.lookup(cdb) == nil {
          #expect(answer == .invalidFieldInCDB(byte: 1, bit: 4))
        }
      }
    }
  }

  @Test("RDPROTECT and WRPROTECT are refused; DPO and FUA are accepted")
  func protection() {
    for opcode in [0x28, 0x2A, 0x2E, 0x2F, 0x41, 0x88, 0x8A, 0x8E, 0x8F, 0x93, 0xA8, 0xAA]
      as [UInt8]
    {
      for value in UInt8(1)...7 {
        let bit = UInt8(7 - (value << 5).leadingZeroBitCount)
        #expect(
          table.refusal(of: CommandDescriptorBlock([opcode, value << 5]))
            == .invalidFieldInCDB(byte: 1, bit: bit))
      }
    }
    for opcode in [0x28, 0x2A, 0x88, 0x8A, 0xA8, 0xAA] as [UInt8] {
      #expect(table.refusal(of: CommandDescriptorBlock([opcode, 0x18])) == nil)
    }
  }

  @Test("ANCHOR of UNMAP and WRITE SAME is looked at, and found where each command has it")
  func anchor() {
    #expect(table[.unmap].usageData[1] == 0x01)
    #expect(table[.writeSame10].usageData[1] == 0x18)
    #expect(table[.writeSame16].usageData[1] == 0x19)
    #expect(table[.writeSame32].usageData[10] == 0x19)
    func isAnchor(_ bytes: [UInt8]) -> Bool { CommandDescriptorBlock(bytes).isAnchor }
    #expect(isAnchor([0x42, 0x01]) && !isAnchor([0x42, 0x10]))
    for opcode in [0x41, 0x93] as [UInt8] {
      #expect(isAnchor([opcode, 0x18]) && !isAnchor([opcode, 0x09]))
    }
    let long: [UInt8] = [0x7F, 0, 0, 0, 0, 0, 0, 0x18, 0, 0x0D]
    #expect(isAnchor(long + [0x18]) && !isAnchor(long + [0x09]))
  }

  @Test("Values that have no meaning are refused although their bits are looked at")
  func reservedValues() {
    func answer(_ bytes: UInt8...) -> SenseData? {
      table.refusal(of: CommandDescriptorBlock(bytes))
    }
    #expect(answer(0x2F, 0x04) == .invalidFieldInCDB(byte: 1, bit: 2))  // BYTCHK 10b
    #expect(answer(0x2F, 0x06) == nil)
    #expect(answer(0x12, 0x00, 0x83) == .invalidFieldInCDB(byte: 2, bit: 7))  // page without EVPD
    #expect(answer(0x12, 0x01, 0x83) == nil)
    #expect(answer(0x15, 0x00, 0, 0, 8) == .invalidFieldInCDB(byte: 1, bit: 4))  // no PF
    #expect(answer(0x15, 0x10, 0, 0, 8) == nil)
    #expect(answer(0x15, 0x11, 0, 0, 8) == nil)  // SP: the unit's matter
    #expect(
      answer(0xA3, 0x05, 0, 0, 0, 0, 0, 0, 0, 0, 0x02) == .invalidFieldInCDB(byte: 10, bit: 7))
    #expect(answer(0xA3, 0x0A | 0x40) == .invalidFieldInCDB(byte: 1, bit: 7))  // DATA FORMAT 2
    #expect(answer(0xA4, 0x06, 0, 0, 0, 0, 0, 0, 0, 65) == .invalidFieldInCDB(byte: 6, bit: 7))
    #expect(answer(0x3C, 0x00) == .invalidFieldInCDB(byte: 1, bit: 4))  // MODE 0
    #expect(answer(0xA0, 0, 0x03) == .invalidFieldInCDB(byte: 2, bit: 7))  // SELECT REPORT
    #expect(answer(0xA3, 0x0C, 0x04) == .invalidFieldInCDB(byte: 2, bit: 2))  // REPORTING OPTIONS
  }

  @Test("Unit attention passes over INQUIRY, REPORT LUNS and REQUEST SENSE and no other")
  func unitAttention() {
    let ignoring = table.rows.filter { $0.traits.contains(.ignoresUnitAttention) }.map(\.command)
    #expect(ignoring == [.requestSense, .inquiry, .reportLUNs])
  }

  @Test("Those that lock their blocks, copy, or move the medium are known by their rows")
  func families() {
    func commands(_ trait: CommandTraits) -> [Command] {
      table.rows.filter { $0.traits.contains(trait) }.map(\.command)
    }
    #expect(
      commands(.claimsRange) == [
        .compareAndWrite, .orWrite16, .writeAtomic16, .formatUnit, .sanitizeOverwrite,
        .sanitizeBlockErase,
      ])
    #expect(commands(.copies) == [.extendedCopyLID1, .extendedCopyLID4, .writeUsingToken])
    #expect(commands(.movesMedium) == [.startStopUnit, .preventAllowMediumRemoval])
  }

  @Test("Whatever writes the medium conflicts with a reservation, and reads do not write")
  func reservations() {
    for row in table.rows where row.traits.contains(.writesMedium) {
      #expect(row.reservation == .write)
      #expect(row.direction == .dataOut || row.opcode == 0x48)
    }
    let writers = table.rows.filter { $0.traits.contains(.writesMedium) }.map(\.opcode)
    #expect(
      Set(writers) == [
        0x0A, 0x2A, 0xAA, 0x8A, 0x2E, 0xAE, 0x8E, 0x41, 0x93, 0x42, 0x7F, 0x89, 0x8B, 0x9C, 0x04,
        0x48, 0x83,
      ])
    let stop = CommandDescriptorBlock([0x1B, 0, 0, 0, 0])
    let start = CommandDescriptorBlock([0x1B, 0, 0, 0, 1])
    #expect(table[.startStopUnit].reservation.resolved(for: stop) == .write)
    #expect(table[.startStopUnit].reservation.resolved(for: start) == .always)
    let startActive = CommandDescriptorBlock([0x1B, 0, 0, 0, 0x11])
    #expect(table[.startStopUnit].reservation.resolved(for: startActive) == .write)
  }

  @Test("WRITE SAME and VERIFY move one block, none, or all, as their flags say")
  func transferBlocks() {
    func transfer(_ bytes: [UInt8]) -> (BlockCount?, DataDirection)? {
      let cdb = CommandDescriptorBlock(bytes)
      guard let command = table.lookup(cdb) else { return nil }
      return (table[command].transferBlocks(for: cdb), table[command].direction(for: cdb))
    }
    func expect(_ bytes: [UInt8], _ blocks: UInt64, _ direction: DataDirection) {
      let answer = transfer(bytes)
      #expect(answer?.0 == BlockCount(blocks) && answer?.1 == direction, "\(bytes)")
    }
    expect([0x2F, 0x00, 0, 0, 0, 0, 0, 0, 9, 0], 0, .none)
    expect([0x2F, 0x02, 0, 0, 0, 0, 0, 0, 9, 0], 9, .dataOut)
    expect([0x2F, 0x06, 0, 0, 0, 0, 0, 0, 9, 0], 1, .dataOut)
    expect([0x41, 0x00, 0, 0, 0, 0, 0, 0, 9, 0], 1, .dataOut)
    expect([0x93, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0], 0, .none)
    expect([0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0], 18, .dataOut)
    expect([0x34, 0x00, 0, 0, 0, 0, 0, 0, 9, 0], 0, .none)
    expect([0x28, 0x00, 0, 0, 0, 0, 0, 0, 9, 0], 9, .dataIn)
    expect([0x35, 0x00, 0, 0, 0, 0, 0, 0, 9, 0], 0, .none)
  }
}

extension CommandTable {
  /// Nil for a CDB that may run, else the sense data to answer.
  func refusal(of cdb: CommandDescriptorBlock) -> SenseData? {
    do throws(SenseData) {
      _ = try decode(cdb)
      return nil
    } catch {
      return error
    }
  }
}
