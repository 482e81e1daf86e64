import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Referrals")
struct ReferralTests {
  private static let ports =
    AsymmetricAccessTests.ports + [
      TargetPortIdentity(group: 9, relativePort: 9, name: "iqn.2026-01.example:t,t,0x0009")
    ]

  /// A nexus of group 3 to a unit of 100 blocks. Groups that are not named are optimized.
  private func makeBench(
    _ states: [UInt16: AsymmetricAccessState], servesReferrals: Bool = true,
    descriptorSense: Bool = false, hasProtocolLevel2: Bool = true
  ) -> Bench {
    var options = LogicalUnitOptions()
    options.servesReferrals = servesReferrals
    options.access = AsymmetricAccess(
      groups: states.mapValues { AsymmetricAccess.Group(state: $0) })
    let bench = Bench(
      TestStore(blockBytes: 512, blocks: 100), options: options, targetPorts: Self.ports,
      hasProtocolLevel2: hasProtocolLevel2)
    bench.unit.modes.usesDescriptorSense = descriptorSense
    return bench
  }

  private func refer(
    _ bench: Bench, _ lba: UInt64, flags: UInt8 = 0, length: UInt64 = 255
  ) -> Outcome {
    bench.run([0x9E, 0x13] + CDB.bytes(lba, 8) + CDB.bytes(length, 4) + [flags, 0])
  }

  /// The whole medium, and groups with their states.
  private func segment(_ groups: [(UInt8, UInt8)]) -> [UInt8] {
    [0, 0, 0, UInt8(groups.count)] + CDB.bytes(0, 8) + CDB.bytes(99, 8)
      + groups.flatMap { [$0.1, 0, 0, $0.0] as [UInt8] }
  }

  // MARK: REPORT REFERRALS

  @Test("REPORT REFERRALS names the whole medium, as pages 00, 86 and B3 promise")
  func report() {
    let bench = makeBench([3: .activeNonOptimized, 9: .transitioning])
    let data: [UInt8] = [0, 0, 0, 32] + segment([(3, 1), (8, 0), (9, 0xF)])
    for (lba, oneSegment) in [(0, 0), (0, 1), (99, 0), (99, 1)] as [(UInt64, UInt8)] {
      #expect(refer(bench, lba, flags: oneSegment).data == data)
    }
    for length in 0...40 {
      #expect(refer(bench, 7, length: UInt64(length)).data == Array(data.prefix(length)))
    }
    for lba in [100, 101, 1 << 32, 1 << 63, UInt64.max] {
      #expect(refer(bench, lba).summary == "05/21/00")
    }
    #expect(refer(bench, 0, flags: 2).sense == .invalidFieldInCDB(byte: 14, bit: 1))
    #expect(bench.store.log.isEmpty)
    #expect(bench.run([0x12, 1, 0x00, 0, 64, 0]).data.contains(0xB3))
    #expect(bench.run([0x12, 1, 0x86, 0, 64, 0]).data[8] & 0x10 == 0x10)
    #expect(
      bench.run([0x12, 1, 0xB3, 0, 64, 0]).data
        == [0, 0xB3, 0, 12] + [UInt8](repeating: 0, count: 12))
  }

  @Test("Groups that do not serve the blocks are not named, and tell nothing of the others")
  func standbyGroups() {
    let bench = makeBench([8: .standby, 9: .unavailable])
    #expect(refer(bench, 0).data == [0, 0, 0, 24] + segment([(3, 0)]))
    #expect(refer(makeBench([3: .standby]), 0).summary == "02/04/0B")
  }

  @Test("A unit that does not serve referrals has neither the command, nor the page, nor R_SUP")
  func notServed() {
    let bench = makeBench([3: .activeNonOptimized], servesReferrals: false, descriptorSense: true)
    #expect(refer(bench, 0).sense == .invalidFieldInCDB(byte: 1, bit: 4))
    #expect(bench.run([0x12, 1, 0xB3, 0, 64, 0]).sense == .invalidFieldInCDB(byte: 2, bit: 7))
    #expect(!bench.run([0x12, 1, 0x00, 0, 64, 0]).data.dropFirst(4).contains(0xB3))
    #expect(bench.run([0x12, 1, 0x86, 0, 64, 0]).data[8] & 0x10 == 0)
    func supported(_ action: UInt8) -> UInt8 {
      bench.run([0xA3, 12, 2, 0x9E, 0, action, 0, 0, 0, 64, 0, 0]).data[1] & 7
    }
    #expect(supported(0x10) == 3 && supported(0x13) == 1)
    let read = bench.run(CDB.ten(0x28, 0, 1))
    #expect(read.summary == "good" && read.encodedSense.isEmpty)
  }

  // MARK: Sense data

  private static func sense(_ key: UInt8, _ segment: [UInt8]) -> [UInt8] {
    [0x72, key, 0x3F, 0x15, 0, 0, 0, UInt8(4 + segment.count)]
      + [0x0B, UInt8(2 + segment.count), 0, 0] + segment
  }

  @Test(
    "With D_SENSE, blocks behind a group that does not serve them are referred to one that does",
    arguments: [AsymmetricAccessState.standby, .unavailable])
  func necessary(state: AsymmetricAccessState) {
    let own = state == .standby ? "02/04/0B" : "02/04/0C"
    let bench = makeBench([3: state, 8: .activeNonOptimized, 9: .standby], descriptorSense: true)
    let block = [UInt8](repeating: 1, count: 512)
    for outcome in [
      bench.run(CDB.ten(0x28, 0, 1)), bench.run(CDB.ten(0x2A, 0, 1), out: block),
      bench.run(CDB.ten(0x35, 0, 0)),
    ] {
      #expect(outcome.status == .checkCondition)
      #expect(outcome.encodedSense == Self.sense(0x0B, segment([(8, 1)])))
    }
    #expect(bench.store.log.isEmpty)
    // It names no blocks.
    #expect(bench.run(CDB.testUnitReady).summary == own)
    bench.unit.modes.usesDescriptorSense = false
    #expect(bench.run(CDB.ten(0x28, 0, 1)).summary == own)
  }

  @Test("Where no other group serves the blocks, or this one is about to, its state is the answer")
  func nowhereElse() {
    let shut = makeBench([3: .standby, 8: .standby, 9: .transitioning], descriptorSense: true)
    #expect(shut.run(CDB.ten(0x28, 0, 1)).summary == "02/04/0B")
    let moving = makeBench([3: .transitioning], descriptorSense: true)
    #expect(moving.run(CDB.ten(0x28, 0, 1)).summary == "02/04/0A")
  }

  @Test("With D_SENSE, GOOD through a group that is not optimized advises one that is")
  func advised() {
    let bench = makeBench([3: .activeNonOptimized, 9: .standby], descriptorSense: true)
    let read = bench.run(CDB.ten(0x28, 0, 1))
    #expect(read.status == .good && read.data.count == 512)
    #expect(read.encodedSense == Self.sense(0x0F, segment([(3, 1), (8, 0)])))
    // A command that failed, and one that names no blocks.
    #expect(bench.run(CDB.ten(0x28, 100, 1)).summary == "05/21/00")
    #expect(bench.run(CDB.testUnitReady).encodedSense.isEmpty)
    // The task that carried it carries nothing of it on.
    bench.unit.modes.usesDescriptorSense = false
    #expect(bench.run(CDB.ten(0x28, 0, 1)).encodedSense.isEmpty)
  }

  @Test("GOOD advises nothing where the path is best, or sense data cannot go with it")
  func notAdvised() {
    for bench in [
      makeBench([:], descriptorSense: true),
      makeBench(
        [3: .activeNonOptimized, 8: .activeNonOptimized, 9: .transitioning], descriptorSense: true),
      makeBench(
        [3: .activeNonOptimized], descriptorSense: true, hasProtocolLevel2: false),
    ] {
      let read = bench.run(CDB.ten(0x28, 0, 1))
      #expect(read.summary == "good" && read.encodedSense.isEmpty)
    }
  }
}
