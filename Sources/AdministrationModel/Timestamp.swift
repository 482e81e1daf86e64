/// A moment to the millisecond, in UTC. On the wire as in RFC 3339: `2026-11-21T06:44:14.250Z`.
public struct Timestamp: Sendable, Hashable {
  /// Since 1970, without leap seconds.
  public var millisecondsSinceEpoch: Int64

  public init(millisecondsSinceEpoch: Int64) {
    self.millisecondsSinceEpoch = millisecondsSinceEpoch
  }

  public init(secondsSinceEpoch: Int64) {
    let (milliseconds, overflow) = secondsSinceEpoch.multipliedReportingOverflow(by: 1000)
    millisecondsSinceEpoch = overflow ? (secondsSinceEpoch < 0 ? .min : .max) : milliseconds
  }
}

extension Timestamp: Comparable {
  public static func < (a: Timestamp, b: Timestamp) -> Bool {
    a.millisecondsSinceEpoch < b.millisecondsSinceEpoch
  }
}

extension Timestamp {
  /// A date and time of the Gregorian calendar, in UTC.
  public struct Civil: Sendable, Equatable {
    public var year, month, day, hour, minute, second, millisecond: Int
    /// 0 is Sunday.
    public var weekday: Int
  }

  /// Days are counted from 1 March of year 0, so that the leap day ends a year: 400 years have
  /// 146,097 days, and months from March on begin at day (153 m + 2) / 5.
  public var civil: Civil {
    let millisecondsOfDay = Int64(86_400_000)
    var days = millisecondsSinceEpoch / millisecondsOfDay
    var rest = millisecondsSinceEpoch % millisecondsOfDay
    if rest < 0 { (days, rest) = (days - 1, rest + millisecondsOfDay) }
    let shifted = Int(days) + Self.daysFromMarchZeroToEpoch
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let seconds = Int(rest / 1000)
    // 1 January 1970 was a Thursday.
    let weekday = ((Int(days) % 7) + 11) % 7
    return Civil(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
      day: dayOfYear - (153 * monthFromMarch + 2) / 5 + 1, hour: seconds / 3600,
      minute: seconds / 60 % 60, second: seconds % 60, millisecond: Int(rest % 1000),
      weekday: weekday)
  }

  private static let daysFromMarchZeroToEpoch = 719_468

  private static func days(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - daysFromMarchZeroToEpoch
  }
}

extension Timestamp: LosslessStringConvertible {
  public var description: String {
    let civil = civil
    let date = "\(civil.year, 4)-\(civil.month, 2)-\(civil.day, 2)"
    return date + "T\(civil.hour, 2):\(civil.minute, 2):\(civil.second, 2).\(civil.millisecond, 3)Z"
  }

  /// Takes what RFC 3339 §5.6 allows in UTC: `Z`, any number of decimals, of which three count.
  public init?(_ description: String) {
    let bytes = Array(description.utf8)
    guard bytes.count >= 20, bytes.last == UInt8(ascii: "Z") else { return nil }
    let separators: [(Int, UInt8)] = [
      (4, UInt8(ascii: "-")), (7, UInt8(ascii: "-")), (10, UInt8(ascii: "T")),
      (13, UInt8(ascii: ":")), (16, UInt8(ascii: ":")),
    ]
    guard separators.allSatisfy({ bytes[$0.0] == $0.1 }),
      let year = Self.number(bytes[0..<4]), let month = Self.number(bytes[5..<7]),
      let day = Self.number(bytes[8..<10]), let hour = Self.number(bytes[11..<13]),
      let minute = Self.number(bytes[14..<16]), let second = Self.number(bytes[17..<19]),
      (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60,
      let milliseconds = Self.milliseconds(bytes[19..<(bytes.count - 1)])
    else { return nil }
    let days = Self.days(year: year, month: month, day: day)
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
    self.init(millisecondsSinceEpoch: Int64(seconds) * 1000 + Int64(milliseconds))
    // 30 February would have become another day.
    guard civil.month == month else { return nil }
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    var value = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      value = value * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return value
  }

  /// Nothing, or a point and digits.
  private static func milliseconds(_ text: ArraySlice<UInt8>) -> Int? {
    guard let point = text.first else { return 0 }
    let digits = text.dropFirst()
    guard point == UInt8(ascii: "."), !digits.isEmpty,
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: 3)
    return number((digits.prefix(3) + zeros).prefix(3))
  }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let timestamp = Timestamp(text) else {
      throw WireProblem("is not a time like 2026-11-21T06:44:14.250Z").error(at: decoder.codingPath)
    }
    self = timestamp
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension DefaultStringInterpolation {
  /// A number with leading zeros.
  fileprivate mutating func appendInterpolation(_ number: Int, _ width: Int) {
    let digits = String(number)
    appendLiteral(String(repeating: "0", count: max(0, width - digits.count)) + digits)
  }
}
