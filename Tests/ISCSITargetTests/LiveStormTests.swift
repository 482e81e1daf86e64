import BackingStore
import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSITarget
import TargetSimulation
import Testing

/// Administrators and initiators at the same time, none of whom waits for the others.
@Suite("Live storms")
struct LiveStormTests {
  private static let unitCount = 4

  /// What a storm has done and waits for.
  private final class Storm {
    let target: SimulatedTarget
    var generator: SeededGenerator
    var initiators: [ScriptedInitiator] = []
    var definition = Example.open(units: unitCount)
    /// Units being removed or added: another wish about them has to wait.
    var busyUnits: Set<String> = []
    /// The ones that are there, by name.
    var units: [String: LogicalUnit] = [:]
    var pending = 0
    var early = 0

    init(seed: UInt64) throws {
      generator = SeededGenerator(seed: seed)
      target = try SimulatedTarget(
        seed: seed, targets: [Example.open(units: unitCount)], reactorCount: 1 + Int(seed % 3))
      for unit in target.units { units[unit.identity.name] = unit }
      target.world.latencies.diskWrite = 1_000_000...40_000_000
      target.world.latencies.diskSynchronize = 1_000_000...40_000_000
      initiators = try (1...4).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    }

    func pick(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }

    func step() throws {
      switch pick(0..<12) {
      case 0..<5: write()
      case 5: try reconnect()
      case 6: publish()
      case 7: replaceUnit()
      case 8: endSession()
      case 9: manage()
      case 10: resize()
      default:
        pending += 1
        target.workers[0].endUnqualifiedSessions { _ in self.pending -= 1 }
      }
      target.pass(milliseconds: UInt32(pick(0..<6)))
    }

    private func write() {
      let initiator = initiators[pick(0..<initiators.count)]
      guard !initiator.isClosed else { return }
      for _ in 0..<pick(1..<6) {
        _ = initiator.startWrite(
          UInt64(pick(0..<1000)), Example.pattern(2048),
          style: WriteStyle(immediate: pick(0..<2) * 2048),
          lun: UInt64(pick(0..<unitCount)) << 48)
      }
    }

    private func reconnect() throws {
      let index = pick(0..<initiators.count)
      guard initiators[index].isClosed else { return initiators[index].peer.reset() }
      let again = ScriptedInitiator(target)
      again.initiatorName = initiators[index].initiatorName
      _ = again.login(to: Example.name)
      initiators[index] = again
    }

    private func publish() {
      let lun = UInt16(pick(0..<unitCount))
      if let index = definition.units.firstIndex(where: { $0.lun == lun }) {
        if pick(0..<3) == 0 {
          definition.units[index].isReadOnly.toggle()
        } else {
          definition.units.remove(at: index)
        }
      } else {
        definition.units.append(UnitPresentation(lun: lun, unit: "unit\(lun)"))
      }
      definition.admitsAnyInitiator = pick(0..<8) > 0
      definition.accessEntries = [AccessEntry(initiator: "iqn.2026-11.com.example:node1")]
      pending += 1
      let directory = TargetDirectory(targets: [definition], portals: [])
      target.workers[0].publish(directory) { self.pending -= 1 }
    }

    /// Takes a unit away and brings another of its name.
    private func replaceUnit() {
      let name = "unit\(pick(0..<unitCount))"
      guard busyUnits.insert(name).inserted else { return }
      pending += 1
      let force = pick(0..<3) > 0
      let unit = units[name]
      target.workers[0].remove(unitNamed: name, force: force) { [self] outcome in
        guard outcome == .removed else {
          pending -= 1
          busyUnits.remove(name)
          return
        }
        if unit?.unitStatistics.queueDepth != 0 { early += 1 }
        let successor = LiveUnitsTests.makeUnit(name, target)
        units[name] = successor
        target.workers[0].add(successor) { isAdded in
          if !isAdded { self.early += 1 }
          self.pending -= 1
          self.busyUnits.remove(name)
        }
      }
    }

    private func endSession() {
      let kills = pick(0..<2) == 0
      let place = pick(0..<4)
      pending += 1
      target.workers[0].sessions { [self] sessions in
        guard place < sessions.count else { return pending -= 1 }
        let done: (Bool) -> Void = { _ in self.pending -= 1 }
        let id = sessions[place].id
        if kills {
          target.workers[0].kill(id, completion: done)
        } else {
          target.workers[0].logOut(id, grace: Milliseconds(20), completion: done)
        }
      }
    }

    private func manage() {
      let initiator = initiators[pick(0..<initiators.count)]
      guard !initiator.isClosed else { return }
      let functions: [TaskManagementFunction] = [
        .abortTaskSet, .clearTaskSet, .logicalUnitReset, .targetWarmReset,
      ]
      initiator.sendManagement(
        functions[pick(0..<functions.count)], lun: UInt64(pick(0..<unitCount)) << 48)
    }

    private func resize() {
      pending += 1
      target.workers[0].resize(
        unitNamed: "unit\(pick(0..<unitCount))", toBytes: UInt64(pick(1..<3)) << 19,
        allowsShrinking: true
      ) { _ in self.pending -= 1 }
    }
  }

  @Test("Every wish is fulfilled, no removal is early, and nothing is left", arguments: 1...24)
  func storm(seed: Int) throws {
    let storm = try Storm(seed: UInt64(seed))
    for _ in 0..<120 { try storm.step() }
    storm.target.run(seconds: 20) { storm.pending == 0 }
    #expect(storm.pending == 0)
    #expect(storm.early == 0)
    #expect(storm.target.isIdle(after: storm.initiators))
  }
}
