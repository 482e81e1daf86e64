import Bytes
import ISCSIModel
import Testing

@Suite("Requests of the initiator, golden bytes both ways")
struct RequestTests {
  @Test("NOP-Out")
  func nopOut() {
    let golden = goldenHeader(
      """
      40 80 00 00  // I, opcode 0x00; F
      00 00 00 05  // no AHS, 5 bytes of ping data
      00 01 00 00 00 00 00 00  // LUN 1
      11 22 33 44  // Initiator Task Tag
      55 66 77 88  // Target Transfer Tag
      00 00 00 0A  // CmdSN
      00 00 00 0B  // ExpStatSN
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let built = NopOut(
      isImmediate: true, lun: 0x0001_0000_0000_0000,
      initiatorTaskTag: InitiatorTaskTag(rawValue: 0x1122_3344),
      targetTransferTag: TargetTransferTag(rawValue: 0x5566_7788), cmdSN: SerialNumber(10),
      expStatSN: SerialNumber(11), dataSegmentLength: 5)
    #expect(built.header.hex == golden.hex)
    let read = NopOut(golden)
    #expect(read.isImmediate && read.wantsAnswer && read.isWellFormed)
    #expect(read.lun == 0x0001_0000_0000_0000)
    #expect(read.initiatorTaskTag.rawValue == 0x1122_3344)
    #expect(read.targetTransferTag.rawValue == 0x5566_7788)
    #expect(read.cmdSN.rawValue == 10 && read.expStatSN.rawValue == 11)
    #expect(read.header.dataSegmentLength == 5)
  }

  @Test("A NOP-Out without a task tag is well formed only if it is immediate")
  func nopOutWithoutTag() {
    for isImmediate in [false, true] {
      let request = NopOut(
        isImmediate: isImmediate, initiatorTaskTag: .reserved, cmdSN: SerialNumber(1),
        expStatSN: SerialNumber(1))
      #expect(!request.wantsAnswer)
      #expect(request.isWellFormed == isImmediate)
    }
  }

  @Test("SCSI Command")
  func scsiCommand() {
    let golden = goldenHeader(
      """
      01 22 00 00  // opcode 0x01; not final, W, ORDERED
      00 00 02 00  // 512 bytes of immediate data
      00 02 00 00 00 00 00 00  // LUN 2
      DE AD BE EF  // Initiator Task Tag
      00 01 00 00  // Expected Data Transfer Length 65,536
      FF FF FF FF  // CmdSN
      80 00 00 00  // ExpStatSN
      8A 08 00 00 00 00 00 00 00 10 00 00 00 80 00 00  // WRITE(16), FUA, LBA 16, 128 blocks
      """)
    let cdb: InlineArray<16, UInt8> = [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0x80, 0, 0]
    let built = SCSICommandRequest(
      isFinal: false, isWrite: true, attribute: .ordered, lun: 0x0002_0000_0000_0000,
      initiatorTaskTag: InitiatorTaskTag(rawValue: 0xDEAD_BEEF),
      expectedDataTransferLength: 65536, cmdSN: SerialNumber(0xFFFF_FFFF),
      expStatSN: SerialNumber(0x8000_0000), cdb: cdb, dataSegmentLength: 512)
    #expect(built.header.hex == golden.hex)
    let read = SCSICommandRequest(golden)
    #expect(!read.isImmediate && !read.isFinal && !read.isRead && read.isWrite)
    #expect(read.attribute == .ordered && read.lun == 0x0002_0000_0000_0000)
    #expect(read.initiatorTaskTag.rawValue == 0xDEAD_BEEF)
    #expect(read.expectedDataTransferLength == 65536)
    #expect(read.cmdSN.rawValue == 0xFFFF_FFFF && read.expStatSN.rawValue == 0x8000_0000)
    for index in 0..<16 { #expect(read.cdb[index] == cdb[index]) }
    #expect(read.isWellFormed)
  }

  @Test("A reserved attribute, R and W at once, and data that nobody writes are malformed")
  func dataWithoutWrite() {
    func command(isFinal: Bool, isWrite: Bool, data: Int) -> SCSICommandRequest {
      SCSICommandRequest(
        isFinal: isFinal, isRead: !isWrite, isWrite: isWrite,
        initiatorTaskTag: InitiatorTaskTag(rawValue: 1), cmdSN: SerialNumber(1),
        expStatSN: SerialNumber(1), cdb: InlineArray(repeating: 0), dataSegmentLength: data)
    }
    #expect(command(isFinal: true, isWrite: false, data: 0).isWellFormed)
    #expect(!command(isFinal: true, isWrite: false, data: 1).isWellFormed)
    #expect(!command(isFinal: false, isWrite: false, data: 0).isWellFormed)
    #expect(command(isFinal: false, isWrite: true, data: 1).isWellFormed)
    var both = command(isFinal: true, isWrite: true, data: 0).header
    both.bytes[1] |= 0x40
    #expect(!SCSICommandRequest(both).isWellFormed)
    for attribute in UInt8(0)..<8 {
      var header = command(isFinal: true, isWrite: true, data: 0).header
      header.bytes[1] = header.bytes[1] & 0xF8 | attribute
      #expect(SCSICommandRequest(header).isWellFormed == (attribute < 5))
    }
  }

  @Test("Task Management Function Request")
  func taskManagement() {
    let golden = goldenHeader(
      """
      42 81 00 00  // I, opcode 0x02; ABORT TASK
      00 00 00 00
      00 03 00 00 00 00 00 00  // LUN 3
      00 00 00 21  // Initiator Task Tag
      00 00 00 20  // Referenced Task Tag
      00 00 00 09  // CmdSN
      00 00 00 07  // ExpStatSN
      00 00 00 08  // RefCmdSN
      00 00 00 06  // ExpDataSN
      00 00 00 00 00 00 00 00
      """)
    let built = TaskManagementFunctionRequest(
      function: .abortTask, lun: 0x0003_0000_0000_0000,
      initiatorTaskTag: InitiatorTaskTag(rawValue: 0x21),
      referencedTaskTag: InitiatorTaskTag(rawValue: 0x20), cmdSN: SerialNumber(9),
      expStatSN: SerialNumber(7), refCmdSN: SerialNumber(8), expDataSN: SerialNumber(6))
    #expect(built.header.hex == golden.hex)
    let read = TaskManagementFunctionRequest(golden)
    #expect(read.isImmediate && read.function == .abortTask && read.lun == 0x0003_0000_0000_0000)
    #expect(read.initiatorTaskTag.rawValue == 0x21 && read.referencedTaskTag.rawValue == 0x20)
    #expect(read.cmdSN.rawValue == 9 && read.expStatSN.rawValue == 7)
    #expect(read.refCmdSN.rawValue == 8 && read.expDataSN.rawValue == 6)
  }

  @Test("Text Request")
  func text() {
    let golden = goldenHeader(
      """
      04 40 00 00  // opcode 0x04; not final, C
      00 00 00 0F  // 15 bytes of text
      00 00 00 00 00 00 00 00
      00 00 00 01  // Initiator Task Tag
      FF FF FF FF  // Target Transfer Tag: begin
      00 00 00 02  // CmdSN
      00 00 00 03  // ExpStatSN
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let built = TextRequest(
      isFinal: false, continues: true, initiatorTaskTag: InitiatorTaskTag(rawValue: 1),
      cmdSN: SerialNumber(2), expStatSN: SerialNumber(3), dataSegmentLength: 15)
    #expect(built.header.hex == golden.hex)
    let read = TextRequest(golden)
    #expect(!read.isFinal && read.continues && !read.isImmediate)
    #expect(read.targetTransferTag == .reserved && read.initiatorTaskTag.rawValue == 1)
    #expect(read.cmdSN.rawValue == 2 && read.expStatSN.rawValue == 3 && read.lun == 0)
  }

  @Test("SCSI Data-Out")
  func dataOut() {
    let golden = goldenHeader(
      """
      05 80 00 00  // opcode 0x05; F
      00 00 20 01  // 8,193 bytes
      00 04 00 00 00 00 00 00  // LUN 4
      00 00 00 31  // Initiator Task Tag
      00 00 00 32  // Target Transfer Tag
      00 00 00 00
      00 00 00 33  // ExpStatSN
      00 00 00 00
      00 00 00 34  // DataSN
      00 01 00 00  // Buffer Offset
      00 00 00 00
      """)
    let built = DataOut(
      isFinal: true, lun: 0x0004_0000_0000_0000, initiatorTaskTag: InitiatorTaskTag(rawValue: 0x31),
      targetTransferTag: TargetTransferTag(rawValue: 0x32), expStatSN: SerialNumber(0x33),
      dataSN: SerialNumber(0x34), bufferOffset: 0x10000, dataSegmentLength: 8193)
    #expect(built.header.hex == golden.hex)
    let read = DataOut(golden)
    #expect(read.isFinal && !read.isUnsolicited && read.lun == 0x0004_0000_0000_0000)
    #expect(read.initiatorTaskTag.rawValue == 0x31 && read.targetTransferTag.rawValue == 0x32)
    #expect(read.expStatSN.rawValue == 0x33 && read.dataSN.rawValue == 0x34)
    #expect(read.bufferOffset == 0x10000 && read.dataSegmentLength == 8193)
  }

  @Test("Logout Request")
  func logout() {
    let golden = goldenHeader(
      """
      46 81 00 00  // I, opcode 0x06; close the connection
      00 00 00 00
      00 00 00 00 00 00 00 00
      00 00 00 41  // Initiator Task Tag
      01 02 00 00  // CID
      00 00 00 42  // CmdSN
      00 00 00 43  // ExpStatSN
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let built = LogoutRequest(
      reason: .closeConnection, initiatorTaskTag: InitiatorTaskTag(rawValue: 0x41),
      connectionID: ConnectionID(rawValue: 0x0102), cmdSN: SerialNumber(0x42),
      expStatSN: SerialNumber(0x43))
    #expect(built.header.hex == golden.hex)
    let read = LogoutRequest(golden)
    #expect(read.reason == .closeConnection && read.connectionID.rawValue == 0x0102)
    #expect(read.isImmediate && read.initiatorTaskTag.rawValue == 0x41)
    #expect(read.cmdSN.rawValue == 0x42 && read.expStatSN.rawValue == 0x43)
  }
}
