import AdministrationModel
import Testing

@Suite("Moments")
struct TimestampTests {
  @Test(
    "Are written as RFC 3339 has them, and read back",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (1_795_243_454_250, "2026-11-21T06:44:14.250Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
      (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ] as [(Int64, String)])
  func text(milliseconds: Int64, text: String) {
    let time = Timestamp(millisecondsSinceEpoch: milliseconds)
    #expect(time.description == text)
    #expect(Timestamp(text) == time)
  }

  @Test(
    "Know their day of the week",
    arguments: [(0, 4), (86_400, 5), (-86_400, 3), (1_795_243_454, 6)])
  func weekday(seconds: Int64, weekday: Int) {
    #expect(Timestamp(secondsSinceEpoch: seconds).civil.weekday == weekday)
  }

  @Test("Need no decimals, and take more than three")
  func decimals() {
    #expect(Timestamp("1970-01-01T00:00:01Z")?.millisecondsSinceEpoch == 1000)
    #expect(Timestamp("1970-01-01T00:00:01.5Z")?.millisecondsSinceEpoch == 1500)
    #expect(Timestamp("1970-01-01T00:00:01.123999Z")?.millisecondsSinceEpoch == 1123)
  }

  @Test(
    "That are none are refused",
    arguments: [
      "", "Z", "2026-11-21", "2026-11-21T06:44:14", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
      "2026-11-21T24:00:00Z", "2026-11-21T06:60:00Z", "2026-11-21 06:44:14Z",
      "2026-11-21T06:44:14.Z",
      "2026-11-21T06:44:14.x1Z", "+026-11-21T06:44:14Z", "2026-11-21T06:44:14+01:00",
    ])
  func refused(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test("Of every length but the whole are refused")
  func truncated() {
    let text = "2026-11-21T06:44:14Z"
    for length in 0..<text.count { #expect(Timestamp(String(text.prefix(length))) == nil) }
  }

  @Test("Far away do not trap")
  func extremes() {
    #expect(Timestamp(secondsSinceEpoch: .max).millisecondsSinceEpoch == .max)
    #expect(Timestamp(secondsSinceEpoch: .min).millisecondsSinceEpoch == .min)
    #expect(!Timestamp(millisecondsSinceEpoch: .max).description.isEmpty)
    #expect(!Timestamp(millisecondsSinceEpoch: .min).description.isEmpty)
  }
}
