/// The rules for names of iSCSI nodes (RFC 7143 §4.2.7).
public enum ISCSIName {
  /// RFC 7143 §4.2.7.1: at most 223 bytes of UTF-8.
  static let byteCountMax = 223

  /// ASCII in lower case, as names are compared at login, byte for byte. All else stays: another
  /// folding here than there would make two names of one.
  public static func normalized(_ name: String) -> String {
    guard name.utf8.contains(where: isCapital) else { return name }
    return String(decoding: name.utf8.map { isCapital($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }

  /// Whether `normalized(name)` is `other`.
  static func isNormalized(_ name: String, to other: String) -> Bool {
    let (given, wanted) = (name.utf8.span, other.utf8.span)
    guard given.count == wanted.count else { return false }
    for index in given.indices {
      let byte = given[index]
      guard (isCapital(byte) ? byte | 0x20 : byte) == wanted[index] else { return false }
    }
    return true
  }

  private static func isCapital(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

  /// Why `name` cannot be used at all, completing "<name> …"; nil when it can.
  public static func problem(in name: String, isTarget: Bool) -> String? {
    if name.isEmpty { return "is empty: write a name like iqn.2026-11.com.example:disk" }
    if name.utf8.count > byteCountMax {
      return "has \(name.utf8.count) bytes: a name has at most \(byteCountMax) "
        + "(RFC 7143 §4.2.7.1)"
    }
    for scalar in name.unicodeScalars {
      let isBlank =
        scalar.isControl || (scalar.isASCII ? scalar == " " : scalar.properties.isWhitespace)
      if isBlank || (isTarget && scalar.isASCII && !isPlain(scalar)) {
        return "contains \(String(Character(scalar)).quoted): a name consists of letters, digits, "
          + "\"-\", \".\" and \":\" (RFC 7143 §4.2.7.2)" + meaning(name)
      }
    }
    return nil
  }

  /// What is unusual about a usable name, completing "<name> …"; nil when nothing is.
  public static func warning(for name: String, isTarget: Bool = false) -> String? {
    let used = normalized(name)
    let fault = fault(inFormOf: used)
    // No address has the form of a name: the thousands of good ones need not be read as addresses.
    if fault != nil, isAddress(name) {
      return "is an address: an initiator is named by the name in its own configuration, and "
        + "\"addresses\" says where it may come from"
    }
    if let odd = name.unicodeScalars.first(where: { $0.isASCII && !isPlain($0) }) {
      return "contains \(String(Character(odd)).quoted), which RFC 7143 §4.2.7.2 does not allow"
        + meaning(name)
    }
    if let fault {
      return sentence(fault, isTarget) + meaning(name)
    }
    return name == used
      ? nil : "has capital letters: it is used as \(used.quoted) (RFC 7143 §4.2.7.2)"
  }

  /// Who has only an address writes it where a name belongs.
  public static func isAddress(_ name: String) -> Bool { AddressPattern(name) != nil }

  private static func meaning(_ name: String) -> String {
    correction(of: name).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  /// What is wrong with the form of a name.
  enum FormFault {
    case unknownType
    case undated
    case unqualified
    case badEUI
    case badNAA
  }

  /// Of a name in lower case.
  static func fault(inFormOf name: String) -> FormFault? {
    guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) else { return .unknownType }
    let rest = name[name.utf8.index(after: dot)...]
    switch name[..<dot] {
    case "iqn":
      if isQualified(rest) { return nil }
      return rest.first?.isNumber == true ? .unqualified : .undated
    case "eui": return isHexadecimal(rest, [16]) ? nil : .badEUI
    case "naa": return isHexadecimal(rest, [16, 32]) ? nil : .badNAA
    default: return .unknownType
    }
  }

  private static func sentence(_ fault: FormFault, _ isTarget: Bool) -> String {
    switch fault {
    case .unknownType:
      "does not begin with iqn., eui. or naa. (RFC 7143 §4.2.7): "
        + (isTarget
          ? "some initiators refuse it"
          : "compare it with the name in the initiator's own configuration")
    case .undated:
      "has no date: the form is iqn.yyyy-mm.reversed.domain:name, with a month in which the domain "
        + "was yours"
    case .unqualified: "does not have the form iqn.yyyy-mm.reversed.domain:name"
    case .badEUI: "does not have 16 hexadecimal digits after \"eui.\""
    case .badNAA: "does not have 16 or 32 hexadecimal digits after \"naa.\""
    }
  }

  static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "-", ".", ":": true
    default: false
    }
  }

  private static func isHexadecimal(_ text: Substring, _ counts: [Int]) -> Bool {
    counts.contains(text.count) && text.allSatisfy { $0.isASCII && $0.isHexDigit }
  }

  /// `yyyy-mm.` and something after it (§4.2.7.4).
  private static func isQualified(_ text: Substring) -> Bool {
    var month: UInt8 = 0
    for (index, byte) in text.utf8.prefix(9).enumerated() {
      switch index {
      case 4: guard byte == UInt8(ascii: "-") else { return false }
      case 7: guard byte == UInt8(ascii: ".") else { return false }
      case 8: break
      default:
        guard (0x30...0x39).contains(byte) else { return false }
        if index > 4 { month = month * 10 + byte - 0x30 }
      }
    }
    return text.utf8.count > 8 && (1...12).contains(month)
  }
}
