import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("EXTENDED COPY")
struct ExtendedCopyTests {
  private func pair(_ blocks: Int = 12000) -> CopyBench {
    let copies = CopyBench(TestStore(blockBytes: 512, blocks: blocks))
    let store = TestStore(blockBytes: 512, blocks: blocks)
    clear(&store.image, 0..<store.image.count)
    copies.add(store)
    return copies
  }

  @Test("Blocks go from one logical unit to another, and no others change")
  func betweenUnits() {
    let copies = pair()
    let before = copies.stores[0].image
    let list = CopyBench.list([
      CopySegment(0, 5, to: 1, 100, 9000), CopySegment(0, 1, to: 1, 0, 2),
      CopySegment(0, 0, to: 1, 0, 0),
    ])
    #expect(copies.copy(list).summary == "good")
    var expected = [UInt8](repeating: 0, count: before.count)
    expected.replaceSubrange(51200..<51200 + 9000 * 512, with: before[2560..<2560 + 9000 * 512])
    expected.replaceSubrange(0..<1024, with: before[512..<1536])
    #expect(isEqual(copies.stores[1].image, expected))
    #expect(isEqual(copies.stores[0].image, before))
    #expect(copies.server(1).taskCount == 0)
  }

  @Test(
    "Within one logical unit the destination gets what the source was, however they overlap",
    arguments: [
      (0, 1), (1, 0), (0, 2047), (0, 2049), (3000, 10), (10, 3000), (7, 7), (0, 6000),
    ] as [(UInt64, UInt64)])
  func overlap(from: UInt64, at: UInt64) {
    let copies = pair()
    let before = copies.stores[0].image
    let list = CopyBench.list([CopySegment(0, from, to: 0, at, 6000)])
    #expect(copies.copy(list).summary == "good")
    var expected = before
    let source = Int(from) * 512
    expected.replaceSubrange(
      Int(at) * 512..<Int(at + 6000) * 512, with: before[source..<source + 6000 * 512])
    #expect(isEqual(copies.stores[0].image, expected))
  }

  @Test("The unit that the command came to needs no descriptor")
  func ownUnit() {
    let copies = pair()
    let before = copies.stores[0].image
    let list = CopyBench.list([CopySegment(0xFFFF, 0, to: 0xFFFF, 50, 8)], units: [])
    #expect(copies.copy(list).summary == "good")
    #expect(isEqual(copies.stores[0].image, at: 50 * 512, before, at: 0, count: 8 * 512))
  }

  @Test("Blocks of 512 and 4096 bytes: the count is the source's, or the destination's with DC")
  func blockLengths() {
    let copies = CopyBench(TestStore(blockBytes: 512, blocks: 100))
    copies.add(TestStore(blockBytes: 4096, blocks: 10))
    let before = copies.stores[0].image
    #expect(copies.copy(CopyBench.list([CopySegment(0, 3, to: 1, 2, 16)])).summary == "good")
    #expect(isEqual(copies.stores[1].image, at: 8192, before, at: 1536, count: 8192))
    var segment = CopySegment(0, 4, to: 1, 5, 2)
    segment.countsDestinationBlocks = true
    #expect(copies.copy(CopyBench.list([segment])).summary == "good")
    #expect(isEqual(copies.stores[1].image, at: 5 * 4096, before, at: 2048, count: 8192))
    copies.stores[1].resetLog()
    let inexact = copies.copy(CopyBench.list([CopySegment(0, 0, to: 1, 0, 9)]))
    #expect(inexact.summary == "0A/26/0A")
    #expect(copies.stores[1].log.isEmpty)
  }

  @Test("An empty list and a list of no segments do nothing, and that is no error")
  func nothing() {
    let copies = pair()
    #expect(copies.bench.run(CopyBench.cdb(0, 0), expected: 0).summary == "good")
    #expect(copies.copy(CopyBench.list([])).summary == "good")
    #expect(copies.stores[0].log.isEmpty && copies.stores[1].log.isEmpty)
  }

  @Test("T-XCOPY-1: a logical unit of somebody else cannot be told from one that does not exist")
  func somebodyElses() {
    let copies = pair(100)
    copies.add(TestStore(blockBytes: 512, blocks: 100), isMine: false)
    let other = copies.stores[2]
    let before = other.image
    for (from, to) in [(UInt16(0), UInt16(1)), (1, 0)] {
      let theirs = copies.copy(
        CopyBench.list([CopySegment(from, 0, to: to, 0, 1)], units: [0, 2]))
      let unknown = copies.copy(
        CopyBench.list([CopySegment(from, 0, to: to, 0, 1)], units: [0, 9]))
      #expect(theirs == unknown)
      #expect(theirs.summary == "0A/0D/02")
      // Nor by a segment that would be wrong there.
      let wrong = copies.copy(
        CopyBench.list([CopySegment(from, 0, to: to, 1 << 60, 1)], units: [0, 2]))
      #expect(wrong.summary == "0A/0D/02")
    }
    #expect(other.log.isEmpty && isEqual(other.image, before))
    #expect(copies.stores[0].log.isEmpty)
  }

  /// T-LBA-1.
  @Test("What cannot be named or does not fit ends the copy before its first block")
  func refusals() {
    let copies = pair(100)
    func outcome(_ segment: CopySegment) -> Outcome {
      copies.copy(CopyBench.list([CopySegment(0, 0, to: 1, 0, 4), segment]))
    }
    #expect(outcome(CopySegment(0, 0, to: 2, 0, 1)).summary == "0A/08/04")
    #expect(
      outcome(CopySegment(0, 0, to: 1, 99, 2)).sense
        == .copySegmentOutOfRange(segment: 1, byte: 20))
    #expect(
      outcome(CopySegment(0, .max, to: 1, 0, 1)).sense
        == .copySegmentOutOfRange(segment: 1, byte: 12))
    for block: UInt64 in [100, 1 << 31, 1 << 32, 1 << 52, 1 << 55, 1 << 63, .max - 1, .max] {
      #expect(
        outcome(CopySegment(0, 0, to: 1, block, 2)).sense
          == .copySegmentOutOfRange(segment: 1, byte: 20), "\(block)")
      #expect(
        outcome(CopySegment(0, block, to: 1, 0, 2)).sense
          == .copySegmentOutOfRange(segment: 1, byte: 12), "\(block)")
    }
    var list = CopyBench.list([CopySegment(0, 0, to: 1, 0, 1)])
    list[17] = 0x20  // the null device
    #expect(copies.copy(list).summary == "0A/08/04")
    list[17] = 0x01  // a tape
    #expect(copies.copy(list).summary == "0A/0D/03")
    list[17] = 0
    list[46] = 0x10  // blocks of 4096 bytes
    #expect(copies.copy(list).summary == "0A/0D/03")
    #expect(copies.stores[0].log.isEmpty && copies.stores[1].log.isEmpty)
  }

  @Test("A destination that this initiator may only read is refused, as a source it is not")
  func readOnlyEntry() {
    let copies = CopyBench(TestStore(blockBytes: 512, blocks: 100))
    copies.add(TestStore(blockBytes: 512, blocks: 100), isReadOnly: true)
    #expect(copies.copy(CopyBench.list([CopySegment(0, 0, to: 1, 0, 1)])).summary == "0A/0D/01")
    #expect(copies.stores[0].log.isEmpty && copies.stores[1].log.isEmpty)
    #expect(copies.copy(CopyBench.list([CopySegment(1, 0, to: 0, 0, 1)])).summary == "good")
  }

  @Test("A right that is lost on the way stops the copy at its next step")
  func lostRight() {
    let copies = pair()
    copies.stores[1].isHolding = true
    let task = copies.beginCopy(CopyBench.list([CopySegment(0, 0, to: 1, 0, 12000)]))
    copies.turn()
    let started = copies.stores[1].log.count
    #expect(started == CopyOperation.lanesMax)
    copies.server(1).unit.modes.isSoftwareWriteProtected = true
    copies.stores[1].releaseHeld()
    copies.turn()
    #expect(task.phase == .ended)
    #expect(copies.bench.endedOutcomes().map(\.summary) == ["0A/0D/01"])
    #expect(copies.stores[1].log.count == started)
  }

  @Test("A store that fails ends the copy with the number of the segment")
  func storeFails() {
    let copies = pair(100)
    let list = CopyBench.list([CopySegment(0, 0, to: 1, 0, 1), CopySegment(0, 1, to: 1, 5, 1)])
    copies.stores[1].faults = [2: .outOfSpace]
    #expect(copies.copy(list).sense == .thirdPartyDeviceFailure(segment: 1))
    copies.stores[0].faults = [copies.stores[0].log.count + 1: .medium(.inputOutput)]
    #expect(copies.copy(list).sense == .thirdPartyDeviceFailure(segment: 0))
    copies.stores[1].readiness = .gone
    copies.stores[0].resetLog()
    #expect(copies.copy(list).sense == .thirdPartyDeviceFailure(segment: 0))
    #expect(copies.stores[0].log.isEmpty)
  }

  @Test("A copy is BUSY while the unit asked waits for its lock, and refused while another does")
  func waitsForLock() {
    let copies = pair(100)
    let list = CopyBench.list([CopySegment(0, 0, to: 1, 0, 1)])
    copies.stores[0].readiness = .waitingForLock
    #expect(copies.copy(list).summary == "busy")
    copies.stores[0].readiness = .ready
    copies.stores[1].readiness = .waitingForLock
    #expect(copies.copy(list).sense == .thirdPartyDeviceFailure(segment: 0))
    #expect(copies.stores[0].log.isEmpty && copies.stores[1].log.isEmpty)
  }

  @Test("A copy without memory is BUSY and leaves nothing behind")
  func noMemory() {
    let copies = CopyBench(TestStore(blockBytes: 512, blocks: 5000), memoryBytes: 1 << 20)
    copies.add(TestStore(blockBytes: 512, blocks: 5000))
    let list = CopyBench.list([CopySegment(0, 0, to: 1, 0, 5000)])
    let pool = copies.bench.reactor.buffers
    let taken = (0..<3).compactMap { _ in pool.allocate(256 << 10) }
    #expect(copies.copy(list).summary == "busy")
    for buffer in taken { pool.release(buffer) }
    #expect(copies.bench.server.copiesInProgress == 0)
  }

  @Test("A copy with memory for one piece at a time is whole")
  func littleMemory() {
    let copies = CopyBench(
      TestStore(blockBytes: 512, blocks: 12000), memoryBytes: 3 << 20 | 64 << 10)
    copies.add(TestStore(blockBytes: 512, blocks: 12000))
    clear(&copies.stores[1].image, 0..<12000 * 512)
    #expect(
      copies.copy(CopyBench.list([CopySegment(0, 0, to: 1, 0, 12000)])).summary == "good")
    #expect(isEqual(copies.stores[0].image, copies.stores[1].image))
  }

  @Test("A unit attention of the destination is left for its initiator to hear")
  func unitAttention() {
    let copies = pair(100)
    copies.nexus(1).establish(.modeParametersChanged)
    #expect(copies.copy(CopyBench.list([CopySegment(0, 0, to: 1, 0, 1)])).summary == "good")
    #expect(copies.nexus(1).hasUnitAttention)
  }
}
