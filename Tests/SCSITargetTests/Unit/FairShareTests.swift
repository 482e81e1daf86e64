import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Fair shares")
struct FairShareTests {
  /// A bench whose store holds, and nexuses of the same initiator and of another.
  private func setting(
    queueDepth: Int
  ) throws -> (bench: Bench, same: LogicalUnitNexus, other: LogicalUnitNexus) {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20), queueDepth: queueDepth)
    bench.store.isHolding = true
    let name = bench.nexus.identity.initiator.name
    let same = try #require(bench.secondNexus(named: name).unitNexus(at: 0))
    let other = try #require(bench.secondNexus(named: "other").unitNexus(at: 0))
    return (bench, same, other)
  }

  @Test("Two sessions of an initiator have no more of a task set than one; another has some left")
  func tasks() throws {
    let (bench, same, other) = try setting(queueDepth: 64)
    let read = CDB.ten(0x28, 0, 1)
    for _ in 0..<64 - FairShare.keptPlaces(of: 64) { bench.begin(read) }
    let (refused, admission) = bench.admit(read, nexus: same)
    #expect(admission == .refused && refused.status == .busy)
    #expect(bench.admit(read, nexus: other).admission == .execute)
  }

  @Test("Nexuses of a name go by one number, whichever of them ends, and those of others by others")
  func numbers() throws {
    let bench = Bench(TestStore(blockBytes: 512, blocks: 20))
    let names = ["a", "b", "a", "c", "b"]
    var nexuses = names.map { (name: $0, nexus: bench.secondNexus(named: $0)) }
    for round in 0..<40 {
      let (name, first) = nexuses.removeFirst()
      first.detachAll()
      let next = round % 3 == 0 ? "d" : name
      nexuses.append((next, bench.secondNexus(named: next)))
      for one in nexuses {
        for other in nexuses {
          let pair = try [one, other].map { try #require($0.nexus.unitNexus(at: 0)) }
          #expect(
            (pair[0].initiatorNumber == pair[1].initiatorNumber) == (one.name == other.name))
        }
      }
      #expect(!nexuses.contains { $0.nexus.unitNexus(at: 0)?.initiatorNumber == bench.lun.number })
    }
  }

  @Test("Nor of the claims of ranges")
  func claims() throws {
    let (bench, same, other) = try setting(queueDepth: 1024)
    let both = [UInt8](repeating: 7, count: 1024)
    let claim = CDB.compareAndWrite(5, 1)
    for _ in 0..<RangeClaimCount.max - FairShare.keptPlaces(of: RangeClaimCount.max) {
      bench.begin(claim, out: both)
    }
    #expect(bench.begin(claim, out: both, nexus: same).status == .busy)
    #expect(bench.begin(claim, out: both, nexus: other).phase == .executing)
  }
}
