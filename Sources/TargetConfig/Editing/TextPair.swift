internal import Glibc

/// Two texts whose values are compared. What stands in both in the same bytes says the same, which
/// is found out at once for most of a large configuration.
struct TextPair {
  let first: [UInt8]
  let second: [UInt8]

  /// False for a value that stands in no text.
  func haveSameBytes(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    guard one.count == other.count, !one.isEmpty, one.upperBound <= first.count,
      other.upperBound <= second.count
    else { return false }
    return unsafe first.withUnsafeBytes { first in
      unsafe second.withUnsafeBytes { second in
        guard let first = first.baseAddress, let second = second.baseAddress else { return false }
        return unsafe memcmp(first + one.lowerBound, second + other.lowerBound, one.count) == 0
      }
    }
  }
}
