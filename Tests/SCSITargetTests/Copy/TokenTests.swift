import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("ROD tokens")
struct TokenTests {
  private func pair(_ sourceBytes: UInt32 = 512, _ destinationBytes: UInt32 = 512) -> CopyBench {
    let copies = CopyBench(TestStore(blockBytes: destinationBytes, blocks: 12000))
    copies.add(TestStore(blockBytes: sourceBytes, blocks: 12000))
    return copies
  }

  private func descriptors(_ ranges: [(UInt64, Int)]) -> [UInt8] {
    ranges.flatMap { CDB.bytes($0.0, 8) + CDB.bytes(UInt64($0.1), 4) + [0, 0, 0, 0] }
  }

  /// Makes a token for ranges of unit 1 and fetches it.
  private func token(
    _ copies: CopyBench, _ ranges: [(UInt64, Int)], timeout: UInt32 = 0
  ) -> [UInt8] {
    let length = ranges.count * 16
    let list =
      CDB.bytes(UInt64(length + 14), 2) + [0, 0] + CDB.bytes(UInt64(timeout), 4)
      + [0, 0, 0, 0, 0, 0] + CDB.bytes(UInt64(length), 2) + descriptors(ranges)
    #expect(run(copies, 1, CopyBench.cdb(0x10, list.count, identifier: 5), list) == "good")
    let task = task(copies, 1, CopyBench.results(0x07, identifier: 5), [])
    guard let data = task.data, task.dataCount == 550 else { return [] }
    let token = data.bytes(38..<550)
    task.recycle(to: copies.bench.reactor.buffers)
    return token
  }

  private func use(
    _ copies: CopyBench, _ token: [UInt8], _ ranges: [(UInt64, Int)], offset: UInt64 = 0,
    deletes: Bool = false
  ) -> Outcome {
    let length = ranges.count * 16
    let list =
      CDB.bytes(UInt64(length + 534), 2) + [deletes ? 2 : 0, 0, 0, 0, 0, 0]
      + CDB.bytes(offset, 8) + token + [0, 0, 0, 0, 0, 0] + CDB.bytes(UInt64(length), 2)
      + descriptors(ranges)
    return copies.bench.run(CopyBench.cdb(0x11, list.count, identifier: 6), out: list)
  }

  private func task(
    _ copies: CopyBench, _ unit: Int, _ cdb: [UInt8], _ out: [UInt8]
  ) -> SCSITask {
    let task = SCSITask(owner: copies.bench)
    task.begin(
      CommandDescriptorBlock(cdb), expectedDataIn: 4096, expectedDataOut: out.count)
    switch copies.server(unit).admit(task, copies.nexus(unit)) {
    case .refused: return task
    case .collect: task.data?.store(out, at: 0)
    case .execute: break
    }
    copies.server(unit).execute(task)
    copies.turn()
    _ = copies.bench.endedOutcomes()
    return task
  }

  private func run(
    _ copies: CopyBench, _ unit: Int, _ cdb: [UInt8], _ out: [UInt8]
  ) -> String {
    let task = task(copies, unit, cdb, out)
    defer { task.recycle(to: copies.bench.reactor.buffers) }
    return task.sense?.description ?? "\(task.status)"
  }

  @Test("A token's ranges are written one after the other, from any offset")
  func flow() {
    let copies = pair()
    let source = copies.stores[1].image
    let token = token(copies, [(100, 5000), (9000, 10)])
    #expect(token.count == 512)
    #expect(use(copies, token, [(0, 3), (50, 4)], offset: 4998).summary == "good")
    let written = copies.stores[0].image
    #expect(isEqual(written, at: 0, source, at: 5098 * 512, count: 2 * 512))
    #expect(isEqual(written, at: 2 * 512, source, at: 9000 * 512, count: 512))
    #expect(isEqual(written, at: 50 * 512, source, at: 9001 * 512, count: 4 * 512))
    let status = copies.copyStatus(0x07, 6)
    #expect(status?[5] == 1 && status?[15] == 0xF1 && status?[23] == 7)
    #expect(use(copies, token, [(1000, 5010)]).summary == "good")
    #expect(isEqual(copies.stores[0].image, at: 512_000, source, at: 51200, count: 2_560_000))
  }

  @Test("Blocks of two lengths are paired by bytes; parts of a block are refused")
  func blockLengths() {
    let copies = pair(512, 4096)
    let source = copies.stores[1].image
    let token = token(copies, [(8, 24), (100, 4)])
    #expect(use(copies, token, [(3, 2)], offset: 1).summary == "good")
    #expect(isEqual(copies.stores[0].image, at: 3 * 4096, source, at: 16 * 512, count: 8192))
    #expect(use(copies, token, [(3, 4)]).summary == "05/26/00")
  }

  @Test("The zero token writes zeros and was made by nobody")
  func zeros() {
    let copies = pair()
    let before = copies.stores[0].image
    let zero = [0xFF, 0xFF, 0, 1, 0, 0, 0x01, 0xF8] + [UInt8](repeating: 0, count: 504)
    #expect(use(copies, zero, [(10, 5000), (6000, 1)]).summary == "good")
    var expected = before
    clear(&expected, 5120..<5120 + 2_560_000)
    clear(&expected, 6000 * 512..<6001 * 512)
    #expect(isEqual(copies.stores[0].image, expected))
    copies.stores[0].capabilities.canZeroRanges = false
    copies.stores[0].image = before
    #expect(use(copies, zero, [(10, 5000), (6000, 1)]).summary == "good")
    #expect(isEqual(copies.stores[0].image, expected))
  }

  @Test("A token that is changed in any byte, deleted or timed out is unknown")
  func unknown() {
    let copies = pair()
    let made = token(copies, [(0, 4)])
    for byte in 8..<512 {
      var forged = made
      forged[byte] ^= 1
      #expect(use(copies, forged, [(0, 1)]).summary == "05/23/04")
    }
    #expect(use(copies, made, [(0, 9)], deletes: true).summary == "05/26/00")
    #expect(use(copies, made, [(0, 1)], deletes: true).summary == "good")
    #expect(use(copies, made, [(0, 1)]).summary == "05/23/04")
    let brief = token(copies, [(0, 4)], timeout: 2)
    (copies.bench.reactor.engine as? TestEngine)?.now = MonotonicTime(rawValue: 2_000_000_000)
    copies.turn(1)
    #expect(use(copies, brief, [(0, 1)]).summary == "05/23/04")
    #expect(copies.stores[0].changes.count == 1)
  }

  @Test("A copy that fails leaves the token that it was to delete, for another try")
  func deletedAfterwards() {
    let copies = pair()
    let made = token(copies, [(0, 4)])
    copies.stores[0].faults = [1: .outOfSpace]
    #expect(use(copies, made, [(0, 4)], deletes: true).summary == "07/27/07")
    #expect(use(copies, made, [(0, 4)], deletes: true).summary == "good")
    #expect(use(copies, made, [(0, 4)]).summary == "05/23/04")
  }

  /// T-XCOPY-1.
  @Test("A token of a logical unit that is not this initiator's is unknown, too")
  func somebodyElses() {
    let copies = pair()
    copies.add(TestStore(blockBytes: 512, blocks: 100), isMine: false)
    let unit = copies.server(2).unit
    let theirs = unit.tokens.issue(
      [BlockRange(start: 0, count: 4)], to: "other", creator: unit.cscdDescriptor, byteCount: 2048,
      inactivitySeconds: 60, now: copies.bench.reactor.now)
    #expect(use(copies, theirs, [(0, 1)]).summary == "05/23/04")
    #expect(copies.stores[2].log.isEmpty && copies.stores[0].log.isEmpty)
  }

  /// T-LBA-1.
  @Test("What is too much, past the end or more than the token has is refused whole")
  func bounds() {
    let copies = pair()
    let made = token(copies, [(0, 4)])
    #expect(use(copies, made, [(0, 5)]).summary == "05/26/00")
    #expect(use(copies, made, [(0, 1)], offset: 4).summary == "05/26/00")
    #expect(use(copies, made, [(0, 1)], offset: .max).summary == "05/26/00")
    #expect(use(copies, made, [(11999, 2)]).summary == "05/21/00")
    let list = [0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16] + descriptors([(12000, 1)])
    #expect(run(copies, 1, CopyBench.cdb(0x10, 32), list) == "05/21/00")
    for lba: UInt64 in [12000, 1 << 31, 1 << 32, 1 << 52, 1 << 55, 1 << 63, .max - 1, .max] {
      #expect(use(copies, made, [(0, 1), (lba, 2)]).summary == "05/21/00", "\(lba)")
      let list = Array(list.prefix(16)) + descriptors([(lba, 2)])
      #expect(run(copies, 1, CopyBench.cdb(0x10, 32), list) == "05/21/00", "\(lba)")
    }
    #expect(copies.stores[0].log.isEmpty && copies.stores[1].log.isEmpty)
  }

  @Test("A medium that has no room is told as it is to a WRITE")
  func outOfSpace() {
    let copies = pair()
    let made = token(copies, [(0, 4)])
    copies.stores[0].faults = [1: .outOfSpace]
    #expect(use(copies, made, [(0, 4)]).summary == "07/27/07")
    copies.server(0).unit.modes.isSoftwareWriteProtected = true
    #expect(use(copies, made, [(0, 4)]).summary == "07/27/00")
  }
}
