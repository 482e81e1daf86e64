import Bytes
import ISCSIModel
import Testing

private let numbers = SequenceNumbers(
  statSN: SerialNumber(0x0102_0304), expCmdSN: SerialNumber(0x1112_1314),
  maxCmdSN: SerialNumber(0x2122_2324))
private let task = InitiatorTaskTag(rawValue: 0xA1A2_A3A4)
private let transfer = TargetTransferTag(rawValue: 0xB1B2_B3B4)

@Suite("Answers of the target, golden bytes both ways")
struct ResponseTests {
  @Test("NOP-In")
  func nopIn() {
    let golden = goldenHeader(
      """
      20 80 00 00  // opcode 0x20; F
      00 00 00 03  // 3 bytes of ping data
      00 01 00 00 00 00 00 00  // LUN 1
      FF FF FF FF  // Initiator Task Tag: a ping of the target
      B1 B2 B3 B4  // Target Transfer Tag
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let value = NopIn(
      lun: 0x0001_0000_0000_0000, targetTransferTag: transfer, numbers: numbers,
      dataSegmentLength: 3)
    #expect(value.encoded().hex == golden.hex)
    #expect(NopIn(golden) == value)
  }

  @Test("SCSI Response")
  func scsiResponse() {
    let golden = goldenHeader(
      """
      21 8C 00 02  // opcode 0x21; u, O; completed at target; CHECK CONDITION
      00 00 00 14  // 2 + 18 bytes of sense
      00 00 00 00 00 00 00 00
      A1 A2 A3 A4  // Initiator Task Tag
      00 00 00 09  // SNACK Tag
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 05  // ExpDataSN
      00 00 00 06  // Bidirectional Read Residual Count
      00 00 02 00  // Residual Count
      """)
    let value = SCSIResponse(
      status: 0x02, initiatorTaskTag: task, snackTag: 9, numbers: numbers,
      expDataSN: SerialNumber(5), residual: .overflow(512),
      bidirectionalReadResidual: .underflow(6), dataSegmentLength: 20)
    #expect(value.encoded().hex == golden.hex)
    #expect(SCSIResponse(golden) == value)
  }

  @Test(
    "The four residual bits of byte 1 are o, u, O, U",
    arguments: [
      (Residual.overflow(1), Residual.none, UInt8(0x84)), (.underflow(1), .none, 0x82),
      (.none, .overflow(1), 0x90), (.none, .underflow(1), 0x88), (.none, .none, 0x80),
    ])
  func residualBits(residual: Residual, bidirectional: Residual, byte: UInt8) {
    let value = SCSIResponse(
      status: 0, initiatorTaskTag: task, numbers: numbers, residual: residual,
      bidirectionalReadResidual: bidirectional)
    #expect(value.encoded().bytes[1] == byte)
    #expect(SCSIResponse(value.encoded()) == value)
  }

  @Test("Task Management Function Response")
  func taskManagement() {
    let golden = goldenHeader(
      """
      22 80 FF 00  // opcode 0x22; F; function rejected
      00 00 00 00
      00 00 00 00 00 00 00 00
      A1 A2 A3 A4  // Initiator Task Tag
      00 00 00 00
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let value = TaskManagementFunctionResponse(
      response: .functionRejected, initiatorTaskTag: task, numbers: numbers)
    #expect(value.encoded().hex == golden.hex)
    #expect(TaskManagementFunctionResponse(golden) == value)
  }

  @Test("RFC 7144: the additional response information and the status qualifier have their places")
  func extended() {
    let golden = goldenHeader(
      """
      22 80 07 00  // opcode 0x22; F; function succeeded
      00 00 00 00
      26 29 03 00 00 00 00 00  // two conditions or more, UNIT ATTENTION, 29/03
      A1 A2 A3 A4  // Initiator Task Tag
      00 00 00 00
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let value = TaskManagementFunctionResponse(
      response: .functionSucceeded,
      information: AsynchronousEventInformation(
        senseKey: 6, additionalSenseCode: 0x29, additionalSenseCodeQualifier: 3, depth: .several),
      initiatorTaskTag: task, numbers: numbers)
    #expect(value.encoded().hex == golden.hex)
    #expect(TaskManagementFunctionResponse(golden) == value)
    let full = SCSIResponse(
      status: 0x28, statusQualifier: 0x0102, initiatorTaskTag: task, numbers: numbers)
    #expect((8...11).map { full.encoded().bytes[$0] } == [1, 2, 0, 0])
    #expect(SCSIResponse(full.encoded()) == full)
  }

  @Test("Text Response")
  func text() {
    let golden = goldenHeader(
      """
      24 40 00 00  // opcode 0x24; C
      00 00 20 00  // 8,192 bytes of text
      00 00 00 00 00 00 00 00
      A1 A2 A3 A4  // Initiator Task Tag
      B1 B2 B3 B4  // Target Transfer Tag
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 00 00 00 00 00 00 00 00 00
      """)
    let value = TextResponse(
      isFinal: false, continues: true, initiatorTaskTag: task, targetTransferTag: transfer,
      numbers: numbers, dataSegmentLength: 8192)
    #expect(value.encoded().hex == golden.hex)
    #expect(TextResponse(golden) == value)
  }

  @Test("SCSI Data-In without status carries no StatSN")
  func dataIn() {
    let golden = goldenHeader(
      """
      25 80 00 00  // opcode 0x25; F
      00 FF FF FF  // the longest data segment
      00 00 00 00 00 00 00 00
      A1 A2 A3 A4  // Initiator Task Tag
      FF FF FF FF  // Target Transfer Tag
      00 00 00 00 11 12 13 14 21 22 23 24  // StatSN reserved, ExpCmdSN, MaxCmdSN
      00 00 00 07  // DataSN
      00 04 00 00  // Buffer Offset
      00 00 00 00
      """)
    var value = DataIn(
      isFinal: true, initiatorTaskTag: task, numbers: numbers, dataSN: SerialNumber(7),
      bufferOffset: 0x40000, dataSegmentLength: 0xFF_FFFF)
    #expect(value.encoded().hex == golden.hex)
    value.numbers.statSN = SerialNumber(0)
    #expect(DataIn(golden) == value)
  }

  @Test("SCSI Data-In with status and underflow, asking for acknowledgement")
  func dataInWithStatus() {
    let golden = goldenHeader(
      """
      25 C3 00 00  // opcode 0x25; F, A, U, S; GOOD
      00 00 01 00  // 256 bytes
      00 01 00 00 00 00 00 00  // LUN 1
      A1 A2 A3 A4  // Initiator Task Tag
      B1 B2 B3 B4  // Target Transfer Tag
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 00  // DataSN
      00 00 00 00  // Buffer Offset
      00 00 01 00  // Residual Count
      """)
    let value = DataIn(
      isFinal: true, wantsAcknowledgement: true,
      status: DataIn.Status(status: 0, residual: .underflow(256)), lun: 0x0001_0000_0000_0000,
      initiatorTaskTag: task, targetTransferTag: transfer, numbers: numbers,
      dataSN: SerialNumber(0), bufferOffset: 0, dataSegmentLength: 256)
    #expect(value.encoded().hex == golden.hex)
    #expect(DataIn(golden) == value)
  }

  @Test("Logout Response")
  func logout() {
    let golden = goldenHeader(
      """
      26 80 01 00  // opcode 0x26; F; CID not found
      00 00 00 00
      00 00 00 00 00 00 00 00
      A1 A2 A3 A4  // Initiator Task Tag
      00 00 00 00
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 00
      00 02 00 14  // Time2Wait 2 s, Time2Retain 20 s
      00 00 00 00
      """)
    let value = LogoutResponse(
      response: .connectionNotFound, initiatorTaskTag: task, numbers: numbers,
      time2WaitSeconds: 2, time2RetainSeconds: 20)
    #expect(value.encoded().hex == golden.hex)
    #expect(LogoutResponse(golden) == value)
  }

  @Test("Ready To Transfer")
  func readyToTransfer() {
    let golden = goldenHeader(
      """
      31 80 00 00  // opcode 0x31; F
      00 00 00 00
      00 05 00 00 00 00 00 00  // LUN 5
      A1 A2 A3 A4  // Initiator Task Tag
      B1 B2 B3 B4  // Target Transfer Tag
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN (the next one), ExpCmdSN, MaxCmdSN
      00 00 00 03  // R2TSN
      00 0C 00 00  // Buffer Offset
      00 04 00 00  // Desired Data Transfer Length
      """)
    let value = ReadyToTransfer(
      lun: 0x0005_0000_0000_0000, initiatorTaskTag: task, targetTransferTag: transfer,
      numbers: numbers, r2tSN: SerialNumber(3), bufferOffset: 0xC0000,
      desiredDataTransferLength: 0x40000)
    #expect(value.encoded().hex == golden.hex)
    #expect(ReadyToTransfer(golden) == value)
  }

  @Test("Asynchronous Message")
  func asynchronousMessage() {
    let golden = goldenHeader(
      """
      32 80 00 00  // opcode 0x32; F
      00 00 00 00
      00 00 00 00 00 00 00 00
      FF FF FF FF
      00 00 00 00
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      02 00 00 01  // connection dropped, vendor code 0, Parameter1: CID 1
      00 02 00 14  // Parameter2: Time2Wait, Parameter3: Time2Retain
      00 00 00 00
      """)
    let value = AsynchronousMessage(
      event: .connectionDropped, numbers: numbers, parameter1: 1, parameter2: 2, parameter3: 20)
    #expect(value.encoded().hex == golden.hex)
    #expect(AsynchronousMessage(golden) == value)
  }

  @Test("Reject")
  func reject() {
    let golden = goldenHeader(
      """
      3F 80 04 00  // opcode 0x3F; F; protocol error
      00 00 00 30  // the 48 bytes refused
      00 00 00 00 00 00 00 00
      FF FF FF FF
      00 00 00 00
      01 02 03 04 11 12 13 14 21 22 23 24  // StatSN, ExpCmdSN, MaxCmdSN
      00 00 00 02  // DataSN
      00 00 00 00 00 00 00 00
      """)
    let value = Reject(reason: .protocolError, numbers: numbers, dataSN: SerialNumber(2))
    #expect(value.encoded().hex == golden.hex)
    #expect(Reject(golden) == value)
  }

  @Test("Every decoder takes any 48 bytes, and keeps what it says through another round")
  func anyBytes() {
    var generator = SplitMix64(seed: 48)
    for _ in 0..<2000 {
      var bytes = InlineArray<48, UInt8>(repeating: 0)
      for index in 0..<48 { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
      let header = BasicHeaderSegment(bytes: bytes)
      #expect(NopIn(NopIn(header).encoded()) == NopIn(header))
      #expect(SCSIResponse(SCSIResponse(header).encoded()) == SCSIResponse(header))
      #expect(TextResponse(TextResponse(header).encoded()) == TextResponse(header))
      #expect(ReadyToTransfer(ReadyToTransfer(header).encoded()) == ReadyToTransfer(header))
      #expect(LogoutResponse(LogoutResponse(header).encoded()) == LogoutResponse(header))
      #expect(
        AsynchronousMessage(AsynchronousMessage(header).encoded()) == AsynchronousMessage(header))
      #expect(Reject(Reject(header).encoded()) == Reject(header))
      #expect(DataIn(header).bufferOffset == ReadyToTransfer(header).bufferOffset)
    }
  }
}

@Suite("Residual")
struct ResidualTests {
  private func command(read: Bool, write: Bool, expected: UInt32) -> SCSICommandRequest {
    SCSICommandRequest(
      isRead: read, isWrite: write, initiatorTaskTag: task, expectedDataTransferLength: expected,
      cmdSN: SerialNumber(1), expStatSN: SerialNumber(1), cdb: InlineArray(repeating: 0))
  }

  @Test("T-EDTL-1: the residual follows length, direction and the R and W flags")
  func residuals() {
    let read = command(read: true, write: false, expected: 1000)
    #expect(Residual(of: read, transferLength: 1000, direction: .read) == .none)
    #expect(Residual(of: read, transferLength: 400, direction: .read) == .underflow(600))
    #expect(Residual(of: read, transferLength: 1512, direction: .read) == .overflow(512))
    #expect(Residual(of: read, transferLength: 0, direction: .none) == .underflow(1000))
    #expect(Residual(of: read, transferLength: 512, direction: .write) == .overflow(512))
    let write = command(read: false, write: true, expected: 1000)
    #expect(Residual(of: write, transferLength: 999, direction: .write) == .underflow(1))
    #expect(Residual(of: write, transferLength: 512, direction: .read) == .overflow(512))
    let neither = command(read: false, write: false, expected: 1000)
    #expect(Residual(of: neither, transferLength: 512, direction: .read) == .overflow(512))
  }

  @Test("A command that moves more than 4 GiB saturates the count")
  func saturation() {
    let residual = Residual(expected: 1, transferLength: 1 << 41)
    #expect(residual == .overflow(.max))
  }
}
