import BackingStore
import Reactor
import SCSIModel
import Synchronization
import Testing

@testable import SCSITarget

/// LOGICAL UNIT RESET and the mode parameters (SPC-4 §7.5.2).
@Suite("Mode parameters after a reset")
struct ModeReversionTests {
  private let block = [UInt8](repeating: 0x55, count: 512)

  private func makeBenches(
    _ memory: SavedParameterTests.Memory? = nil, saved: SavedParameters = SavedParameters(),
    writeCache: Bool = true
  ) -> (one: Bench, two: Bench) {
    var options = Bench.options
    options.parameterPersistence = memory
    options.savedParameters = saved
    let store = TestStore(blockBytes: 512, blocks: 100)
    let one = Bench(store, writeCache: writeCache, options: options)
    return (one, Bench(store, unit: one.unit, reactorIndex: 1))
  }

  private func turn(_ benches: Bench...) {
    for _ in 0..<8 { for bench in benches { bench.reactor.turn() } }
  }

  private final class Ending {
    var isDone = false
  }

  private func reset(_ bench: Bench) -> Ending {
    let ending = Ending()
    bench.server.reset(by: bench.lun, attention: .busDeviceResetFunctionOccurred) {
      ending.isDone = true
    }
    return ending
  }

  @Test("What was set without SP is as it was saved, and the reset's unit attention says all")
  func reverts() {
    var saved = SavedParameters()
    let settings = ModeSettings(isWriteCacheEnabled: true, isTaskAbortedStatus: true)
    saved.modes = SavedParameters.Modes(settings: settings, configuredWriteCache: true)
    let (one, two) = makeBenches(saved: saved)
    let control = CDB.control(descriptorSense: true, writeProtect: true)
    #expect(one.run(control.cdb, out: control.out, telling: two).summary == "good")
    #expect(one.unit.modes.isSoftwareWriteProtected && !one.unit.modes.reportsTaskAborted)
    let ending = reset(two)
    turn(one, two)
    #expect(ending.isDone)
    #expect(one.unit.modes.settings == settings)
    #expect(one.store.log.isEmpty)
    for bench in [one, two] {
      #expect(bench.run(CDB.testUnitReady).summary == "06/29/03")
      #expect(bench.run(CDB.ten(0x2A, 0, 1), out: block).summary == "good")
    }
    #expect(one.unit.parameters.beginChange())
  }

  @Test("A reset that turns the write cache off ends when what was cached is on the medium")
  func cacheOff() {
    let (one, two) = makeBenches(writeCache: false)
    let cache = CDB.writeCache(true)
    #expect(one.run(cache.cdb, out: cache.out, telling: two).summary == "good")
    #expect(one.run(CDB.ten(0x2A, 0, 1), out: block).summary == "good")
    #expect(one.store.isDirty)
    one.store.isHolding = true
    let ending = reset(one)
    turn(one, two)
    #expect(!ending.isDone)
    #expect(!one.unit.modes.writeCacheEnabled)
    #expect(one.store.log.last?.operation == .synchronize)
    one.store.releaseHeld()
    turn(one, two)
    #expect(ending.isDone)
    #expect(!one.store.isDirty)
    #expect(one.server.cacheReversion == nil)
  }

  @Test("Who heard of the reset before its settings held is told that they changed")
  func toldTwice() {
    let (one, two) = makeBenches()
    let control = CDB.control(descriptorSense: true)
    #expect(one.run(control.cdb, out: control.out, telling: two).summary == "good")
    while two.lun.takeAttention() != nil {}
    one.store.isHolding = true
    two.begin(CDB.ten(0x2A, 0, 1), out: block)
    let ending = reset(one)
    turn(one, two)
    #expect(!ending.isDone)
    #expect(one.run(CDB.testUnitReady).summary == "06/29/03")
    #expect(one.unit.modes.usesDescriptorSense)
    one.store.releaseHeld()
    turn(one, two)
    #expect(ending.isDone)
    #expect(!one.unit.modes.usesDescriptorSense)
    #expect(two.endedOutcomes().map(\.isAborted) == [true])
    #expect(one.run(CDB.testUnitReady).summary == "06/2A/01")
    #expect(two.run(CDB.testUnitReady).summary == "06/29/03")
    #expect(two.run(CDB.testUnitReady).summary == "good")
  }

  @Test("A reset waits for the MODE SELECT that changes the settings, and reverts to what it saved")
  func waitsForChange() {
    let memory = SavedParameterTests.Memory()
    let (one, two) = makeBenches(memory)
    memory.state.withLock { $0.isHolding = true }
    let control = CDB.control(descriptorSense: true)
    one.begin([control.cdb[0], 0x11] + control.cdb.dropFirst(2), out: control.out)
    let ending = reset(two)
    turn(one, two)
    #expect(!ending.isDone)
    memory.release()
    turn(one, two)
    #expect(ending.isDone)
    #expect(one.unit.modes.usesDescriptorSense)
    #expect(one.unit.parameters.beginChange())
  }

  @Test("Resets that wait for one change have their turns, on whatever reactor, before the next")
  func turns() {
    let (one, two) = makeBenches()
    #expect(one.unit.parameters.beginChange())
    let endings = [reset(one), reset(two), reset(one)]
    turn(one, two)
    #expect(endings.allSatisfy { !$0.isDone })
    one.unit.parameters.endChange()
    #expect(!one.unit.parameters.beginChange(), "the resets were first")
    turn(one, two)
    #expect(endings.allSatisfy { $0.isDone })
    #expect(one.unit.parameters.beginChange())
  }
}
