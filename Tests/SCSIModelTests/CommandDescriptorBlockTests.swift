import SCSIModel
import Testing

@Suite struct CommandDescriptorBlockTests {
  private func range(_ bytes: [UInt8]) throws -> BlockRange? {
    let cdb = CommandDescriptorBlock(bytes)
    let command = try CommandTable.standard.decode(cdb)
    return cdb.blockRange(CommandTable.standard[command].blocks)
  }

  @Test("READ(6) has a 21-bit address, and length 0 means 256 blocks")
  func read6() throws {
    #expect(
      try range([0x08, 0x1F, 0xFF, 0xFE, 0x00, 0x00]) == BlockRange(start: 0x1F_FFFE, count: 256))
    #expect(
      try range([0x0A, 0x01, 0x02, 0x03, 0x04, 0x00]) == BlockRange(start: 0x01_0203, count: 4))
  }

  @Test("The 10, 12 and 16-byte forms keep address and count where SBC-3 has them")
  func longForms() throws {
    // opcode, flags, address 81828384h, group, count 9192h, control
    #expect(
      try range([0x28, 0x18, 0x81, 0x82, 0x83, 0x84, 0x00, 0x91, 0x92, 0x00])
        == BlockRange(start: 0x8182_8384, count: 0x9192))
    // opcode, flags, address, count 91929394h, group, control
    #expect(
      try range([0xAA, 0, 0x81, 0x82, 0x83, 0x84, 0x91, 0x92, 0x93, 0x94, 0x1F, 0])
        == BlockRange(start: 0x8182_8384, count: 0x9192_9394))
    // opcode, flags, address 8182838485868788h, count, group, control
    #expect(
      try range([
        0x93, 0x09, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x91, 0x92, 0x93, 0x94, 0, 0,
      ]) == BlockRange(start: 0x8182_8384_8586_8788, count: 0x9192_9394))
    // READ(10) of no blocks is of none, unlike READ(6).
    #expect(try range([0x28, 0, 0, 0, 0, 7, 0, 0, 0, 0]) == BlockRange(start: 7, count: 0))
  }

  @Test("Flags are read from their bits")
  func flags() {
    let write = CommandDescriptorBlock([0x2A, 0xF8])
    #expect(write.isForceUnitAccess)
    #expect(CommandDescriptorBlock([0x2F, 0x02]).byteCheck == .compare)
    #expect(CommandDescriptorBlock([0x2F, 0x06]).byteCheck == .compareOneBlock)
    // Byte 1 of READ(6) is address, not flags.
    #expect(!CommandDescriptorBlock([0x08, 0x18]).isForceUnitAccess)
    #expect(CommandDescriptorBlock([0x5A, 0x18]).isLongLBAAccepted)
    #expect(!CommandDescriptorBlock([0x1A, 0x18]).isLongLBAAccepted)
    #expect(CommandDescriptorBlock([0x93, 0x01]).isNoDataOutBuffer)
    #expect(CommandDescriptorBlock([0x1B, 0, 0, 0, 0x03]).isLoadEject)
  }

  @Test("What the transport sends past the command's end is not part of the command")
  func padding() throws {
    var field = InlineArray<16, UInt8>(repeating: 0xFF)
    field[0] = 0x00
    for index in 1..<6 { field[index] = 0 }
    let cdb = CommandDescriptorBlock(field)
    #expect(cdb.length == 6)
    #expect(cdb.bytes[6] == 0)
    #expect(try CommandTable.standard.decode(cdb) == .testUnitReady)
  }

  @Test("A variable length CDB takes its length from byte 7, never past what arrived or 32 bytes")
  func variableLength() {
    var bytes = [UInt8](repeating: 0xA5, count: 300)
    bytes[0] = 0x7F
    for additional in 0...255 {
      bytes[7] = UInt8(additional)
      for count in [8, 16, 31, 32, 33, 300] {
        let cdb = CommandDescriptorBlock(Array(bytes.prefix(count)))
        #expect(cdb.length == min(8 + additional, max(count, 16), 32))
      }
    }
    bytes[7] = 0x18
    bytes[8] = 0x00
    bytes[9] = 0x09
    let read32 = CommandDescriptorBlock(Array(bytes.prefix(32)))
    #expect(read32.serviceAction == 9)
  }

  @Test("A CDB of no bytes is TEST UNIT READY padded, and traps nowhere")
  func empty() {
    #expect(CommandDescriptorBlock([]).length == 6)
  }
}
