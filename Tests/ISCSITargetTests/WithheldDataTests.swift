import Bytes
import ISCSIModel
import Reactor
import SCSIModel
import TargetSimulation
import Testing

@testable import ISCSITarget

/// Data that an initiator owes comes at a least rate, or the connection ends and its memory is
/// free.
@Suite("Withheld data")
struct WithheldDataTests {
  private static func target(
    memoryBudgetBytes: Int = 96 << 20, diskBytes: UInt64 = 1 << 20, units: Int = 1
  ) throws -> SimulatedTarget {
    try SimulatedTarget(
      seed: 301, targets: [Example.open(units: units)], diskBytes: diskBytes,
      memoryBudgetBytes: memoryBudgetBytes)
  }

  @Test("A byte now and then, of an R2T's data or unsolicited, does not keep the memory of a write")
  func trickle() throws {
    for isSolicited in [true, false] {
      let target = try WithheldDataTests.target()
      let initiator = try ScriptedInitiator.loggedIn(
        target, keys: [("InitialR2T", isSolicited ? "Yes" : "No")])
      let tag = initiator.sendWrite(blocks: 64, isFinal: isSolicited)
      var transferTag = TargetTransferTag.reserved
      if isSolicited {
        transferTag =
          ReadyToTransfer(try #require(initiator.receive(.readyToTransfer)).header)
          .targetTransferTag
      }
      for number in UInt32(0)..<20 where !initiator.isClosed {
        if number < 14 { #expect(!initiator.isClosed, "half a minute is not over") }
        initiator.sendDataOut(
          tag, transferTag: transferTag, dataSN: number, offset: number, isFinal: false, [1])
        target.pass(milliseconds: 2000)
      }
      #expect(initiator.isClosed)
      #expect(try target.disk().writesLanded.isEmpty)
      #expect(target.isIdle(after: []))
    }
  }

  @Test("A small burst now and then of a large write does not keep its memory either")
  func smallBursts() throws {
    let target = try WithheldDataTests.target()
    let initiator = try ScriptedInitiator.loggedIn(
      target, keys: [("InitialR2T", "Yes"), ("MaxBurstLength", "512"), ("FirstBurstLength", "512")])
    let tag = initiator.sendWrite(blocks: 2000)
    let data = [UInt8](repeating: 1, count: 512)
    for _ in 0..<20 where !initiator.isClosed {
      let pdu = try #require(initiator.receive(.readyToTransfer))
      let request = ReadyToTransfer(pdu.header)
      initiator.sendDataOut(
        tag, transferTag: request.targetTransferTag, offset: request.bufferOffset, data)
      target.pass(milliseconds: 2000)
    }
    #expect(initiator.isClosed)
    #expect(target.isIdle(after: []))
  }

  @Test("A ping that arrives byte by byte does not keep its memory")
  func tricklingPing() throws {
    let target = try WithheldDataTests.target()
    let initiator = try ScriptedInitiator.loggedIn(target)
    let ping = initiator.nop(data: [UInt8](repeating: 1, count: 8192))
    initiator.send(ping.header, lyingLength: 8192)
    for _ in 0..<20 where !initiator.isClosed {
      initiator.peer.send([1])
      target.pass(milliseconds: 2000)
    }
    #expect(initiator.isClosed)
    #expect(target.isIdle(after: []))
  }

  @Test("One write without its data ends the connection, however well others go")
  func passedOver() throws {
    let target = try WithheldDataTests.target()
    let initiator = try ScriptedInitiator.loggedIn(target, keys: [("InitialR2T", "Yes")])
    initiator.sendWrite(blocks: 64)
    let data = Example.pattern(4096)
    for _ in 0..<60 where !initiator.isClosed {
      _ = initiator.write(128, data)
      target.pass(milliseconds: 1000)
    }
    #expect(initiator.isClosed)
    #expect(target.isIdle(after: []))
  }

  @Test(
    "A slow link with the largest bursts and all R2Ts open is served, in whatever order it sends")
  func slowLink() throws {
    for isInterleaved in [false, true] {
      let target = try WithheldDataTests.target(diskBytes: 16 << 20)
      let initiator = try ScriptedInitiator.loggedIn(
        target,
        keys: [("InitialR2T", "Yes"), ("MaxBurstLength", "1048576"), ("MaxOutstandingR2T", "8")])
      let count = 8 << 20
      let tags = [0, 1].map { initiator.sendWrite(blocks: 16_384, at: $0 * 16_384) }
      var requests: [InitiatorTaskTag: [ReadyToTransfer]] = [:]
      for _ in 0..<16 {
        let pdu = try #require(initiator.receive(.readyToTransfer))
        requests[pdu.header.initiatorTaskTag, default: []].append(ReadyToTransfer(pdu.header))
      }
      let segment = 32 << 10
      let data = [UInt8](repeating: 0x5A, count: segment)
      let starts = stride(from: 0, to: count, by: segment)
      let order =
        isInterleaved
        ? starts.flatMap { start in tags.map { ($0, start) } }
        : tags.flatMap { tag in starts.map { (tag, $0) } }
      for (tag, start) in order where !initiator.isClosed {
        let request = try #require(requests[tag]?[start >> 20])
        initiator.sendDataOut(
          tag, transferTag: request.targetTransferTag,
          dataSN: UInt32((start & (1 << 20 - 1)) / segment), offset: UInt32(start),
          isFinal: (start + segment) & (1 << 20 - 1) == 0, data)
        // 20 KiB/s.
        target.pass(milliseconds: 1600)
      }
      for tag in tags { #expect(initiator.finish(tag)?.status == 0) }
      #expect(target.isIdle(after: [initiator]))
    }
  }

  @Test("A segment that takes longer than half a minute has its time while it comes, and no more")
  func longSegment() throws {
    for stops in [false, true] {
      var definition = Example.open()
      definition.negotiation.maxRecvDataSegmentLength = 1 << 20
      let target = try SimulatedTarget(seed: 302, targets: [definition], diskBytes: 1 << 20)
      let initiator = try ScriptedInitiator.loggedIn(
        target, keys: [("InitialR2T", "Yes"), ("MaxBurstLength", "1048576")])
      let tag = initiator.sendWrite(blocks: 2048)
      let request = ReadyToTransfer(try #require(initiator.receive(.readyToTransfer)).header)
      try #require(request.desiredDataTransferLength == 1 << 20)
      let pdu = initiator.dataOut(
        tag, transferTag: request.targetTransferTag, [UInt8](repeating: 0x5A, count: 1 << 20))
      let piece = 20 << 10
      for start in stride(from: 0, to: pdu.count, by: piece) where !initiator.isClosed {
        // It is not silent, which would be another reason.
        let isComing = !stops || start < 10 * piece
        let bytes = pdu[start..<min(start + (isComing ? piece : 1), pdu.count)]
        initiator.peer.send(Array(bytes))
        target.pass(milliseconds: 1000)
        if start < 30 * piece { #expect(!initiator.isClosed) }
      }
      #expect(initiator.isClosed == stops)
      if !stops { #expect(initiator.finish(tag)?.status == 0) }
      #expect(target.isIdle(after: stops ? [] : [initiator]))
    }
  }

  @Test("Short writes over a link of long delay are served, although one of them always waits")
  func longDelay() throws {
    let target = try WithheldDataTests.target()
    let initiator = try ScriptedInitiator.loggedIn(target, keys: [("InitialR2T", "Yes")])
    let data = [UInt8](repeating: 1, count: 512)
    var waiting = initiator.sendWrite(blocks: 1)
    for _ in 0..<150 where !initiator.isClosed {
      target.pass(milliseconds: 300)
      let next = initiator.sendWrite(blocks: 1)
      target.pass(milliseconds: 100)
      guard initiator.finish(waiting, source: data)?.status == 0 else { break }
      waiting = next
    }
    #expect(initiator.finish(waiting, source: data)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Ten sessions of one initiator hold no more than one may; others and a fence are served")
  func account() throws {
    let budget = 16 << 20
    // Three units, or the share of the one would be met first.
    let target = try WithheldDataTests.target(memoryBudgetBytes: budget, units: 3)
    let other = try ScriptedInitiator.loggedIn(target, number: 2)
    let greedy = try (1...10).map { number in
      let initiator = ScriptedInitiator(target)
      initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0000 + UInt64(number))
      try #require(initiator.login(to: Example.name) == 0)
      for lun in 0..<3 { initiator.clearUnitAttention(lun: UInt64(lun) << 48) }
      return initiator
    }
    let idle = target.reactors[0].buffers.lentBytes
    var tags: [[InitiatorTaskTag]] = []
    for initiator in greedy {
      tags.append((0..<20).map { initiator.sendWrite(blocks: 128, lun: UInt64($0 % 3) << 48) })
    }
    target.pass(milliseconds: 100)
    #expect(target.reactors[0].buffers.lentBytes - idle == budget / 2)
    let busy = greedy.reduce(0) { sum, initiator in
      sum + initiator.inbox.count { $0.header.opcode == .scsiResponse }
    }
    #expect(busy == 200 - 128)
    #expect(greedy[9].write(0, Example.pattern(512))?.status == 8)
    #expect(greedy[9].read(0, 8)?.status == 8)
    #expect(greedy[9].command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(greedy[9].reserve(.register, key: 0, new: 9) == 0)
    #expect(other.write(0, Example.pattern(65_536))?.status == 0)
    // What comes is not withheld any more.
    for (initiator, tags) in zip(greedy, tags) {
      for tag in tags {
        let status = initiator.finish(tag, source: Example.pattern(65_536))?.status
        #expect(status == 0 || status == 8)
      }
    }
    #expect(greedy[9].write(0, Example.pattern(65_536))?.status == 0)
    #expect(target.isIdle(after: greedy + [other]))
  }
}

extension ScriptedInitiator {
  /// The bytes of a Data-Out that is all of a burst from offset 0.
  fileprivate func dataOut(
    _ tag: InitiatorTaskTag, transferTag: TargetTransferTag, _ data: [UInt8]
  ) -> [UInt8] {
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = true
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(transferTag.rawValue, at: 20)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    return encode(header, [], data)
  }
}

@Suite("Data due")
struct DataDueTests {
  private static func time(_ seconds: UInt64) -> MonotonicTime {
    MonotonicTime(rawValue: (1000 + seconds) * 1_000_000_000)
  }

  /// One that some command has begun to collect, at 0.
  private static func collecting() -> DataDue {
    var due = DataDue()
    due.restart(at: time(0))
    due.collects(1)
    return due
  }

  @Test("A command that was not asked for its data owes none; asked, it is behind from then on")
  func notAsked() {
    var due = DataDueTests.collecting()
    #expect(due.behind(at: DataDueTests.time(100)) == .seconds(0))
    due.opened(1, at: DataDueTests.time(100))
    #expect(due.behind(at: DataDueTests.time(107)) == .seconds(7))
  }

  @Test(
    "What is asked for while nothing is owed does not forgive, while the command still collects")
  func notForgiven() {
    var due = DataDueTests.collecting()
    due.opened(1, at: DataDueTests.time(0))
    due.opened(-1, at: DataDueTests.time(20))
    due.opened(1, at: DataDueTests.time(25))
    #expect(due.behind(at: DataDueTests.time(26)) == .seconds(21))
    due.opened(-1, at: DataDueTests.time(26))
    due.collects(-1)
    due.collects(1)
    due.opened(1, at: DataDueTests.time(27))
    #expect(due.behind(at: DataDueTests.time(28)) == .seconds(1))
  }

  @Test("Data pays at the least rate, and nothing in advance")
  func pays() {
    var due = DataDueTests.collecting()
    due.opened(2, at: DataDueTests.time(0))
    due.came(Int(4 * DataDue.leastBytesPerSecond), at: DataDueTests.time(10))
    #expect(due.behind(at: DataDueTests.time(10)) == .seconds(6))
    due.opened(-1, at: DataDueTests.time(10))
    due.came(1 << 30, at: DataDueTests.time(10))
    #expect(due.behind(at: DataDueTests.time(13)) == .seconds(3))
    due.opened(-1, at: DataDueTests.time(13))
    due.came(Int(2 * DataDue.leastBytesPerSecond), at: DataDueTests.time(13))
    due.opened(1, at: DataDueTests.time(20))
    #expect(due.behind(at: DataDueTests.time(20)) == .seconds(1))
  }

  @Test("A PDU is behind by what the least rate would have brought more of it, and earns nothing")
  func arrival() {
    var due = DataDueTests.collecting()
    due.opened(1, at: DataDueTests.time(0))
    due.arrivalBegan(at: DataDueTests.time(0))
    let rate = Int(DataDue.leastBytesPerSecond)
    due.arrived(4 * rate, isOwed: true, at: DataDueTests.time(10))
    #expect(due.arrivalBehind(at: DataDueTests.time(10)) == .seconds(6))
    due.arrived(50 * rate, isOwed: true, at: DataDueTests.time(40))
    #expect(due.arrivalBehind(at: DataDueTests.time(42)) == .seconds(2))
    #expect(due.behind(at: DataDueTests.time(42)) == .seconds(2))
    // Data that nobody has asked for pays no debt.
    due.arrivalBegan(at: DataDueTests.time(44))
    due.arrived(9 * rate, isOwed: false, at: DataDueTests.time(45))
    #expect(due.arrivalBehind(at: DataDueTests.time(46)) == .seconds(1))
    #expect(due.behind(at: DataDueTests.time(46)) == .seconds(6))
  }

  @Test("A reactor that was held up blames nobody")
  func heldUp() {
    var due = DataDueTests.collecting()
    due.opened(1, at: DataDueTests.time(0))
    let looks = [5, 60].map { due.look(at: DataDueTests.time($0)) }
    #expect(looks == [true, false])
    #expect(due.behind(at: DataDueTests.time(61)) == .seconds(1))
  }
}
