import ISCSIModel

/// A header drawn as hexadecimal text. Everything from `//` to the end of a line is annotation.
func goldenHeader(_ text: String) -> BasicHeaderSegment {
  let digits = text.split(separator: "\n").flatMap { line -> [Character] in
    let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
    return code.filter { !$0.isWhitespace }
  }
  precondition(digits.count == 96, "a header has 48 bytes, not \(digits.count) digits")
  var bytes = InlineArray<48, UInt8>(repeating: 0)
  for index in 0..<48 {
    guard let byte = UInt8(String(digits[2 * index...2 * index + 1]), radix: 16) else {
      preconditionFailure("byte \(index) is not hexadecimal")
    }
    bytes[index] = byte
  }
  return BasicHeaderSegment(bytes: bytes)
}

extension BasicHeaderSegment {
  /// Comparable in `#expect`, and readable when it differs.
  var hex: String {
    (0..<48).map { index in
      let byte = String(bytes[index], radix: 16)
      return (byte.count == 1 ? "0" : "") + byte + (index % 4 == 3 ? "\n" : " ")
    }.joined()
  }
}
