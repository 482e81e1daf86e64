internal import Bytes
internal import Crypto

/// The form of state files: lines of text, each ended by a line feed, of which the last is a
/// checksum of all above it. What was cut off or changed by accident is not taken for what was
/// written.
struct ChecksummedText {
  enum Checksum {
    /// `checksum` and eight digits: CRC32C.
    case crc32c
    /// `sha256` and 64 digits, as sha256sum(1) computes them.
    case sha256
  }

  /// The lines above the last, each with its line feed.
  let body: String

  init(_ body: String) { self.body = body }

  /// Nil: not what `content` gives for any body.
  init?(content: [UInt8], _ checksum: Checksum) {
    guard let text = String(validating: content, as: UTF8.self), text.utf8.last == 0x0A,
      let end = text.utf8.dropLast().lastIndex(of: 0x0A)
    else { return nil }
    self.init(String(text[...end]))
    guard self.content(checksum) == content else { return nil }
  }

  /// The bytes of the file.
  func content(_ checksum: Checksum) -> [UInt8] {
    Array((body + line(checksum)).utf8)
  }

  var lines: [Substring] { body.split(separator: "\n") }

  private func line(_ checksum: Checksum) -> String {
    switch checksum {
    case .crc32c: "checksum \(ChecksummedText.crc32c(body))\n"
    case .sha256: "sha256 \(Hexadecimal.text(SHA256.hash(data: Array(body.utf8))))\n"
    }
  }

  /// Eight digits.
  static func crc32c(_ text: String) -> String {
    var checksum = CRC32C()
    checksum.update(Array(text.utf8))
    return Hexadecimal.text(UInt64(checksum.value), digits: 8)
  }
}
