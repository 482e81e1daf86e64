/// JSON with its members in a chosen order, so that the schema reads well and is always the same.
indirect enum JSONText {
  case boolean(Bool)
  case integer(Int64)
  case text(String)
  case list([JSONText])
  case object([(String, JSONText)])

  func rendered(indentation: Int = 0) -> String {
    let inner = String(repeating: " ", count: indentation + 2)
    let outer = String(repeating: " ", count: indentation)
    switch self {
    case .boolean(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .text(let value): return Self.escaped(value)
    case .list(let values):
      return "[" + values.map { $0.rendered(indentation: indentation) }.joined(separator: ", ")
        + "]"
    case .object(let members):
      let lines = members.map { key, value in
        inner + Self.escaped(key) + ": " + value.rendered(indentation: indentation + 2)
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(outer)}"
    }
  }

  /// RFC 8259 §7: quotes, backslashes and control characters are escaped.
  private static func escaped(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\0"..."\u{1F}":
        let digits = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
