import Bytes
import ISCSIModel
import Reactor
import SCSIModel
import TargetSimulation
import Testing

@testable import ISCSITarget

/// The memory that is kept for fences is for those of all initiators.
@Suite("Shares of fences")
struct FenceShareTests {
  private static let register: [UInt8] = [0x5F, 0, 0, 0, 0, 0, 0, 0, 24, 0]

  private static func crowd(_ target: SimulatedTarget) throws -> [ScriptedInitiator] {
    try (1...10).map { number in
      let initiator = ScriptedInitiator(target)
      initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0000 + UInt64(number))
      try #require(initiator.login(to: Example.name, [("InitialR2T", "Yes")]) == 0)
      for lun in 0..<3 { initiator.clearUnitAttention(lun: UInt64(lun) << 48) }
      return initiator
    }
  }

  @Test("One name's fences without their data leave those of others, and logins, their memory")
  func withheld() throws {
    let budget = 16 << 20
    let target = try SimulatedTarget(
      seed: 402, targets: [Example.open(units: 3)], diskBytes: 1 << 20,
      memoryBudgetBytes: budget)
    let other = try ScriptedInitiator.loggedIn(target, number: 2)
    let crowd = try Self.crowd(target)
    let buffers = target.reactors[0].buffers
    var taken: [Buffer] = []
    for byteCount in [65_536, 4096] {
      while let buffer = buffers.allocateForCommand(byteCount, userBytes: 0) {
        taken.append(buffer)
      }
    }
    let before = buffers.lentBytes
    var tags: [(ScriptedInitiator, InitiatorTaskTag)] = []
    for initiator in crowd {
      for lun in 0..<3 {
        let tag = initiator.sendCommand(
          Self.register, lun: UInt64(lun) << 48, expected: 24, isWrite: true)
        tags.append((initiator, tag))
      }
    }
    target.pass(milliseconds: 100)
    #expect(buffers.lentBytes - before <= InitiatorAccount.fencesMax * 4096)
    let busy = tags.count { initiator, tag in
      initiator.inbox.contains {
        $0.header.opcode == .scsiResponse && $0.header.initiatorTaskTag == tag
      }
    }
    #expect(busy == tags.count - InitiatorAccount.fencesMax)
    #expect(other.reserve(.register, key: 0, new: 7) == 0)
    #expect(other.keys() == [7])
    let late = ScriptedInitiator(target)
    late.initiatorName = "iqn.2026-11.com.example:node4"
    #expect(late.login(to: Example.name) == 0)
    // What has come, or was refused, makes room for the next.
    for (initiator, tag) in tags {
      let status = initiator.finish(tag, source: [UInt8](repeating: 0, count: 24))?.status
      #expect(status == 0 || status == 8)
    }
    for initiator in crowd { #expect(initiator.reserve(.register, key: 0, new: 0) == 0) }
    for buffer in taken { buffers.release(buffer) }
    #expect(target.isIdle(after: crowd + [other, late]))
  }
}
