// Quoted text (json5.org §5).

extension DocumentReader {
  /// Reads text in double or single quotes. Errors point at its beginning and never show it.
  mutating func text() throws(DocumentSyntaxError) -> String {
    if let text = plainText() { return text }
    let begin = self
    let quote = current
    advance()
    var out: [UInt8] = []
    while let byte = current, byte != quote {
      switch byte {
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        throw begin.error("the text is not closed at the end of the line")
      case UInt8(ascii: "\\"):
        try escape(into: &out)
      default:
        out.append(byte)
        advance()
      }
    }
    guard current != nil else { throw begin.error("the text is not closed") }
    advance()
    return String(decoding: out, as: UTF8.self)
  }

  /// Text that stands in the file as it is, which most does; nil: it has an escape, a control
  /// character or no end, of which the slow way tells.
  private mutating func plainText() -> String? {
    let quote = bytes[position]
    var end = position + 1
    while end < bytes.count, bytes[end] != quote {
      guard bytes[end] >= 0x20, bytes[end] != UInt8(ascii: "\\") else { return nil }
      end += 1
    }
    guard end < bytes.count else { return nil }
    defer { position = end + 1 }
    return String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
  }

  private mutating func escape(into out: inout [UInt8]) throws(DocumentSyntaxError) {
    let begin = self
    advance()
    guard let byte = current else { throw begin.error("the text is not closed") }
    switch byte {
    case UInt8(ascii: "\r"), UInt8(ascii: "\n"):  // a continued line
      let isPair = byte == UInt8(ascii: "\r") && self.byte(at: position + 1) == UInt8(ascii: "\n")
      advance(by: isPair ? 2 : 1)
    case UInt8(ascii: "u"):
      advance()
      try unicodeEscape(begin: begin, into: &out)
    case UInt8(ascii: "x"):
      advance()
      out.append(contentsOf: String(scalar(try hexadecimal(2, begin: begin))).utf8)
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      throw begin.error("a backslash before a digit is not an escape")
    default:
      out.append(Self.simpleEscapes[byte] ?? byte)
      advance()
    }
  }

  private static let simpleEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A,
    UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09, UInt8(ascii: "v"): 0x0B,
  ]

  private mutating func unicodeEscape(
    begin: DocumentReader, into out: inout [UInt8]
  ) throws(DocumentSyntaxError) {
    var code = try hexadecimal(4, begin: begin)
    if (0xD800...0xDBFF).contains(code) {
      guard current == UInt8(ascii: "\\"), byte(at: position + 1) == UInt8(ascii: "u") else {
        throw begin.error("half of a surrogate pair")
      }
      advance(by: 2)
      let low = try hexadecimal(4, begin: begin)
      guard (0xDC00...0xDFFF).contains(low) else { throw begin.error("half of a surrogate pair") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard Unicode.Scalar(code) != nil else { throw begin.error("half of a surrogate pair") }
    out.append(contentsOf: String(scalar(code)).utf8)
  }

  private func scalar(_ code: UInt32) -> Character {
    Character(Unicode.Scalar(code) ?? "\u{FFFD}")
  }

  private mutating func hexadecimal(
    _ count: Int, begin: DocumentReader
  ) throws(DocumentSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<count {
      guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw begin.error("the escape needs \(count) hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      advance()
    }
    return value
  }
}
