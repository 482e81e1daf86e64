import BackingStore
import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Commands of 32 bytes")
struct LongCommandTests {
  @Test("A unit without the 32-byte commands knows their opcode as little as any other unknown one")
  func noLongCommands() {
    let store = TestStore(blockBytes: 512, blocks: 10)
    let unit = LogicalUnit(
      identity: Bench.identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0)
    let bench = Bench(store, unit: unit)
    #expect(bench.run(CDB.thirtyTwo(9, 3, 1)).summary == "05/20/00")
    let one = bench.run([0xA3, 0x0C, 2, 0x7F, 0, 9, 0, 0, 0, 64, 0, 0]).data
    #expect(one == [0, 1, 0, 0])
    let all = bench.run([0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]).data
    #expect(
      all.count == 4 + CommandTable.standard.rows.filter { unit.serves($0.command) }.count * 8)
  }

  @Test("A variable length CDB of another length, or of an action that is not served, is refused")
  func variableLength() {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 10))
    let read = CDB.thirtyTwo(9, 3, 1)
    #expect(bench.run(read).data.elementsEqual(bench.store.image[1536..<2048]))
    var wrong = read
    wrong[7] = 0x10
    #expect(bench.run(wrong).sense == .invalidFieldInCDB(byte: 7, bit: 7))
    #expect(bench.run(Array(read.prefix(16))).sense?.key == .illegalRequest)
    wrong = read
    wrong[9] = 0x11
    #expect(bench.run(wrong).sense == .invalidFieldInCDB(byte: 8, bit: 7))
    wrong = read
    wrong[10] = 0x20
    #expect(bench.run(wrong).sense == .invalidFieldInCDB(byte: 10, bit: 5))
  }
}
