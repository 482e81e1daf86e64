import ProofKit
import Testing

/// Few commands of the million that scripts/test runs in optimised code.
@Suite("A logical unit against its model")
struct UnitModelTests {
  @Test(
    "Random commands of several nodes answer and leave what the model does",
    arguments: 1...4 as ClosedRange<UInt64>)
  func agreement(seed: UInt64) throws {
    let report = try UnitModelRun.run(seed: seed, commands: 3000)
    #expect(report.difference == nil)
    // All kinds of answers, or the commands were not random enough to prove anything.
    for answer in ["good", "reservationConflict", "05/21/00", "0E/1D/00", "07/27/00", "06/2A/01"] {
      #expect(report.answers[answer, default: 0] > 0, "\(answer)")
    }
    #expect(report.answers["good", default: 0] > 1000)
    #expect(report.anchoredRanges > 10)
  }
}
