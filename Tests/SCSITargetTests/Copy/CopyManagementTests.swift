import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Third-party copies: aborts and results")
struct CopyManagementTests {
  private let whole = CopyBench.list([CopySegment(0, 0, to: 1, 0, 12000)])

  private func pair() -> CopyBench {
    let copies = CopyBench(TestStore(blockBytes: 512, blocks: 12000))
    copies.add(TestStore(blockBytes: 512, blocks: 12000))
    return copies
  }

  @Test("A copy that another resets keeps its nexus from what it may change, until it has ended")
  func resetByOther() throws {
    let copies = pair()
    let other = try #require(copies.bench.secondNexus().unitNexus(at: 0))
    copies.stores[1].isHolding = true
    _ = copies.beginCopy(whole)
    copies.turn()
    copies.bench.server.reset(by: other, attention: .busDeviceResetFunctionOccurred) {}
    copies.turn()
    #expect(copies.nexus(1).isKeptFromMedium)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(!copies.nexus(1).isKeptFromMedium)
  }

  @Test("ABORT TASK waits for the steps in flight, which land, and no other starts")
  func abort() {
    let copies = pair()
    copies.stores[1].isHolding = true
    let task = copies.beginCopy(whole)
    copies.turn()
    let started = copies.stores[1].log.count
    var isDone = false
    let barrier = DrainBarrier { isDone = true }
    copies.bench.server.abort(task, barrier: barrier)
    barrier.arm()
    copies.turn()
    #expect(!isDone && task.phase == .executing && started > 0)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(isDone)
    #expect(copies.bench.endedOutcomes().map(\.isAborted) == [true])
    #expect(copies.stores[1].log.count == started)
    #expect(copies.server(1).taskCount == 0 && copies.bench.server.copiesInProgress == 0)
    let status = copies.copyStatus(0x05, 1)
    #expect(status?[5] == CopyResults.Status.terminated.rawValue)
    // What had landed counts: four pieces of 1 MiB.
    #expect(status?[16..<24].elementsEqual([0, 0, 0, 0, 0, 0x40, 0, 0]) == true)
  }

  @Test("A reset of the destination waits for a copy's step in flight and ends the copy")
  func resetDestination() {
    let copies = pair()
    copies.stores[1].isHolding = true
    _ = copies.beginCopy(whole)
    copies.turn()
    let started = copies.stores[1].log.count
    var isDone = false
    copies.server(1).reset(
      by: copies.nexus(1), attention: .busDeviceResetFunctionOccurred
    ) { isDone = true }
    copies.turn()
    #expect(!isDone && started > 0)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(isDone)
    #expect(copies.bench.endedOutcomes().map(\.summary) == ["0A/0D/01"])
    #expect(copies.stores[1].log.count == started)
  }

  @Test("A reset of the source drains the reads of a copy to another unit")
  func resetSource() {
    let copies = CopyBench(TestStore(blockBytes: 512, blocks: 100))
    for _ in 0..<2 { copies.add(TestStore(blockBytes: 512, blocks: 100)) }
    copies.stores[1].isHolding = true
    _ = copies.beginCopy(
      CopyBench.list([CopySegment(0, 0, to: 1, 0, 50)], units: [1, 2]))
    copies.turn()
    var isDone = false
    copies.server(1).reset(
      by: copies.nexus(1), attention: .busDeviceResetFunctionOccurred
    ) { isDone = true }
    copies.turn()
    #expect(!isDone)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(isDone && copies.stores[2].log.isEmpty)
    #expect(copies.bench.endedOutcomes().map(\.summary) == ["0A/0D/01"])
  }

  @Test("A copy between other units stops at the fence of the unit that it was sent to")
  func fence() {
    let copies = CopyBench(TestStore(blockBytes: 512, blocks: 100))
    for _ in 0..<2 { copies.add(TestStore(blockBytes: 512, blocks: 12000)) }
    let fencer = copies.bench.secondNexus()
    copies.stores[2].isHolding = true
    let task = copies.beginCopy(
      CopyBench.list([CopySegment(0, 0, to: 1, 0, 12000)], units: [1, 2]))
    copies.turn()
    let started = copies.stores[2].log.count
    let answer = Counter()
    let fence = SCSITask(owner: answer)
    fence.begin(
      CommandDescriptorBlock(Reserve.reserve6), expectedDataIn: 0, expectedDataOut: 0)
    let lun = fencer.unitNexuses[0]
    #expect(copies.bench.server.admit(fence, lun) == .execute)
    copies.bench.server.execute(fence)
    copies.turn()
    // Nothing of it is under way here, and nothing will be.
    #expect(answer.count == 1 && fence.status == .good)
    #expect(task.phase == .executing && started > 0)
    copies.stores[2].releaseHeld()
    copies.turn()
    #expect(copies.bench.endedOutcomes().map(\.summary) == ["reservationConflict"])
    #expect(copies.stores[2].log.count == started && copies.server(2).taskCount == 0)
    #expect(copies.bench.server.copiesInProgress == 0)
  }

  /// A copy of unit 1, whose reads hang, to unit 0, to which it was sent.
  private func copyFromHungDisk() -> (copies: CopyBench, task: SCSITask) {
    let copies = pair()
    copies.stores[1].isHolding = true
    let task = copies.beginCopy(CopyBench.list([CopySegment(1, 0, to: 0, 0, 12000)]))
    copies.turn()
    #expect(copies.stores[1].heldCount > 0 && task.phase == .executing)
    return (copies, task)
  }

  @Test("Another's reset does not wait for a copy that hangs elsewhere, which never writes again")
  func hungSource() throws {
    let (copies, task) = copyFromHungDisk()
    let other = try #require(copies.bench.secondNexus().unitNexus(at: 0))
    var isDone = false
    copies.bench.server.reset(by: other, attention: .busDeviceResetFunctionOccurred) {
      isDone = true
    }
    copies.turn()
    #expect(isDone && task.phase == .executing)
    var isCleared = false
    copies.bench.server.clearTaskSet(by: other) { isCleared = true }
    copies.turn()
    #expect(isCleared)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(copies.stores[0].log.isEmpty)
    #expect(copies.bench.endedOutcomes().map(\.isAborted) == [true])
    #expect(copies.bench.server.taskCount == 0 && copies.server(1).taskCount == 0)
  }

  @Test("Nor does it wait for a COPY OPERATION ABORT that waits for such a copy")
  func hungSourceAbort() throws {
    let (copies, _) = copyFromHungDisk()
    let abort = copies.bench.begin([0x83, 0x1C, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 10))
    copies.turn()
    #expect(abort.phase == .executing)
    let other = try #require(copies.bench.secondNexus().unitNexus(at: 0))
    var isDone = false
    copies.bench.server.reset(by: other, attention: .busDeviceResetFunctionOccurred) {
      isDone = true
    }
    copies.turn()
    #expect(isDone && abort.phase == .executing)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(copies.stores[0].log.isEmpty)
    #expect(copies.bench.endedOutcomes().map(\.isAborted) == [true, true])
    #expect(copies.bench.server.taskCount == 0)
  }

  @Test("The reset of the copy's own initiator waits for all of it, wherever it hangs")
  func hungSourceOwnReset() {
    let (copies, _) = copyFromHungDisk()
    var isDone = false
    copies.bench.server.reset(
      by: copies.nexus(0), attention: .busDeviceResetFunctionOccurred
    ) { isDone = true }
    copies.turn()
    #expect(!isDone)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(isDone && copies.stores[0].log.isEmpty)
  }

  @Test("What a copy has in flight on the unit itself another's reset waits for")
  func hungDestinationHere() throws {
    let copies = pair()
    copies.stores[0].isHolding = true
    _ = copies.beginCopy(CopyBench.list([CopySegment(1, 0, to: 0, 0, 12000)]))
    copies.turn()
    let started = copies.stores[0].log.count
    let other = try #require(copies.bench.secondNexus().unitNexus(at: 0))
    var isDone = false
    copies.bench.server.reset(by: other, attention: .busDeviceResetFunctionOccurred) {
      isDone = true
    }
    copies.turn()
    #expect(!isDone && started > 0)
    copies.stores[0].releaseHeld()
    copies.turn()
    #expect(isDone && copies.stores[0].log.count == started)
  }

  @Test("COPY OPERATION ABORT ends a copy and is answered after it")
  func copyOperationAbort() {
    let copies = pair()
    copies.stores[1].isHolding = true
    let task = copies.beginCopy(whole)
    copies.turn()
    let abort = copies.bench.begin([0x83, 0x1C, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 10))
    copies.turn()
    #expect(abort.phase == .executing && task.phase == .executing)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(copies.bench.endedOutcomes().map(\.summary) == ["0A/00/00", "good"])
    let status = copies.bench.run(CopyBench.results(0x05, identifier: 1)).data
    #expect(status[5] == CopyResults.Status.terminated.rawValue)
    let unknown = copies.bench.run([0x83, 0x1C, 0, 0, 0, 9] + [UInt8](repeating: 0, count: 10))
    #expect(unknown.sense == .invalidFieldInCDB(byte: 2, bit: 7))
  }

  @Test("A copy can be asked for while it goes on; its name is not to be used twice meanwhile")
  func inProgress() {
    let copies = pair()
    copies.stores[1].isHolding = true
    let task = copies.beginCopy(whole)
    copies.turn()
    #expect(copies.copyStatus(0x00, 1)?[4] == 0)
    #expect(copies.copyStatus(0x05, 1)?[5] == 0x11)
    let second = copies.beginCopy(whole)
    #expect(second.sense == .operationInProgress)
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(task.status == .good)
    #expect(copies.copyStatus(0x00, 1) == [0, 0, 0, 8, 1, 0, 1, 0, 0, 0x5D, 0xC0, 0])
  }

  @Test("Results are kept if they are to be, per logical unit and name, and not for ever")
  func results() {
    let copies = pair()
    let segment = [CopySegment(0, 0, to: 1, 0, 1)]
    #expect(copies.copyStatus(0x00, 1) == nil)
    _ = copies.copy(CopyBench.list(segment, identifier: 1, usage: 0))
    _ = copies.copy(CopyBench.list(segment, identifier: 2, usage: 2))
    _ = copies.copy(CopyBench.list(segment, identifier: 0, usage: 3))
    #expect(copies.copyStatus(0x00, 1)?[4] == 1)
    #expect(copies.copyStatus(0x01, 1) == [0, 0, 0, 0])
    #expect(copies.copyStatus(0x04, 1) == [0, 0, 0, 0])
    #expect(copies.copyStatus(0x00, 2) == nil)
    #expect(copies.copyStatus(0x00, 0) == nil)
    _ = copies.copy(CopyBench.list([CopySegment(0, 0, to: 1, 12000, 1)], identifier: 3))
    #expect(copies.copyStatus(0x00, 3)?[4] == 2)
    #expect(copies.copyStatus(0x04, 3)?.suffix(18).first == 0x70)
    for identifier in UInt8(10)..<26 {
      _ = copies.copy(CopyBench.list(segment, identifier: identifier))
    }
    #expect(copies.copyStatus(0x00, 1) == nil)
    #expect(copies.copyStatus(0x00, 25)?[4] == 1)
    (copies.bench.reactor.engine as? TestEngine)?.now = MonotonicTime(rawValue: 60_000_000_000)
    copies.turn(1)
    #expect(copies.copyStatus(0x00, 25) == nil)
  }

  @Test("More copies at a time than there may be are told BUSY, and others have room for theirs")
  func tooMany() throws {
    let copies = pair()
    copies.stores[0].isHolding = true
    let kept = FairShare.keptPlaces(of: CopyLimits.copiesMax)
    for identifier in 0..<CopyLimits.copiesMax - kept {
      _ = copies.beginCopy(
        CopyBench.list([CopySegment(0, 0, to: 1, 0, 1)], identifier: UInt8(identifier)))
    }
    let one = copies.beginCopy(
      CopyBench.list([CopySegment(0, 0, to: 1, 0, 1)], identifier: 99))
    #expect(one.status == .busy)
    let list = CopyBench.list([CopySegment(0, 0, to: 0, 8, 1)], units: [0])
    for number in 0...kept {
      let nexus = try #require(copies.bench.secondNexus(named: "n\(number)").unitNexus(at: 0))
      let other = copies.bench.begin(CopyBench.cdb(0, list.count), out: list, nexus: nexus)
      #expect((other.status == .busy) == (number == kept))
    }
    copies.stores[0].releaseHeld()
    copies.turn()
    #expect(copies.bench.server.copiesInProgress == 0)
  }

  @Test("The unit says that it copies, in INQUIRY and by its operating parameters")
  func said() {
    let copies = pair()
    #expect(copies.bench.run([0x12, 0, 0, 0, 96, 0]).data[5] & 0x08 != 0)
    #expect(copies.bench.run([0x12, 1, 0x8F, 4, 0, 0]).data[1] == 0x8F)
    #expect(
      copies.bench.run(CopyBench.results(0x03, identifier: 0)).data
        == CopyOperatingParameters.encoded())
  }
}

/// Counts the ends of its tasks.
private final class Counter: SCSITaskOwner {
  private(set) var count = 0
  func taskEnded(_ task: SCSITask) { count += 1 }
}

extension CopyBench {
  /// The answer of RECEIVE COPY…, beside commands that go on; nil if the name is not known.
  func copyStatus(_ action: UInt8, _ identifier: UInt32) -> [UInt8]? {
    let task = SCSITask(owner: bench)
    task.begin(
      CommandDescriptorBlock(Self.results(action, identifier: identifier)), expectedDataIn: 4096,
      expectedDataOut: 0)
    guard bench.server.admit(task, bench.lun) == .execute else { return nil }
    bench.server.execute(task)
    _ = bench.endedOutcomes()
    guard task.sense == nil, let data = task.data else {
      precondition(task.sense == .invalidFieldInCDB(byte: 2, bit: 7))
      return nil
    }
    let bytes = data.bytes(0..<task.dataCount)
    task.recycle(to: bench.reactor.buffers)
    return bytes
  }
}
