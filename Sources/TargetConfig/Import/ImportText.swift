/// A file as text with numbered lines; every line is UTF-8.
enum ImportText {
  static func lines(
    _ bytes: [UInt8], fileName: String
  ) throws(ImportError) -> [(number: Int, text: String)] {
    var lines: [(number: Int, text: String)] = []
    for slice in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
      let number = lines.count + 1
      let line = slice.last == 0x0D ? slice.dropLast() : slice
      guard let text = String(validating: line, as: UTF8.self) else {
        throw ImportError(ImportPlace(file: fileName, line: number), "is not UTF-8 text")
      }
      lines.append((number, text))
    }
    return lines
  }

  /// What people write for yes.
  static func isYes(_ text: String) -> Bool {
    ["1", "yes", "on", "true"].contains(text.lowercased())
  }

  /// Rotations per minute, 1 for a medium that does not turn (SBC-3 §6.6.2); nil: neither.
  static func rotationRate(_ text: String) -> UInt16? {
    guard let rate = UInt16(text), rate == 1 || (1025...65_534).contains(rate) else { return nil }
    return rate
  }

  /// `4G`, `512m` or bytes: powers of 1024, as these tools count.
  static func sizeBytes(_ text: String) -> UInt64? {
    guard let last = text.utf8.last else { return nil }
    let shifts: [UInt8: Int] = [
      UInt8(ascii: "k"): 10, UInt8(ascii: "m"): 20, UInt8(ascii: "g"): 30, UInt8(ascii: "t"): 40,
      UInt8(ascii: "p"): 50, UInt8(ascii: "e"): 60,
    ]
    guard let shift = shifts[last | 0x20] else { return UInt64(text) }
    guard let number = UInt64(text.dropLast()) else { return nil }
    let (bytes, overflowed) = number.multipliedReportingOverflow(by: 1 << UInt64(shift))
    return overflowed ? nil : bytes
  }

  /// `disk1` of `/srv/disk1.img`: a name for a store.
  static func stem(_ path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    for suffix in [".img", ".raw", ".iso", ".bin"] where file.hasSuffix(suffix) {
      return String(file.dropLast(suffix.count))
    }
    return file
  }
}
