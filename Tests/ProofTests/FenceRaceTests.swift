import ProofKit
import Testing

/// Few races of the 20,000 that scripts/test runs in optimised code, and what they prove nothing
/// without.
@Suite("Fence races")
struct FenceRaceTests {
  @Test(
    "No write of a fenced node lands after the answer to the fence",
    arguments: 0..<8 as Range<UInt64>)
  func nothingLandsLate(part: UInt64) throws {
    for seed in 1 + part * 12..<13 + part * 12 {
      let outcome = try FenceRace.run(seed: seed)
      #expect(outcome.violations.isEmpty, "seed \(seed): \(outcome.description)")
    }
  }

  @Test(
    "The races are close: writes are under way when the fence comes, and land before its answer")
  func closeness() throws {
    let outcomes = try (1...40).map { try FenceRace.run(seed: $0) }
    #expect(outcomes.filter { $0.outstandingAtFence > 0 }.count > 30)
    #expect(outcomes.filter { $0.landedBefore > 0 }.count > 30)
  }

  @Test("A target that does not wait for its writes is caught: they land after the answer")
  func negativeControl() throws {
    var options = FenceRace.Options()
    options.bypassesBarrier = true
    let late = try (1...40).filter { try FenceRace.run(seed: $0, options).landedAfter > 0 }
    #expect(late.count >= 5, "late writes in the seeds \(late)")
  }

  @Test("A seed repeats its race: the same description, violations and counts of writes")
  func repeatable() throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      let outcomes = try (1...2).map { _ in try FenceRace.run(seed: seed) }
      #expect(outcomes[0] == outcomes[1])
    }
  }
}
