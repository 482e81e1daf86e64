import Testing

@testable import TargetcliCommands

/// Who gets in, in whatever order lines and other programs' changes come. Orders that have failed
/// once have claims of their own elsewhere: here are those that nobody has thought of.
struct RandomAccessTests {
  /// Each line reads the whole configuration several times, so some seconds in all.
  private static let seedCount: UInt64 = 50
  private static let stepCount = 12
  /// Of a quarter of the steps: lines that are refused prove nothing.
  private static let acceptedMin = 3 * Int(seedCount)

  @Test(
    "Nobody gets in whom nobody has let in, however lines and others' changes come",
    arguments: [0, 1_000, 2_000, 3_000] as [UInt64])
  func anyOrder(firstSeed: UInt64) async throws {
    var acceptedCount = 0
    for seed in firstSeed..<firstSeed + Self.seedCount {
      var access = try RandomAccess(seed: seed)
      for _ in 0..<Self.stepCount {
        if let complaint = try await access.step() {
          let lines = access.log.joined(separator: "\n  ")
          Issue.record("seed \(seed): \(complaint), after\n  \(lines)")
          return
        }
      }
      acceptedCount += access.acceptedCount
    }
    #expect(acceptedCount > Self.acceptedMin)
  }
}
