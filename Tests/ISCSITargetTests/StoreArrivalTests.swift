import BackingStore
import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// Stores that are missing at the start and come later.
@Suite("Stores that arrive")
struct StoreArrivalTests {
  static let notReady: UInt32 = 0x02_04_03
  static let becomingReady: UInt32 = 0x02_04_01
  static let inquiry: [UInt8] = [0x12, 0, 0, 0, 96, 0]

  static func target(seed: UInt64, reactors: Int) throws -> SimulatedTarget {
    try SimulatedTarget(
      seed: seed, targets: [Example.open()], reactorCount: reactors,
      presenting: { _ in AwaitedStore() })
  }

  static func arrive(_ target: SimulatedTarget, _ store: any Store) -> StoreArrival? {
    var result: StoreArrival?
    target.workers[0].storeArrived(forUnitNamed: "unit0", store) { result = $0 }
    target.run(seconds: 5) { result != nil }
    return result
  }

  @Test("A unit without its store is offline; the sessions stay, and use the store when it comes")
  func arrival() throws {
    let target = try StoreArrivalTests.target(seed: 71, reactors: 3)
    let store = try #require(target.stores["unit0"])
    let initiators = try (1...3).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    for initiator in initiators {
      #expect(initiator.attention() == StoreArrivalTests.notReady)
      #expect(initiator.write(0, Example.pattern(512))?.sense == StoreArrivalTests.notReady)
      #expect(
        initiator.command([0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], expected: 8)?.sense
          == StoreArrivalTests.notReady)
      // Qualifier 001b, no device type.
      #expect(initiator.command(StoreArrivalTests.inquiry, expected: 96)?.data.first == 0x3F)
    }
    let wrong = SimulatedStore(try target.disk(), logicalBlockBytes: 4096)
    #expect(
      StoreArrivalTests.arrive(target, wrong) == .refused(.blockSizeDiffers(presented: 512)))
    #expect(StoreArrivalTests.arrive(target, store) == .installed)
    #expect(StoreArrivalTests.arrive(target, store) == .refused(.notAwaited))
    for initiator in initiators {
      #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
      #expect(initiator.attention() == 0x06_28_00)
      #expect(initiator.attention() == ResizeTests.capacityChanged)
      #expect(initiator.attention() == 0)
      #expect(initiator.command(StoreArrivalTests.inquiry, expected: 96)?.data.first == 0)
      #expect(ResizeTests.capacity(initiator) == 2048)
      #expect(initiator.write(2047, Example.pattern(512))?.status == 0)
    }
    #expect(target.isIdle(after: initiators))
  }

  @Test("A store that comes while its lock is held is told of before BUSY, and once")
  func arrivesLocked() throws {
    let target = try StoreArrivalTests.target(seed: 75, reactors: 1)
    let store = try #require(target.stores["unit0"])
    store.setReadiness(.waitingForLock)
    let initiator = try ScriptedInitiator.loggedIn(target)
    #expect(StoreArrivalTests.arrive(target, store) == .installed)
    #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
    let data = Example.pattern(512)
    #expect(initiator.write(0, data, immediate: 512)?.sense == 0x06_28_00)
    #expect(initiator.write(0, data, immediate: 512)?.sense == ResizeTests.capacityChanged)
    #expect(initiator.write(0, data, immediate: 512)?.status == HungUnitTests.busy)
    #expect(initiator.attention() == StoreArrivalTests.becomingReady)
    store.setReadiness(.ready)
    #expect(initiator.attention() == 0)
    #expect(initiator.write(0, data, immediate: 512)?.status == HungUnitTests.good)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A lock that is granted is told, once, to who heard that it is waited for, and to no other")
  func lockGranted() throws {
    let target = try SimulatedTarget(seed: 76, targets: [Example.open()], reactorCount: 3)
    let store = try #require(target.stores["unit0"])
    store.setReadiness(.waitingForLock)
    let initiators = try (1...5).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    let (waiting, others) = (initiators[..<3], initiators[3...])
    #expect(initiators[0].attention() == StoreArrivalTests.becomingReady)
    #expect(ResizeTests.capacity(initiators[1]) == nil)
    let sense = initiators[2].command([0x03, 0, 0, 0, 18, 0], expected: 18)?.data ?? []
    #expect(sense.count == 18 && sense[12...13] == [0x04, 0x01])
    #expect(initiators[3].read(0, 1)?.status == HungUnitTests.busy)
    store.setReadiness(.ready)
    for _ in 0..<2 { target.workers[0].lockGranted(of: target.units[0]) }
    target.pass(milliseconds: 50)
    for initiator in waiting {
      #expect(LiveUnitsTests.event(initiator) == LiveUnitsTests.unitsChanged)
      #expect(initiator.attention() == 0x06_28_00)
      #expect(initiator.attention() == ResizeTests.capacityChanged)
      #expect(initiator.attention() == 0)
      #expect(ResizeTests.capacity(initiator) == 2048)
    }
    for initiator in others { #expect(initiator.attention() == 0) }
    #expect(initiators.allSatisfy { $0.inbox.isEmpty })
    #expect(target.isIdle(after: initiators))
  }

  @Test("BUSY of a unit that waits for its lock narrows no window, and nothing of it is written")
  func lockedWindow() throws {
    let (target, initiator) = try Example.session()
    let store = try #require(target.stores["unit0"])
    store.setReadiness(.waitingForLock)
    let width = initiator.maxCmdSN.rawValue &- initiator.cmdSN.rawValue
    for _ in 0..<50 {
      #expect(initiator.read(0, 1)?.status == HungUnitTests.busy)
      let outcome = initiator.write(0, Example.pattern(512), immediate: 512)
      #expect(outcome?.status == HungUnitTests.busy)
    }
    #expect(initiator.maxCmdSN.rawValue &- initiator.cmdSN.rawValue >= width)
    #expect(try target.disk().writesLanded.isEmpty)
    store.setReadiness(.ready)
    #expect(initiator.write(0, Example.pattern(512), immediate: 512)?.status == HungUnitTests.good)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A unit that waits for no store takes none")
  func notAwaited() throws {
    let (target, initiator) = try Example.session()
    let store = try #require(target.stores["unit0"])
    #expect(StoreArrivalTests.arrive(target, store) == .refused(.notAwaited))
    #expect(initiator.attention() == 0)
    #expect(target.isIdle(after: [initiator]))
  }
}
