/// Names, which may be of any characters, as words and file names of the state directory: distinct
/// names stay distinct, and none is a path.
enum StateName {
  /// Everything but ASCII letters, digits, "-" and "_" as %XX.
  static func encoded(_ name: String) -> String {
    if name.utf8.allSatisfy(isPlain) { return name }
    return name.utf8.map(encoded).joined()
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func encoded(_ byte: UInt8) -> String {
    guard !isPlain(byte) else { return String(Unicode.Scalar(byte)) }
    return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
  }

  // MARK: File names

  /// Leaves room for suffixes within the 255 bytes of a file name.
  static let fileNameBytesMax = 200

  /// `encoded`, shortened where it is too long for a file name; "%%" occurs in no other.
  static func fileName(of name: String) -> String {
    let text = encoded(name)
    guard text.utf8.count > fileNameBytesMax else { return text }
    return text.prefix(fileNameBytesMax) + "%%" + ChecksummedText.crc32c(name)
  }

  // MARK: Words

  /// As `encoded`, but with "." and ":" as they are, and so iSCSI names too.
  static func word(_ name: String) -> String {
    var text = ""
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "."), UInt8(ascii: ":"): text.unicodeScalars.append(Unicode.Scalar(byte))
      default: text += encoded(byte)
      }
    }
    return text
  }

  /// The name that a word stands for. Takes what `word` does not write, too; nil: stands for
  /// nothing.
  static func name(ofWord word: some StringProtocol) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(word.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard let escaped = UInt8(digits, radix: 16) else { return nil }
      bytes.append(escaped)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
