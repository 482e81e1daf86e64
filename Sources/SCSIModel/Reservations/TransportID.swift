internal import Bytes

/// The TransportID of iSCSI, which names an initiator device or one of its ports (SPC-4 §7.6.4.6).
///
/// | byte | field                                                                          |
/// |------|--------------------------------------------------------------------------------|
/// | 0    | bits 7–6 FORMAT: 0 device, 1 port; bits 3–0 PROTOCOL IDENTIFIER 5               |
/// | 2–3  | ADDITIONAL LENGTH: of what follows, at least 20, a multiple of 4                |
/// | 4…   | name, for a port then `,i,0x` and the ISID in hexadecimal; NUL, padded with NULs |
public enum TransportID: Hashable, Sendable {
  /// FORMAT 00b: a name, which stands for every port of the device that is known.
  case device(name: String)
  /// FORMAT 01b.
  case port(InitiatorPort)

  /// RFC 7143 §4.2.7.
  public static let nameBytesMax = 223

  /// The longest: 223 bytes of name, separator, 12 digits, and NULs to a multiple of 4.
  public static let byteCountMax = 4 + 244

  private static let separator = Array(",i,0x".utf8)

  public var name: String {
    switch self {
    case .device(let name): name
    case .port(let port): port.name
    }
  }

  /// The wire form. The ISID has twelve digits. Names have at most 223 bytes.
  public var encoded: [UInt8] {
    var text = Array(name.utf8.prefix(Self.nameBytesMax))
    var format: UInt8 = 0
    if case .port(let port) = self {
      format = 1
      let digits = String(port.isid & 0xFFFF_FFFF_FFFF, radix: 16)
      text += Self.separator
      text += repeatElement(UInt8(ascii: "0"), count: 12 - digits.utf8.count)
      text += digits.utf8
    }
    let length = max(20, (text.count + 4) / 4 * 4)
    var writer = ByteWriter(reserving: 4 + length)
    writer.uint8(format << 6 | 0x05)
    writer.uint8(0)
    writer.uint16(UInt16(length))
    writer.append(text)
    writer.zeros(length - text.count)
    return writer.bytes
  }
}

// MARK: - Decoding

extension TransportID {
  /// Reads the TransportID at an offset of a parameter list; `byteCount` is all that it takes. One
  /// that the list does not hold to its end is a PARAMETER LIST LENGTH ERROR, anything else wrong
  /// is an INVALID FIELD IN PARAMETER LIST that points at it.
  public static func decode(
    _ list: [UInt8], at offset: Int
  ) throws(SenseData) -> (transportID: TransportID, byteCount: Int) {
    guard offset >= 0, offset <= list.count, list.count - offset >= 4 else {
      throw .parameterListLengthError
    }
    guard list[offset] & 0x3F == 0x05 else {
      throw .invalidFieldInParameterList(byte: offset, bit: list[offset] & 0x30 != 0 ? 5 : 3)
    }
    let format = list[offset] >> 6
    guard format <= 1 else { throw .invalidFieldInParameterList(byte: offset, bit: 7) }
    let length = Int(list[offset + 2]) << 8 | Int(list[offset + 3])
    guard length >= 20, length % 4 == 0, length <= byteCountMax - 4 else {
      throw .invalidFieldInParameterList(byte: offset + 2, bit: 7)
    }
    guard list.count - offset - 4 >= length else { throw .parameterListLengthError }
    let text = try text(of: list, offset + 4..<offset + 4 + length)
    guard let transportID = TransportID(text: text, isPort: format == 1) else {
      throw .invalidFieldInParameterList(byte: offset + 4, bit: 7)
    }
    return (transportID, 4 + length)
  }

  /// What stands before the first NUL, which must be there and be followed by NULs only.
  private static func text(
    of list: [UInt8], _ field: Range<Int>
  ) throws(SenseData) -> ArraySlice<UInt8> {
    guard let end = list[field].firstIndex(of: 0) else {
      throw .invalidFieldInParameterList(byte: field.upperBound - 1, bit: 7)
    }
    if let stray = list[end..<field.upperBound].firstIndex(where: { $0 != 0 }) {
      throw .invalidFieldInParameterList(byte: stray, bit: 7)
    }
    return list[field.lowerBound..<end]
  }

  private init?(text: ArraySlice<UInt8>, isPort: Bool) {
    guard isPort else {
      guard let name = Self.name(text) else { return nil }
      self = .device(name: name)
      return
    }
    // The separator and at most twelve digits end the text, so they are searched at its end.
    let digits = text.reversed().prefix { Self.digit($0) != nil }.count
    guard (1...12).contains(digits) else { return nil }
    let head = text.dropLast(digits)
    guard head.suffix(Self.separator.count).elementsEqual(Self.separator),
      let name = Self.name(head.dropLast(Self.separator.count))
    else { return nil }
    let isid = text.suffix(digits).reduce(UInt64(0)) { $0 << 4 | (Self.digit($1) ?? 0) }
    self = .port(InitiatorPort(name: name, isid: isid))
  }

  /// A name as logins have it: ASCII upper case folded, no control characters, no white space, no
  /// comma, which separates it from the ISID.
  private static func name(_ text: ArraySlice<UInt8>) -> String? {
    guard (1...nameBytesMax).contains(text.count),
      let name = String(
        validating: text.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    else { return nil }
    let isClean = name.unicodeScalars.allSatisfy {
      $0 != "," && $0.properties.generalCategory != .control && !$0.properties.isWhitespace
    }
    return isClean ? name : nil
  }

  private static func digit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case 0x30...0x39: UInt64(byte - 0x30)
    case 0x41...0x46: UInt64(byte - 0x41 + 10)
    case 0x61...0x66: UInt64(byte - 0x61 + 10)
    default: nil
    }
  }
}
