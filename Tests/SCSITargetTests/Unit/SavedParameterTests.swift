import Reactor
import SCSIModel
import Synchronization
import Testing

@testable import SCSITarget

@Suite("Saved parameters")
struct SavedParameterTests {
  /// Keeps what was saved last, and tells so when it is let.
  final class Memory: UnitPersistence {
    struct State {
      var saved: SavedParameters?
      var failure: SystemError?
      var isHolding = false
      var held: [SaveCompletion] = []
    }
    let state = Mutex(State())

    func save(
      _ parameters: SavedParameters, of unit: LogicalUnitIdentity,
      completion: @escaping SaveCompletion
    ) {
      let failure = state.withLock { state -> SystemError?? in
        if state.failure == nil { state.saved = parameters }
        guard state.isHolding else { return .some(state.failure) }
        state.held.append(completion)
        return .none
      }
      if let failure { completion(failure) }
    }

    func release() {
      let held = state.withLock { state in
        defer { state.held = [] }
        return state.held
      }
      for completion in held { completion(nil) }
    }
  }

  private func makeBench(
    _ memory: Memory?, saved: SavedParameters = SavedParameters(), writeCache: Bool = true
  ) -> Bench {
    var options = Bench.options
    options.parameterPersistence = memory
    options.savedParameters = saved
    return Bench(
      TestStore(blockBytes: 512, blocks: 100), writeCache: writeCache, options: options)
  }

  private let control = CDB.control(descriptorSense: true, taskAborted: false)
  private var saving: [UInt8] { [control.cdb[0], 0x11] + control.cdb.dropFirst(2) }
  private let senseSaved: [UInt8] = [0x1A, 8, 0xCA, 0, 255, 0]

  @Test("SP saves the settings, MODE SENSE tells them as saved, and the next start has them")
  func saves() throws {
    let memory = Memory()
    let bench = makeBench(memory)
    #expect(bench.run(senseSaved).data[4..<10] == [0x8A, 10, 2, 0x10, 0, 0x40])
    #expect(bench.run(control.cdb, out: control.out).summary == "good")
    #expect(memory.state.withLock { $0.saved } == nil)
    #expect(bench.run(senseSaved).data[6] == 2)
    #expect(bench.run(saving, out: control.out).summary == "good")
    #expect(bench.run(senseSaved).data[4..<10] == [0x8A, 10, 6, 0x10, 0, 0])
    let saved = try #require(memory.state.withLock { $0.saved })
    let next = makeBench(memory, saved: saved)
    #expect(next.unit.modes.usesDescriptorSense)
    #expect(!next.unit.modes.reportsTaskAborted)
    #expect(next.unit.modes.writeCacheEnabled)
    // Defaults stay those of the configuration.
    let defaults = next.run([0x1A, 8, 0x8A, 0, 255, 0]).data
    #expect(defaults[6] == 2 && defaults[9] == 0x40)
  }

  @Test("A write cache setting that the administrator changes after the save wins over it")
  func configurationWins() {
    var saved = SavedParameters()
    saved.modes = SavedParameters.Modes(
      settings: ModeSettings(isWriteCacheEnabled: false, isSoftwareWriteProtected: true),
      configuredWriteCache: true)
    #expect(!makeBench(nil, saved: saved).unit.modes.writeCacheEnabled)
    saved.modes?.settings.isWriteCacheEnabled = true
    let changed = makeBench(nil, saved: saved, writeCache: false)
    #expect(!changed.unit.modes.writeCacheEnabled)
    #expect(changed.unit.modes.isSoftwareWriteProtected)
  }

  @Test("A save that fails ends the command and changes nothing", arguments: [false, true])
  func failure(turnsOffCache: Bool) {
    let memory = Memory()
    memory.state.withLock { $0.failure = .noSpace }
    let bench = makeBench(memory)
    let select = turnsOffCache ? CDB.writeCache(false) : control
    let cdb = [select.cdb[0], 0x11] + select.cdb.dropFirst(2)
    #expect(bench.run(cdb, out: select.out).summary == "04/44/00")
    #expect(bench.unit.modes.writeCacheEnabled)
    #expect(!bench.unit.modes.usesDescriptorSense)
    memory.state.withLock { $0.failure = nil }
    #expect(bench.run(cdb, out: select.out).summary == "good")
    #expect(bench.unit.modes.writeCacheEnabled != turnsOffCache)
  }

  @Test("GOOD comes after the save, an abort waits for it, and another MODE SELECT hears BUSY")
  func order() {
    let memory = Memory()
    memory.state.withLock { $0.isHolding = true }
    let bench = makeBench(memory)
    let task = bench.begin(saving, out: control.out)
    bench.reactor.turn()
    #expect(task.phase == .executing)
    #expect(!bench.unit.modes.usesDescriptorSense)
    let other = bench.begin(control.cdb, out: control.out)
    #expect(other.status == .busy)
    var isDrained = false
    let barrier = DrainBarrier { isDrained = true }
    bench.server.abort(task, barrier: barrier)
    barrier.arm()
    #expect(!isDrained)
    memory.release()
    bench.reactor.turn()
    #expect(isDrained)
    #expect(bench.unit.parameters.beginChange())
  }

  @Test(
    "The end of a save is heard although the mailbox was full",
    arguments: [nil, SystemError.tryAgain])
  func fullMailbox(failure: SystemError?) {
    let memory = Memory()
    memory.state.withLock { $0.failure = failure }
    let bench = makeBench(memory)
    while bench.reactor.mailbox.post({}) {}
    let task = bench.begin(saving, out: control.out)
    #expect(task.phase == .executing)
    for _ in 0..<3 { bench.reactor.turn() }
    #expect(task.phase == .ended)
    #expect(task.sense?.description == (failure == nil ? nil : "04/44/00"))
    #expect(bench.unit.modes.usesDescriptorSense == (failure == nil))
    #expect(bench.unit.parameters.beginChange(), "others may change them again")
  }

  @Test("A unit that cannot save refuses SP and saved values, and has no PS")
  func withoutPersistence() {
    let bench = makeBench(nil)
    #expect(bench.run(saving, out: control.out).sense == .invalidFieldInCDB(byte: 1, bit: 0))
    #expect(bench.run(senseSaved).summary == "05/39/00")
    #expect(bench.run([0x1A, 8, 0x0A, 0, 255, 0]).data[4] == 0x0A)
  }
}
