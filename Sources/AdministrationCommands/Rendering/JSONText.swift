internal import FoundationEssentials

/// JSON for programs: sorted and indented, so that it reads and compares well.
enum JSONText {
  static func of(_ value: some Encodable, onOneLine: Bool = false) -> String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if !onOneLine { encoder.outputFormatting.insert(.prettyPrinted) }
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }
  }
}

extension Console {
  /// False where nobody reads it any more.
  @discardableResult
  func writeJSON(_ value: some Encodable, onOneLine: Bool = false) throws -> Bool {
    guard let text = JSONText.of(value, onOneLine: onOneLine) else {
      throw Refusal(.software, "the answer cannot be written as JSON")
    }
    return write(text + "\n")
  }
}
