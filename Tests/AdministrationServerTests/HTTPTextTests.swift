import AdministrationModel
import Testing

@testable import AdministrationServer

@Suite("Texts of HTTP")
struct HTTPTextTests {
  @Test("Dates are those of HTTP")
  func date() {
    #expect(
      HTTPDate.string(Timestamp(secondsSinceEpoch: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
  }

  @Test(
    "Percent-encoding is undone, or refused",
    arguments: [
      ("a%2Fb", "a/b"), ("%5b::%5D", "[::]"), ("%c3%a9+", "é+"), ("", ""), ("%", nil), ("%4", nil),
      ("%zz", nil), ("%ff", nil), ("a%00", nil), ("%+1", nil),
    ] as [(String, String?)])
  func percent(text: String, decoded: String?) {
    #expect(PercentEncoding.decode(text) == decoded)
  }

  @Test("Names in messages cannot move the cursor, and have an end")
  func shown() {
    #expect("a\u{1B}[2Jb\u{202E}".shown == "\"a?[2Jb?\"")
    #expect(String(repeating: "x", count: 10_000).shown.count == 243)
  }
}
