import Bytes
import Testing

@testable import ISCSITarget

@Suite("Acknowledged status")
struct AcknowledgedStatusTests {
  private var acknowledged = AcknowledgedStatus()

  private mutating func count(_ expStatSN: UInt32, before statSN: UInt32, max: Int = 128) -> Int {
    acknowledged.countOnTheirWay(
      SerialNumber(expStatSN), before: SerialNumber(statSN), countMax: max)
  }

  @Test(
    "Answers of a deep queue are on their way, also while several commands acknowledge the same")
  mutating func deepQueue() {
    for round in UInt32(0)..<1000 {
      let statSN = 100 + round * 8
      for _ in 0..<8 { #expect(count(statSN - 30, before: statSN) == 30) }
    }
  }

  @Test("Of an initiator that acknowledges nothing no answer counts, until it does")
  mutating func neverAcknowledges() {
    var last = 0
    for statSN in UInt32(100)..<300 { last = count(100, before: statSN) }
    #expect(last == 0)
    #expect(count(298, before: 300) == 2)
  }

  @Test("Never more answers than commands there can be, and none before they are sent")
  mutating func bounds() {
    #expect(count(1, before: 1_000_000) == 128)
    #expect(count(1_000_010, before: 1_000_000) == 0)
    acknowledged = AcknowledgedStatus()
    // Numbers wrap.
    #expect(count(.max - 3, before: 2) == 6)
    #expect(count(1, before: 2) == 1)
  }
}
