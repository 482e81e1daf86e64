internal import AdministrationModel

/// The moment as HTTP writes it (RFC 9110 §5.6.7): `Sat, 21 Nov 2026 06:44:14 GMT`.
enum HTTPDate {
  static var now: String { string(.now) }

  static func string(_ time: Timestamp) -> String {
    let civil = time.civil
    let weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][civil.weekday]
    let month = months[civil.month - 1]
    let clock = [civil.hour, civil.minute, civil.second].map(twoDigits).joined(separator: ":")
    return "\(weekday), \(twoDigits(civil.day)) \(month) \(civil.year) \(clock) GMT"
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func twoDigits(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}
