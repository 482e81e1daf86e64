/// Sizes as people write them: `200GiB`, `64 MiB`, `1.5TiB`, `1TB`, `1048576`.
public enum ByteSize {
  public struct ParseError: Error, Equatable {
    /// Completes "<value> …".
    public var sentence: String
  }

  /// The end of a signed 64-bit file offset: nothing larger can be stored.
  static let bytesMax = UInt64(Int64.max)

  private static let units: [String: UInt64] = [
    "": 1, "b": 1,
    "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50, "eib": 1 << 60,
    "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000,
    "pb": 1_000_000_000_000_000, "eb": 1_000_000_000_000_000_000,
  ]

  public static func parse(_ text: String) throws(ParseError) -> UInt64 {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }
    guard !number.isEmpty, !text.hasPrefix("-") else {
      throw ParseError(sentence: "is not a size: write for example \"64MiB\" or \"200GiB\"")
    }
    guard let factor = units[unit.lowercased()] else { throw unknownUnit(number, unit) }
    return try exact(number, factor)
  }

  /// "200G" means 2^30 to some tools and 10^9 to others; a disk must not depend on a guess.
  private static func unknownUnit(_ number: Substring, _ unit: Substring) -> ParseError {
    let letter = unit.uppercased()
    if ["K", "M", "G", "T", "P", "E"].contains(letter) {
      return ParseError(
        sentence: "is ambiguous: write \"\(number)\(letter)iB\" (powers of 1024) or "
          + "\"\(number)\(letter)B\" (powers of 1000)")
    }
    return ParseError(
      sentence: "has the unknown unit \(String(unit).quoted): write KiB, MiB, GiB, TiB, PiB or EiB "
        + "(powers of 1024), or KB, MB, GB, TB (powers of 1000)")
  }

  /// Whole and fractional part are scaled separately, in integers: nothing is rounded.
  private static func exact(_ number: Substring, _ factor: UInt64) throws(ParseError) -> UInt64 {
    let tooLarge = ParseError(sentence: "is more than 8EiB, the largest file offset")
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = parts.first, !first.isEmpty, parts.last?.isEmpty == false
    else { throw ParseError(sentence: "is not a number with a unit") }
    guard let whole = UInt64(first) else { throw tooLarge }
    let (scaled, overflowed) = whole.multipliedReportingOverflow(by: factor)
    guard !overflowed, scaled <= bytesMax else { throw tooLarge }
    guard parts.count == 2 else { return scaled }
    let notWhole = ParseError(sentence: "is not a whole number of bytes")
    guard parts[1].count <= 12, let fraction = UInt64(parts[1]) else { throw notWhole }
    var divisor: UInt64 = 1
    for _ in 0..<parts[1].count { divisor *= 10 }  // at most 10^12
    let (high, low) = fraction.multipliedFullWidth(by: factor)
    guard high < divisor else { throw tooLarge }
    let (quotient, remainder) = divisor.dividingFullWidth((high, low))
    guard remainder == 0 else { throw notWhole }
    let (sum, sumOverflowed) = scaled.addingReportingOverflow(quotient)
    guard !sumOverflowed, sum <= bytesMax else { throw tooLarge }
    return sum
  }

  /// The shortest exact spelling; what it writes, `parse` reads.
  public static func description(_ bytes: UInt64) -> String {
    let units: [(String, Int)] = [
      ("EiB", 60), ("PiB", 50), ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10),
    ]
    for (unit, shift) in units where (bytes >> shift) << shift == bytes && bytes > 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
  }
}
