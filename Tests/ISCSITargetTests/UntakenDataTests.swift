import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

/// Memory that waits for an initiator to take what is in it, or to send what is to be echoed: all
/// sessions of one name have one share of it, and logins have theirs.
@Suite("Untaken data")
struct UntakenDataTests {
  private static let blocks: UInt32 = 128
  private static let readBytes = 65_536

  private static func target(memoryBudgetBytes: Int) throws -> SimulatedTarget {
    // Three units, or the share of the one would be met first.
    try SimulatedTarget(
      seed: 401, targets: [Example.open(units: 3)], diskBytes: 1 << 20,
      memoryBudgetBytes: memoryBudgetBytes)
  }

  /// Sessions of one name, over sockets that buffer next to nothing.
  private static func crowd(
    _ count: UInt64, node: UInt64 = 1, _ target: SimulatedTarget
  ) throws -> [ScriptedInitiator] {
    var options = ConnectionOptions()
    options.bufferBytes = 4096
    return try (0..<count).map { number in
      let initiator = ScriptedInitiator(target, options: options)
      initiator.initiatorName = "iqn.2026-11.com.example:node\(node)"
      initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_1000 + node << 8 + number)
      try #require(initiator.login(to: Example.name) == 0)
      for lun in 0..<3 { initiator.clearUnitAttention(lun: UInt64(lun) << 48) }
      return initiator
    }
  }

  /// Each of `crowd` sends `count` READs of 64 KiB to three units and reads no answer.
  private static func readBlindly(
    _ crowd: [ScriptedInitiator], _ count: Int
  ) -> [(ScriptedInitiator, [InitiatorTaskTag])] {
    crowd.map { initiator in
      initiator.peer.isReading = false
      let tags = (0..<count).map { number in
        initiator.sendCommand(
          ScriptedInitiator.read16(0, blocks), lun: UInt64(number % 3) << 48,
          expected: UInt32(readBytes), isRead: true)
      }
      return (initiator, tags)
    }
  }

  /// How many of the commands ended with GOOD, and with BUSY or TASK SET FULL, once they are read.
  private static func outcomes(
    _ commands: [(ScriptedInitiator, [InitiatorTaskTag])]
  ) -> (good: Int, busy: Int) {
    for (initiator, _) in commands { initiator.peer.isReading = true }
    var statuses: [UInt8: Int] = [:]
    for (initiator, tags) in commands {
      for tag in tags { statuses[initiator.finish(tag)?.status ?? 0xFF, default: 0] += 1 }
    }
    return (statuses[0] ?? 0, (statuses[8] ?? 0) + (statuses[0x28] ?? 0))
  }

  @Test("Sessions that read no answers hold no more than one may; others and a fence are served")
  func unreadAnswers() throws {
    let budget = 16 << 20
    let target = try Self.target(memoryBudgetBytes: budget)
    let buffers = target.reactors[0].buffers
    let other = try ScriptedInitiator.loggedIn(target, number: 2)
    let all = try Self.crowd(21, target)
    let crowd = Array(all[..<20])
    let calm = all[20]
    let idle = buffers.lentBytes
    let commands = Self.readBlindly(crowd, 20)
    target.pass(milliseconds: 1000)
    #expect(buffers.lentBytes - idle <= budget / 2)
    #expect(buffers.lentBytes - idle > budget / 2 - Self.readBytes)
    #expect(calm.read(0, 8)?.status == 8)
    #expect(calm.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(calm.reserve(.register, key: 0, new: 9) == 0)
    #expect(other.read(0, Self.blocks)?.status == 0)
    #expect(other.write(0, Example.pattern(Self.readBytes))?.status == 0)
    let late = ScriptedInitiator(target)
    late.initiatorName = "iqn.2026-11.com.example:node3"
    #expect(late.login(to: Example.name) == 0)
    let outcomes = Self.outcomes(commands)
    #expect(outcomes.good >= 128 && outcomes.good + outcomes.busy == 400)
    #expect(calm.read(0, 8)?.status == 0)
    #expect(target.isIdle(after: all + [other, late]))
  }

  @Test("Reads that end at once over the share are BUSY, and not what a disk that hangs still has")
  func suddenEnd() throws {
    let budget = 16 << 20
    let target = try Self.target(memoryBudgetBytes: budget)
    let buffers = target.reactors[0].buffers
    let crowd = try Self.crowd(6, target)
    let idle = buffers.lentBytes
    let hangs = try (0..<3).map {
      try target.disk("unit\($0)").inject(DiskFault(.hang, on: .read, count: nil))
    }
    let commands = Self.readBlindly(crowd, 30)
    target.pass(milliseconds: 100)
    #expect(buffers.lentBytes - idle > budget / 2)
    for hang in hangs { hang.release() }
    target.pass(milliseconds: 500)
    #expect(buffers.lentBytes - idle <= budget / 2)
    let outcomes = Self.outcomes(commands)
    #expect(outcomes.good >= 128 && outcomes.busy > 0)
    #expect(outcomes.good + outcomes.busy == 180)
    #expect(crowd[0].read(0, 8)?.status == 0)
    #expect(target.isIdle(after: crowd))
  }

  @Test("The data of a write goes back when it is written, though its status is not read")
  func unreadStatus() throws {
    let target = try Self.target(memoryBudgetBytes: 32 << 20)
    let buffers = target.reactors[0].buffers
    let crowd = try Self.crowd(1, target)
    let commands = Self.readBlindly(crowd, 20)
    target.pass(milliseconds: 200)
    let before = buffers.lentBytes
    let data = Example.pattern(Self.readBytes)
    let writes = (0..<16).map { _ in
      crowd[0].startWrite(0, data, style: WriteStyle(immediate: data.count))
    }
    target.pass(milliseconds: 500)
    #expect(try target.disk().writesLanded.count == 16)
    #expect(buffers.lentBytes == before)
    #expect(Self.outcomes(commands).good == 20)
    for tag in writes { #expect(crowd[0].finish(tag)?.status == 0) }
    #expect(target.isIdle(after: crowd))
  }

  // MARK: Pings

  /// A ping of the longest segment, of which only the beginning has been sent.
  private struct HalfPing {
    let initiator: ScriptedInitiator
    let tag: InitiatorTaskTag
    let bytes: [UInt8]
    static let data = Example.pattern(262_144, seed: 7)
    static let sentBytes = 1000

    init(_ initiator: ScriptedInitiator, isImmediate: Bool = true) {
      self.initiator = initiator
      tag = initiator.takeTag()
      bytes = initiator.encodedPing(tag: tag, isImmediate: isImmediate, data: HalfPing.data)
      initiator.peer.send(Array(bytes[..<HalfPing.sentBytes]))
    }

    var isRejected: Bool {
      initiator.inbox.contains {
        $0.header.opcode == .reject && Reject($0.header).reason == .tooManyImmediateCommands
      }
    }

    /// Whether its data comes back, once it is all there.
    func isEchoed() -> Bool {
      initiator.peer.send(Array(bytes[HalfPing.sentBytes...]))
      return initiator.receive { $0.header.initiatorTaskTag == tag }?.data == HalfPing.data
    }
  }

  @Test("Pings with data keep to the share of their initiator, and leave logins their memory")
  func pings() throws {
    let budget = 24 << 20
    let target = try Self.target(memoryBudgetBytes: budget)
    let buffers = target.reactors[0].buffers
    let other = try ScriptedInitiator.loggedIn(target, number: 3)
    let crowds = try [1, 2].map { try Self.crowd(60, node: $0, target) }
    let idle = buffers.lentBytes
    let first = crowds[0].map { HalfPing($0) }
    target.pass(milliseconds: 200)
    #expect(buffers.lentBytes - idle == budget / 2)
    #expect(first.count { $0.isRejected } == 60 - 48)
    let second = crowds[1].map { HalfPing($0) }
    target.pass(milliseconds: 200)
    #expect(buffers.lentBytes <= budget / 8 * 7)
    #expect(second.contains { $0.isRejected } && second.contains { !$0.isRejected })
    #expect(!crowds.joined().contains { $0.isClosed })
    let late = ScriptedInitiator(target)
    late.initiatorName = "iqn.2026-11.com.example:node4"
    #expect(late.login(to: Example.name) == 0)
    #expect(other.read(0, 8)?.status == 0)
    let accepted = try #require(first.first { !$0.isRejected })
    #expect(accepted.isEchoed())
    // What was rejected goes by, and may be sent again now.
    let rejected = try #require(first.first { $0.isRejected })
    rejected.initiator.peer.send(Array(rejected.bytes[HalfPing.sentBytes...]))
    #expect(HalfPing(rejected.initiator).isEchoed())
    #expect(target.isIdle(after: Array(crowds.joined()) + [other, late]))
  }

  @Test("A ping with a number for which there is no memory ends its connection, and no other")
  func numberedPing() throws {
    let budget = 16 << 20
    let target = try Self.target(memoryBudgetBytes: budget)
    let crowd = try Self.crowd(34, target)
    let pings = crowd[..<32].map { HalfPing($0) }
    target.pass(milliseconds: 100)
    #expect(!pings.contains { $0.isRejected })
    // Without data it needs no memory.
    #expect(crowd[32].isAnswered())
    _ = HalfPing(crowd[33], isImmediate: false)
    #expect(crowd[33].waitForClose(seconds: 1))
    #expect(!crowd[..<33].contains { $0.isClosed })
    #expect(pings[0].isEchoed())
    #expect(target.isIdle(after: crowd))
  }
}
