internal import Bytes

/// What an initiator says it has seen of a connection's statuses, by the ExpStatSN of its commands:
/// from that the reactor's pace knows how many requests it keeps on their way.
///
/// ExpStatSN is the initiator's word. One that takes no notice of StatSN, and repeats an old number
/// for ever, would pass for one with a deep queue, and make the reactor gather requests that do not
/// come while others wait. So its answers count as on their way for a few commands only, until it
/// acknowledges one more; and never more of them than it may have commands.
struct AcknowledgedStatus {
  /// Commands in a row that may acknowledge nothing new: a deep queue's, all sent before the next
  /// answer came. Deeper ones do not change the pace.
  static let repetitionsMax = 64

  private var latest = SerialNumber(0)
  private var repetitions = 0

  /// How many of the statuses before `statSN` are still on their way to an initiator that has just
  /// sent `expStatSN`, at most `countMax`.
  mutating func countOnTheirWay(
    _ expStatSN: SerialNumber, before statSN: SerialNumber, countMax: Int
  ) -> Int {
    if latest.precedes(expStatSN) {
      latest = expStatSN
      repetitions = 0
    } else if repetitions < AcknowledgedStatus.repetitionsMax {
      repetitions += 1
    }
    guard repetitions < AcknowledgedStatus.repetitionsMax else { return 0 }
    return min(max(Int(statSN.distance(from: expStatSN)), 0), countMax)
  }
}
