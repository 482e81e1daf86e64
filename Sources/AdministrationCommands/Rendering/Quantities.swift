internal import AdministrationModel

/// Numbers as people read them.
enum Quantity {
  private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

  /// `100 GiB`, `1.5 TiB`, `512 B`: whole where it is whole, else one decimal, rounded.
  static func size(_ bytes: UInt64) -> String {
    var unit = 0
    while unit < units.count - 1, bytes >> UInt64(10 * (unit + 1)) > 0 { unit += 1 }
    let shift = UInt64(10 * unit)
    let whole = bytes >> shift
    let rest = bytes - (whole << shift)
    guard rest > 0 else { return "\(whole) \(units[unit])" }
    let (high, low) = rest.multipliedFullWidth(by: 10)
    let tenths = high << (64 - shift) | low >> shift
    let isUp = low >> (shift - 1) & 1 == 1
    return decimal(tenths: whole * 10 + tenths + (isUp ? 1 : 0), unit)
  }

  /// 1023.96 MiB is rounded to 1 GiB, not to 1024.0 MiB.
  private static func decimal(tenths: UInt64, _ unit: Int) -> String {
    if tenths >= 10_240, unit < units.count - 1 { return "1.0 \(units[unit + 1])" }
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }

  static func size(_ bytes: UInt64?) -> String? { bytes.map { size($0) } }

  /// For a second: `12.3 MiB/s`.
  static func rate(bytes: UInt64, seconds: Double) -> String {
    size(UInt64(max(0, min(Double(bytes) / seconds, 9e18)))) + "/s"
  }

  /// Operations for a second; below ten with a decimal.
  static func rate(_ count: UInt64, seconds: Double) -> String {
    let rate = Double(count) / seconds
    return rate > 0 && rate < 9.95 ? decimal(rate) : "\(whole(rate))"
  }

  /// `85 µs`, `1.2 ms`, `3.4 s`.
  static func latency(_ microseconds: Double?) -> String? {
    guard let microseconds else { return nil }
    if microseconds < 999.5 { return "\(whole(microseconds)) µs" }
    if microseconds < 999_500 { return scaled(microseconds / 1000) + " ms" }
    return scaled(microseconds / 1_000_000) + " s"
  }

  private static func scaled(_ value: Double) -> String {
    value < 9.95 ? decimal(value) : "\(whole(value))"
  }

  private static func whole(_ value: Double) -> Int64 { Int64(min(max(value, 0), 9e18).rounded()) }

  private static func decimal(_ value: Double) -> String {
    let tenths = whole(value * 10)
    return "\(tenths / 10).\(tenths % 10)"
  }

  /// `2026-11-21 06:44:14Z`.
  static func time(_ timestamp: Timestamp?) -> String? {
    guard let timestamp else { return nil }
    var text = timestamp.description.prefix(19)
    if let index = text.firstIndex(of: "T") { text.replaceSubrange(index...index, with: " ") }
    return text + "Z"
  }

  /// `once`, `3 times`.
  static func times(_ number: UInt64) -> String { number == 1 ? "once" : "\(number) times" }

  /// `1 session`, `2 sessions`.
  static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }
}
