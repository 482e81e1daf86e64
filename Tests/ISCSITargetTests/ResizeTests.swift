import BackingStore
import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// Capacities that change under initiators.
@Suite("Resizing")
struct ResizeTests {
  static let capacityChanged: UInt32 = 0x06_2A_09
  static let outOfRange: UInt32 = 0x05_21_00

  static func resize(
    _ target: SimulatedTarget, to bytes: UInt64, shrinking: Bool = false
  ) -> UnitResize? {
    var result: UnitResize?
    target.workers[0].resize(unitNamed: "unit0", toBytes: bytes, allowsShrinking: shrinking) {
      result = $0
    }
    target.run(seconds: 5) { result != nil }
    return result
  }

  static func capacity(_ initiator: ScriptedInitiator) -> UInt64? {
    let outcome = initiator.command(
      [0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0], expected: 32)
    guard let data = outcome?.data, data.count == 32 else { return nil }
    return data[..<8].reduce(0) { $0 << 8 | UInt64($1) } + 1
  }

  @Test("Every initiator on every reactor is told of a larger capacity and may use it")
  func grown() throws {
    let target = try SimulatedTarget(
      seed: 31, targets: [Example.open(units: 2)], reactorCount: 3, diskBytes: 2 << 20)
    let store = try #require(target.stores["unit0"])
    store.setCapacity(1 << 20)
    #expect(ResizeTests.resize(target, to: 1 << 20, shrinking: true) == .resized)
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0, luns: 2) }
    #expect(initiators[0].write(2048, Example.pattern(512))?.sense == ResizeTests.outOfRange)
    #expect(
      ResizeTests.resize(target, to: 2 << 20) == .refused(.beyondStore(bytes: 1 << 20)))
    store.setCapacity(2 << 20)
    #expect(ResizeTests.resize(target, to: 2 << 20) == .resized)
    for initiator in initiators {
      #expect(initiator.attention() == ResizeTests.capacityChanged)
      #expect(initiator.attention(lun: 1 << 48) == 0)
      #expect(ResizeTests.capacity(initiator) == 4096)
      #expect(initiator.write(4095, Example.pattern(512))?.status == 0)
    }
    #expect(target.isIdle(after: initiators))
  }

  @Test(
    "Nothing is under way behind the new end when a shrink is done", arguments: [UInt64](1...6))
  func shrunk(seed: UInt64) throws {
    let target = try SimulatedTarget(
      seed: seed, targets: [Example.open()], reactorCount: 1 + Int(seed % 3))
    target.world.latencies.diskWrite = 3_000_000...60_000_000
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    var waiting: [InitiatorTaskTag] = []
    for initiator in initiators {
      for number in 0..<6 {
        _ = initiator.startWrite(
          1000 + UInt64(number) * 8, Example.pattern(4096), style: WriteStyle(immediate: 4096))
      }
      // Its data comes when it is too late.
      waiting.append(initiator.startWrite(1500, Example.pattern(4096)))
      var same = ScriptedInitiator.cdb16(0x93, 1200, 300)
      same[1] = 0
      initiator.sendCommand(same, expected: 512, isWrite: true, immediateData: Example.pattern(512))
    }
    target.pass(milliseconds: 3)
    #expect(ResizeTests.resize(target, to: 1 << 19) == .refused(.wouldShrink))
    #expect(ResizeTests.resize(target, to: 1000) == .refused(.partialBlock))
    #expect(ResizeTests.resize(target, to: 1 << 19, shrinking: true) == .resized)
    let disk = try target.disk()
    #expect(disk.operationsInFlight == 0)
    let landed = disk.writesLanded.count
    for (index, initiator) in initiators.enumerated() {
      let late = Example.pattern(4096)
      #expect(initiator.finish(waiting[index], source: late)?.sense == ResizeTests.outOfRange)
      #expect(initiator.attention() == ResizeTests.capacityChanged)
      #expect(initiator.write(1023, Example.pattern(512))?.status == 0)
      #expect(initiator.write(1024, Example.pattern(512))?.sense == ResizeTests.outOfRange)
      #expect(ResizeTests.capacity(initiator) == 1024)
    }
    #expect(disk.writesLanded.count == landed + 3)
    #expect(target.isIdle(after: initiators))
  }

  @Test("A unit that is being formatted keeps its capacity")
  func whileFormatting() throws {
    let (target, initiator) = try Example.session()
    target.world.latencies.diskAllocate = 500_000_000...500_000_000
    let format = initiator.sendCommand(
      [0x04, 0x10, 0, 0, 0, 0], expected: 4, isWrite: true, immediateData: [0, 0x02, 0, 0])
    #expect(initiator.finish(format)?.status == 0)
    #expect(ResizeTests.resize(target, to: 1 << 19, shrinking: true) == .refused(.wiping))
    target.pass(milliseconds: 3_000)
    #expect(target.isIdle(after: [initiator]))
  }
}
