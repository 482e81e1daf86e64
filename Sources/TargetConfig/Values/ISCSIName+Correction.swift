extension ISCSIName {
  /// The name without fault that was most likely meant; nil where that is not evident. The usual
  /// slips: capital letters, spaces or underscores between words, and a date that is not written
  /// `iqn.yyyy-mm.`.
  static func correction(of name: String) -> String? {
    guard name.utf8.count <= byteCountMax else { return nil }
    var words = normalized(name).unicodeScalars.map { $0 == " " || $0 == "_" ? "-" : $0 }
    // What was around it came with a copy.
    while words.last == "-" { words.removeLast() }
    words = Array(words.drop { $0 == "-" })
    var text = String(String.UnicodeScalarView(words))
    text = withDate(text) ?? text
    guard text != name, problem(in: text, isTarget: true) == nil,
      fault(inFormOf: text) == nil
    else { return nil }
    return text
  }

  /// `iqn.2026.11.`, `iqn-2026-11.`, `iqn.2026-1.` and the like with the date as it is written.
  private static func withDate(_ text: String) -> String? {
    let separators: Set<Character> = [".", "-", "/", ":"]
    var rest = Substring(text)
    func number(_ digitCounts: ClosedRange<Int>) -> Substring? {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard digitCounts.contains(digits.count) else { return nil }
      rest = rest.dropFirst(digits.count)
      guard let separator = rest.first, separators.contains(separator) else { return nil }
      rest = rest.dropFirst()
      return digits
    }
    guard rest.hasPrefix("iqn"), let separator = rest.dropFirst(3).first,
      separators.contains(separator)
    else { return nil }
    rest = rest.dropFirst(4)
    guard let year = number(4...4), let month = number(1...2) else { return nil }
    return "iqn.\(year)-\(month.count == 1 ? "0" : "")\(month).\(rest)"
  }
}
