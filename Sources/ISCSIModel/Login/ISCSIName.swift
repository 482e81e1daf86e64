/// iSCSI names (RFC 7143 §4.2.7), checked as leniently as interoperation needs: old guides use
/// names that are neither iqn., eui. nor naa.
public enum ISCSIName {
  /// §4.2.7: a name is at most 223 bytes of UTF-8.
  public static let bytesMax = 223

  /// The name with ASCII upper case folded, so that one initiator has one name; nil for an empty or
  /// too long one, or one with control characters or white space.
  public static func normalized(_ text: some StringProtocol) -> String? {
    guard (1...bytesMax).contains(text.utf8.count) else { return nil }
    for scalar in text.unicodeScalars {
      let properties = scalar.properties
      if properties.generalCategory == .control || properties.isWhitespace { return nil }
    }
    return String(
      decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }
}
