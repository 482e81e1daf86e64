/// Text of any origin made fit for one line of a log: whatever a peer put into a name, it cannot
/// end the line, forge another one, or drive a terminal.
enum LogText {
  /// Enough for the longest iSCSI name, 223 bytes (RFC 7143 §4.2.7.1).
  static let valueBytesMax = 256
  static let messageBytesMax = 1024

  /// Escapes control characters and bounds the length.
  static func message(_ text: String) -> String { escaped(text, bytesMax: messageBytesMax) }

  /// As `message`, in quotes where it would not read as one word, and any quote in it escaped.
  static func value(_ text: String) -> String {
    let text = escaped(text, bytesMax: valueBytesMax, escapesQuotes: true)
    return isWord(text) ? text : "\"\(text)\""
  }

  private static func isWord(_ text: String) -> Bool {
    !text.isEmpty
      && text.unicodeScalars.allSatisfy {
        !$0.properties.isWhitespace && $0 != "\"" && $0 != "="
      }
  }

  /// Scalar by scalar: as characters, a quote that a combining mark follows is no quote, but to
  /// whoever reads bytes it is one.
  private static func escaped(
    _ text: String, bytesMax: Int, escapesQuotes: Bool = false
  ) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      guard result.utf8.count < bytesMax else { return result + "…(\(text.utf8.count) bytes)" }
      switch scalar {
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\\": result += "\\\\"
      case "\"" where escapesQuotes: result += "\\\""
      case _ where isHarmful(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// C0 and C1 controls and DEL (ANSI escapes begin with one), line and paragraph separators, and
  /// format characters, which turn text around or hide it.
  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
      .unassigned:
      true
    default: false
    }
  }
}
