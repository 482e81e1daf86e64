import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// What two sides agree on, and how the initiator uses it.
struct TransferMix: CustomStringConvertible, Sendable {
  var initialR2T = false
  var immediateData = true
  var firstBurst = 262_144
  var maxBurst = 1 << 20
  /// What the target takes in one PDU.
  var segment = 262_144
  /// What the initiator takes in one PDU.
  var initiatorSegment = 262_144
  var outstanding = 8
  /// Bytes the initiator sends with the command and after it, unasked.
  var immediate = 0
  var unsolicited = 0

  var description: String {
    "R2T \(initialR2T) immediate \(immediateData)/\(immediate)+\(unsolicited) first \(firstBurst) "
      + "max \(maxBurst) segments \(segment)/\(initiatorSegment) outstanding \(outstanding)"
  }

  var keys: [(String, String)] {
    [
      ("InitialR2T", initialR2T ? "Yes" : "No"), ("ImmediateData", immediateData ? "Yes" : "No"),
      ("FirstBurstLength", "\(firstBurst)"), ("MaxBurstLength", "\(maxBurst)"),
      ("MaxOutstandingR2T", "\(outstanding)"),
    ]
  }

  /// A target that declares `segment`, and a session with these keys.
  func session() throws -> (SimulatedTarget, ScriptedInitiator) {
    var definition = Example.open()
    definition.negotiation.maxRecvDataSegmentLength = segment
    let target = try SimulatedTarget(seed: 11, targets: [definition], diskBytes: 4 << 20)
    let initiator = ScriptedInitiator(target)
    try #require(initiator.login(to: Example.name, keys, segment: initiatorSegment) == 0)
    initiator.clearUnitAttention()
    return (target, initiator)
  }

  static let all: [TransferMix] = [
    // 512-byte bursts: every block a sequence of its own.
    TransferMix(firstBurst: 512, maxBurst: 512, immediate: 512),
    TransferMix(firstBurst: 512, maxBurst: 512, outstanding: 1),
    TransferMix(firstBurst: 512, maxBurst: 512, initiatorSegment: 512, outstanding: 3),
    TransferMix(firstBurst: 512, maxBurst: 512, unsolicited: 512),
    TransferMix(
      firstBurst: 512, maxBurst: 512, segment: 512, initiatorSegment: 512, immediate: 100,
      unsolicited: 412),
    // Segments that do not divide bursts.
    TransferMix(firstBurst: 4096, maxBurst: 8192, segment: 1000, initiatorSegment: 1000),
    TransferMix(
      firstBurst: 4096, maxBurst: 8192, segment: 1000, initiatorSegment: 777, outstanding: 2,
      immediate: 1000, unsolicited: 3096),
    TransferMix(
      firstBurst: 5001, maxBurst: 10_001, segment: 3001, immediate: 3001, unsolicited: 2000),
    TransferMix(firstBurst: 65_536, maxBurst: 65_536, segment: 4096, immediate: 4096),
    TransferMix(firstBurst: 65_536, maxBurst: 262_144, unsolicited: 65_536),
    TransferMix(firstBurst: 65_536, maxBurst: 65_536, immediate: 10, unsolicited: 100),
    // All that InitialR2T and ImmediateData say.
    TransferMix(initialR2T: true, immediateData: true, maxBurst: 4096, immediate: 2048),
    TransferMix(initialR2T: true, immediateData: false, maxBurst: 4096, outstanding: 1),
    TransferMix(initialR2T: true, immediateData: false),
    TransferMix(initialR2T: false, immediateData: false, maxBurst: 16_384, unsolicited: 8192),
    TransferMix(initialR2T: false, immediateData: false, unsolicited: 100_000),
    // The whole command unasked.
    TransferMix(unsolicited: 60 * 512),
    TransferMix(immediate: 60 * 512),
    TransferMix(immediate: 512, unsolicited: 59 * 512),
    TransferMix(),
  ]
}

@Suite("Data transfer")
struct DataTransferTests {
  @Test("Writes and reads come through whatever is agreed", arguments: TransferMix.all)
  func mix(mix: TransferMix) throws {
    let (target, initiator) = try mix.session()
    for (index, blocks) in [60, 1, 7, 61].enumerated() {
      let data = Example.pattern(blocks * 512, seed: UInt64(index))
      var style = WriteStyle(segment: mix.segment)
      style.immediate = min(mix.immediate, data.count)
      style.unsolicited = min(mix.unsolicited, data.count - style.immediate)
      let block = UInt64(index * 100)
      let tag = initiator.startWrite(block, data, style: style)
      let (status, requests) = initiator.completeWrite(tag, data, segment: mix.segment)
      #expect(status == 0)
      DataTransferTests.check(
        requests, from: style.immediate + style.unsolicited, to: data.count, mix)
      let landed = try target.disk().visibleBytes(block * 512..<block * 512 + UInt64(data.count))
      let isSame = landed == data
      #expect(isSame)
      #expect(reads(data, at: block, initiator))
    }
    #expect(target.isIdle(after: [initiator]))
  }

  /// R2Ts ask for everything once, in order, at most MaxBurstLength each, numbered from 0, with
  /// tags of their own.
  static func check(
    _ requests: [ReadyToTransfer], from start: Int, to end: Int, _ mix: TransferMix
  ) {
    var offset = start
    for (index, request) in requests.enumerated() {
      #expect(Int(request.bufferOffset) == offset)
      #expect(request.r2tSN.rawValue == UInt32(index))
      #expect(request.desiredDataTransferLength <= UInt32(mix.maxBurst))
      offset += Int(request.desiredDataTransferLength)
    }
    #expect(offset == max(start, end))
    #expect(Set(requests.map(\.targetTransferTag)).count == requests.count)
  }

  @Test("As many R2Ts as agreed are outstanding, and no more", arguments: [1, 2, 3, 8])
  func outstanding(limit: Int) throws {
    let mix = TransferMix(maxBurst: 4096, outstanding: limit)
    let (target, initiator) = try mix.session()
    let data = Example.pattern(20 * 4096)
    let tag = initiator.startWrite(0, data)
    target.pass(milliseconds: 100)
    let waiting = initiator.inbox.filter { $0.header.opcode == .readyToTransfer }
    #expect(waiting.count == limit)
    // One answered, one more asked for.
    let first = ReadyToTransfer(try #require(initiator.receive(.readyToTransfer)).header)
    initiator.sendDataOut(
      tag, transferTag: first.targetTransferTag, offset: 0, Array(data[0..<4096]))
    target.pass(milliseconds: 100)
    #expect(initiator.inbox.filter { $0.header.opcode == .readyToTransfer }.count == limit)
    #expect(initiator.completeWrite(tag, data).outcome == 0)
    #expect(reads(data, at: 0, initiator))
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Writes whose data arrives interleaved do not mix")
  func interleaved() throws {
    let (target, initiator) = try TransferMix(maxBurst: 4096, outstanding: 1).session()
    let writes = (0..<16).map { Example.pattern(16 * 512, seed: UInt64($0)) }
    let tags = writes.enumerated().map { initiator.startWrite(UInt64($0 * 16), $1) }
    var ended = 0
    while ended < 16, let pdu = initiator.receive() {
      let tag = pdu.header.initiatorTaskTag
      guard let index = tags.firstIndex(of: tag) else { continue }
      if pdu.header.opcode == .scsiResponse {
        #expect(SCSIResponse(pdu.header).status == 0)
        ended += 1
        continue
      }
      let request = ReadyToTransfer(pdu.header)
      let start = Int(request.bufferOffset)
      initiator.sendBurst(
        tag, transferTag: request.targetTransferTag, writes[index], from: start,
        to: start + Int(request.desiredDataTransferLength), segment: 1024)
    }
    #expect(ended == 16)
    #expect(reads(writes.flatMap(\.self), at: 0, initiator))
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Data-In counts DataSN, ends each burst with F, and carries the status in its last PDU")
  func dataIn() throws {
    let (target, initiator) = try TransferMix(maxBurst: 4096, initiatorSegment: 1024).session()
    let data = Example.pattern(10 * 1024)
    try target.disk().fill(data, at: 0)
    let before = initiator.expStatSN
    let tag = initiator.sendCommand(
      ScriptedInitiator.read16(0, 20), expected: 10 * 1024, isRead: true)
    let pdus = initiator.pdus(of: tag).map { DataIn($0.header) }
    #expect(pdus.count == 10)
    #expect(pdus.map(\.dataSN.rawValue) == Array(0..<10))
    #expect(pdus.map(\.bufferOffset) == (0..<10).map { $0 * 1024 })
    #expect(pdus.map(\.isFinal) == (0..<10).map { $0 == 3 || $0 == 7 || $0 == 9 })
    #expect(pdus.map { $0.status != nil } == (0..<10).map { $0 == 9 })
    #expect(pdus.last?.numbers.statSN == before)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A read that fails answers with sense data in a response of its own, and no data")
  func failedRead() throws {
    let (target, initiator) = try Example.session()
    try target.disk().inject(DiskFault(.failure(.inputOutput), on: .read))
    let tag = initiator.sendCommand(ScriptedInitiator.read16(0, 8), expected: 4096, isRead: true)
    let pdus = initiator.pdus(of: tag)
    #expect(pdus.map(\.header.opcode) == [.scsiResponse])
    let response = SCSIResponse(try #require(pdus.first).header)
    #expect(response.status == 2)
    #expect(response.residual == .underflow(4096))
    // SenseLength, then fixed format: 70h, key MEDIUM ERROR, 11/00.
    let data = try #require(pdus.first?.data)
    #expect(Int(data[0]) << 8 | Int(data[1]) == data.count - 2)
    #expect(data[2] & 0x7F == 0x70 && data[4] & 0x0F == 3 && data[14] == 0x11)
    #expect(target.isIdle(after: [initiator]))
  }

  // MARK: Residuals (RFC 7143 §11.4.5)

  @Test("A read of less than expected underflows; of more, overflows and is cut")
  func readResiduals() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(4096)
    try target.disk().fill(data, at: 0)
    let under = initiator.command(ScriptedInitiator.read16(0, 4), expected: 4096)
    #expect(under?.status == 0)
    #expect(under?.residual == .underflow(2048))
    var isSame = under?.data == Array(data[0..<2048])
    #expect(isSame)
    let over = initiator.command(ScriptedInitiator.read16(0, 8), expected: 1000)
    #expect(over?.status == 0)
    #expect(over?.residual == .overflow(3096))
    isSame = over?.data == Array(data[0..<1000])
    #expect(isSame)
    let nothing = initiator.finish(
      initiator.sendCommand(ScriptedInitiator.read16(0, 8), expected: 0, isRead: true))
    #expect(nothing?.status == 0)
    #expect(nothing?.residual == .overflow(4096))
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A write with more data than it needs underflows and asks for what it needs only")
  func writeUnderflow() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(4096)
    let tag = initiator.sendCommand(
      ScriptedInitiator.write16(0, 4), expected: 4096, isWrite: true)
    let request = ReadyToTransfer(try #require(initiator.receive(.readyToTransfer)).header)
    #expect(request.desiredDataTransferLength == 2048)
    initiator.sendDataOut(
      tag, transferTag: request.targetTransferTag, offset: 0, Array(data[0..<2048]))
    let outcome = initiator.finish(tag)
    #expect(outcome?.status == 0)
    #expect(outcome?.residual == .underflow(2048))
    // All of it unasked: the rest is thrown away.
    let unasked = initiator.sendCommand(
      ScriptedInitiator.write16(0, 4), expected: 4096, isWrite: true, immediateData: data)
    #expect(initiator.finish(unasked)?.residual == .underflow(2048))
    let landed = try target.disk().visibleBytes(0..<4096)
    let isSame = landed == Array(data[0..<2048]) + [UInt8](repeating: 0, count: 2048)
    #expect(isSame)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "A write that fails has moved the data that came for it; one that is refused has moved none")
  func failedWriteResiduals() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(4096)
    // What its CDB names, less than was expected, and more.
    for (expected, residual) in [
      (4096, Residual.none), (6144, .underflow(2048)),
      (1024, .overflow(3072)),
    ] {
      try target.disk().inject(DiskFault(.failure(.inputOutput), on: .write))
      let tag = initiator.sendCommand(
        ScriptedInitiator.write16(0, 8), expected: UInt32(expected), isWrite: true)
      let outcome = initiator.finish(tag, source: data)
      #expect(outcome?.status == 2 && outcome?.sense == 0x030C00)
      #expect(outcome?.residual == residual)
    }
    let refused = initiator.command(
      ScriptedInitiator.write16(1 << 40, 8), writing: data, immediate: 512)
    #expect(refused?.sense == 0x052100 && refused?.residual == .underflow(4096))
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A write with less data than it needs overflows and writes the whole blocks there are")
  func writeOverflow() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(1100)
    let tag = initiator.sendCommand(
      ScriptedInitiator.write16(0, 8), expected: 1100, isWrite: true, immediateData: data)
    let outcome = initiator.finish(tag)
    #expect(outcome?.status == 0)
    #expect(outcome?.residual == .overflow(2996))
    let landed = try target.disk().visibleBytes(0..<4096)
    let isSame = landed == Array(data[0..<1024]) + [UInt8](repeating: 0, count: 3072)
    #expect(isSame)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A write to a LUN that is not there takes its data and answers LUN NOT SUPPORTED")
  func writeToNoUnit() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(4096)
    for style in [
      WriteStyle(), WriteStyle(immediate: 4096), WriteStyle(immediate: 512, unsolicited: 3584),
    ] {
      let tag = initiator.startWrite(0, data, style: style, lun: 9 << 48)
      let outcome = initiator.finish(tag)
      #expect(outcome?.status == 2)
      #expect(outcome?.sense == 0x05_25_00)
    }
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A write past the last block answers without asking for data, and writes nothing")
  func writePastTheEnd() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(4096)
    for style in [WriteStyle(), WriteStyle(immediate: 4096), WriteStyle(unsolicited: 4096)] {
      let tag = initiator.startWrite(2045, data, style: style)
      let outcome = initiator.finish(tag)
      #expect(outcome?.status == 2)
      #expect(outcome?.sense == 0x05_21_00)
    }
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test(
    "Data drips in and out in random pieces with short sends, and stays whole", arguments: 1...6)
  func fragmented(seed: UInt64) throws {
    var options = ConnectionOptions()
    options.toTarget = .random(upTo: 3000)
    options.toPeer = .random(upTo: 700)
    options.shortensSends = true
    options.bufferBytes = 4096
    let target = try SimulatedTarget(seed: seed, targets: [Example.open()])
    let initiator = try ScriptedInitiator.loggedIn(
      target, keys: [("HeaderDigest", "CRC32C"), ("DataDigest", "CRC32C")], options: options)
    for round in 0..<4 {
      let data = Example.pattern(200 * 512 + round * 512, seed: seed)
      #expect(initiator.write(UInt64(round * 300), data, immediate: 700)?.status == 0)
      #expect(reads(data, at: UInt64(round * 300), initiator))
    }
    #expect(target.isIdle(after: [initiator]))
  }
}
