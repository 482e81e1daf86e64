import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

/// A disk that hangs gives nothing back.
@Suite("The memory of a logical unit")
struct UnitMemoryTests {
  private static let memory = 16 << 20

  private func benches() -> CopyBench {
    let benches = CopyBench(
      TestStore(blockBytes: 512, blocks: 4096), memoryBytes: UnitMemoryTests.memory)
    benches.add(TestStore(blockBytes: 512, blocks: 4096))
    return benches
  }

  /// Commands of 64 KiB to unit 0, from two nexuses in turn, until `count` were told BUSY.
  private func flood(_ benches: CopyBench, untilRefused count: Int = 50) throws -> [SCSITask] {
    let second = try #require(benches.bench.secondNexus().unitNexus(at: 0))
    var tasks: [SCSITask] = []
    var refused = 0
    while refused < count {
      let nexus = tasks.count % 2 == 0 ? benches.nexus(0) : second
      let (task, admission) = benches.bench.admit(CDB.ten(0x28, 0, 128), nexus: nexus)
      if admission == .refused {
        #expect(task.status == .busy)
        refused += 1
        task.recycle(to: benches.bench.reactor.buffers)
      } else {
        benches.bench.server.execute(task)
        tasks.append(task)
      }
    }
    return tasks
  }

  @Test("One whose disk hangs holds half at most, and the healthy one beside it is served")
  func hungDisk() throws {
    let benches = benches()
    benches.stores[0].isHolding = true
    let tasks = try flood(benches)
    #expect(benches.server(0).lentBytes == Self.memory / 2)
    #expect(benches.bench.reactor.buffers.lentBytes == Self.memory / 2)
    for _ in 0..<20 {
      let read = benches.bench.begin(CDB.ten(0x28, 0, 2048), nexus: benches.nexus(1))
      benches.turn(4)
      #expect(read.phase == .ended && read.status == .good)
      read.recycle(to: benches.bench.reactor.buffers)
    }
    benches.stores[0].releaseHeld()
    benches.turn()
    #expect(tasks.allSatisfy { $0.phase == .ended })
    #expect(benches.server(0).lentBytes == 0 && benches.server(1).lentBytes == 0)
    for task in tasks { task.recycle(to: benches.bench.reactor.buffers) }
    #expect(benches.bench.reactor.buffers.lentBytes == 0)
  }

  @Test("Nodes that have all the memory of a unit keep no other from its first command there")
  func newcomer() throws {
    let benches = benches()
    benches.stores[0].isHolding = true
    var tasks = try flood(benches)
    for number in 0..<8 {
      let late = try #require(benches.bench.secondNexus(named: "l\(number)").unitNexus(at: 0))
      let (task, admission) = benches.bench.admit(CDB.ten(0x28, 0, 2048), nexus: late)
      // Up to three quarters in all: the last one is for others than this unit.
      #expect((admission == .refused) == (number >= 4))
      let (second, again) = benches.bench.admit(CDB.ten(0x28, 0, 2048), nexus: late)
      #expect(again == .refused && second.status == .busy)
      if admission == .execute {
        benches.bench.server.execute(task)
        tasks.append(task)
      }
    }
    benches.stores[0].releaseHeld()
    benches.turn()
    #expect(tasks.allSatisfy { $0.phase == .ended } && benches.server(0).lentBytes == 0)
  }

  @Test(
    "A command with a second buffer is served beside a node that has all the memory of its unit",
    arguments: [
      CDB.ten(0x2F, 0, 128), CDB.compareAndWrite(0, 1), CDB.sixteen(0x8B, 0, 128),
      CDB.ten(0x41, 0, 128),
    ])
  func secondBuffer(cdb: [UInt8]) throws {
    let benches = benches()
    let bench = benches.bench
    benches.stores[0].isHolding = true
    var tasks = try flood(benches)
    let late = try #require(bench.secondNexus(named: "late").unitNexus(at: 0))
    let out = [UInt8](repeating: 7, count: cdb[0] == 0x41 ? 512 : cdb[0] == 0x89 ? 1024 : 65_536)
    tasks.append(bench.begin(cdb, out: out, nexus: late))
    // Nobody has two of what the others leave.
    let (second, admission) = bench.admit(CDB.ten(0x2F, 0, 128), nexus: late)
    #expect(admission == .execute)
    bench.server.execute(second)
    benches.turn(4)
    let first = tasks[tasks.count - 1]
    #expect(first.phase == .executing && first.scratch != nil)
    #expect(second.phase == .ended && second.status == .busy)
    benches.stores[0].releaseHeld()
    benches.turn()
    #expect(tasks.allSatisfy { $0.phase == .ended && $0.status != .busy })
    #expect(benches.server(0).lentBytes == 0)
  }

  @Test("Second buffers of many nodes leave the last quarter, too")
  func secondBuffers() throws {
    let benches = benches()
    let bench = benches.bench
    benches.stores[0].isHolding = true
    var tasks = try flood(benches)
    for number in 0..<8 {
      let late = try #require(bench.secondNexus(named: "l\(number)").unitNexus(at: 0))
      let task = bench.begin(CDB.ten(0x2F, 0, 2048), nexus: late)
      #expect((task.phase == .ended && task.status == .busy) == (number >= 4))
      tasks.append(task)
    }
    #expect(bench.reactor.buffers.lentBytes == Self.memory / 4 * 3)
    benches.stores[0].releaseHeld()
    benches.turn()
    #expect(tasks.allSatisfy { $0.phase == .ended } && benches.server(0).lentBytes == 0)
  }

  @Test("A wipe has its memory as its unit's, and none of what is kept for logins")
  func wipe() throws {
    let benches = benches()
    let bench = benches.bench
    let pool = bench.reactor.buffers
    let others = try [4, 4, 4, 1].map { try #require(pool.allocate($0 << 20)) }
    let overwrite = CDB.sanitize(1, 5)
    let pattern: [UInt8] = [1, 0, 0, 1, 0x3C]
    let refused = bench.begin(overwrite, out: pattern)
    #expect(refused.status == .busy && bench.unit.medium.condition == .ready)
    refused.recycle(to: pool)
    for buffer in others { pool.release(buffer) }
    benches.stores[0].isHolding = true
    let task = bench.begin(overwrite, out: pattern)
    benches.turn(4)
    #expect(task.phase == .executing && bench.server.lentBytes == 1 << 20 + 4096)
    benches.stores[0].releaseHeld()
    benches.turn()
    #expect(task.phase == .ended && task.status == .good && bench.server.lentBytes == 0)
  }

  @Test("A second buffer goes back when its command ends, not when the answer has left")
  func endedVerify() {
    let benches = benches()
    let pool = benches.bench.reactor.buffers
    let before = pool.lentBytes
    let task = benches.bench.begin(CDB.ten(0x2F, 0, 128))
    benches.turn(4)
    #expect(task.phase == .ended && task.status == .good)
    #expect(pool.lentBytes == before)
    task.recycle(to: pool)
  }

  @Test("However commands end, with a second buffer, aborted or refused, nothing stays charged")
  func accounts() throws {
    let benches = benches()
    let bench = benches.bench
    let out = [UInt8](repeating: 7, count: 65_536)
    _ = bench.run(CDB.ten(0x2F, 0, 128))  // VERIFY
    _ = bench.run(CDB.ten(0x2F, 0, 128, flags: 2), out: out)
    _ = bench.run(CDB.compareAndWrite(0, 1), out: Array(out[..<1024]))
    _ = bench.run(CDB.ten(0x41, 0, 0), out: Array(out[..<512]))  // WRITE SAME
    _ = bench.run(CDB.ten(0x2A, 5000, 1), out: Array(out[..<512]))
    #expect(bench.server.lentBytes == 0)
    let (task, admission) = bench.admit(CDB.ten(0x2A, 0, 128), out: out)
    #expect(admission != .refused && bench.server.lentBytes == 65_536)
    bench.server.abort(task, barrier: nil)
    #expect(bench.server.lentBytes == 0)
    task.recycle(to: bench.reactor.buffers)
  }
}
