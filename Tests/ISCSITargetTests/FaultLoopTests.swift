import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// Every disk operation of a mixed scenario fails once, in every way.
@Suite("Disk faults")
struct FaultLoopTests {
  enum Kind: String, CaseIterable, Sendable {
    case inputOutput, noSpace, short, delay, reset, lost

    var effect: DiskFault.Effect {
      switch self {
      case .inputOutput: .failure(.inputOutput)
      case .noSpace: .failure(.noSpace)
      case .short: .shortCount(512)
      case .delay: .delay(Milliseconds(700))
      // The operation is slow, and meanwhile something happens to its session.
      case .reset, .lost: .delay(Milliseconds(700))
      }
    }

    /// Whether the command that meets it may fail.
    var mayFail: Bool { self == .inputOutput || self == .noSpace }
  }

  /// What the scenario's commands came to.
  struct Observation {
    var failures = 0
    var isWrong = false
  }

  /// WRITE in three styles, WRITE with FUA, WRITE SAME, UNMAP, SYNCHRONIZE CACHE and READ; after
  /// each write its blocks are compared with what its status says.
  static func scenario(
    _ initiator: ScriptedInitiator, _ disk: SimulatedDisk, _ seen: inout Observation
  ) {
    for (index, immediate) in [0, 512, 4096].enumerated() {
      let data = Example.pattern(4096, seed: UInt64(index))
      let outcome = initiator.write(UInt64(index) * 8, data, immediate: immediate)
      judge(outcome, &seen) { disk.visibleBytes(range(index)) == data }
    }
    let forced = Example.pattern(4096, seed: 9)
    let outcome = initiator.write(24, forced, immediate: 4096, flags: 0x08)
    judge(outcome, &seen) { disk.durableBytes(range(3)) == forced }
    // WRITE SAME(16) of 8 blocks, then with UNMAP.
    var same = ScriptedInitiator.cdb16(0x93, 32, 8)
    let block = Array(forced[0..<512])
    judge(initiator.command(same, writing: block, immediate: 512), &seen) {
      disk.visibleBytes(range(4)) == Array(repeating: block, count: 8).flatMap(\.self)
    }
    same[1] = 0x08
    let zeros = [UInt8](repeating: 0, count: 512)
    judge(initiator.command(same, writing: zeros, immediate: 512), &seen) {
      disk.visibleBytes(range(4)).allSatisfy { $0 == 0 }
    }
    judge(initiator.command(unmap, writing: unmapList, immediate: 24), &seen) { true }
    judge(initiator.command([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]), &seen) {
      disk.unsynchronizedBlockCount == 0
    }
    let reading = initiator.read(0, 64)
    judge(reading, &seen) { reading?.data == disk.visibleBytes(0..<32_768) }
  }

  private static func range(_ index: Int) -> Range<UInt64> {
    UInt64(index) * 4096..<UInt64(index + 1) * 4096
  }

  /// UNMAP of blocks 40 … 47.
  private static let unmap: [UInt8] = [0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0]
  private static let unmapList: [UInt8] =
    [0, 22, 0, 16, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 8, 0, 0, 0, 0]

  private static func judge(
    _ outcome: ScriptedInitiator.Outcome?, _ seen: inout Observation, _ holds: () -> Bool
  ) {
    guard let outcome else { return }
    if outcome.status == 0 {
      if !holds() { seen.isWrong = true }
    } else {
      seen.failures += 1
      if outcome.status != 2 || outcome.sense == 0 { seen.isWrong = true }
    }
  }

  @Test("GOOD is never said without the data, and nothing leaks", arguments: Kind.allCases)
  func everyOperation(kind: Kind) throws {
    var number = 0
    while number < 200 {
      let (target, initiator) = try Example.session(seed: UInt64(number + 1))
      let disk = try target.disk()
      let fault = disk.inject(DiskFault(kind.effect, skipping: number))
      var seen = Observation()
      if kind == .reset || kind == .lost {
        FaultLoopTests.interrupt(target, initiator, fault, by: kind)
      }
      FaultLoopTests.scenario(initiator, disk, &seen)
      #expect(!seen.isWrong, "\(kind), operation \(number)")
      if !kind.mayFail && kind != .reset && kind != .lost {
        #expect(seen.failures == 0, "\(kind), operation \(number)")
      }
      let isIdle = target.isIdle(after: [initiator])
      #expect(isIdle, "\(kind), operation \(number)")
      guard fault.hits > 0 else { break }
      number += 1
    }
    // The scenario has that many operations, or the loop tested nothing.
    #expect(number >= 9 && number < 200)
  }

  /// As soon as the fault hits, a LUN reset or a reset connection.
  private static func interrupt(
    _ target: SimulatedTarget, _ initiator: ScriptedInitiator, _ fault: InjectedFault,
    by kind: Kind
  ) {
    func look() {
      guard !initiator.isClosed, target.world.openSocketCount > 0 else { return }
      guard fault.hits > 0 else { return target.world.schedule(after: Milliseconds(1), look) }
      if kind == .lost {
        initiator.peer.reset()
      } else {
        initiator.sendManagement(.logicalUnitReset)
      }
    }
    look()
  }

  @Test(
    "Each failure has its own sense data",
    arguments: [
      (SystemError.inputOutput, UInt32(0x03_0C_00)), (.noSpace, Sense.spaceAllocationFailed),
    ])
  func writeFailures(error: SystemError, sense: UInt32) throws {
    let (target, initiator) = try Example.session()
    try target.disk().inject(DiskFault(.failure(error), on: .write))
    let outcome = initiator.write(0, Example.pattern(512))
    #expect(outcome?.status == 2)
    #expect(outcome?.sense == sense)
    #expect(initiator.write(0, Example.pattern(512))?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("After a failed flush no write and no flush says GOOD any more, and reads go on")
  func failedFlush() throws {
    let (target, initiator) = try Example.session()
    let data = Example.pattern(512)
    #expect(initiator.write(0, data)?.status == 0)
    try target.disk().inject(DiskFault(.failure(.inputOutput), on: .synchronize))
    let flush: [UInt8] = [0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    #expect(initiator.command(flush)?.status == 2)
    #expect(initiator.command(flush)?.status == 2)
    #expect(initiator.write(8, data)?.status == 2)
    #expect(initiator.read(0, 1)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }
}
