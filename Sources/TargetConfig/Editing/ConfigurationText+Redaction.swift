extension ConfigurationText {
  /// What stands in place of every secret.
  static let redactionMark = "<redacted>"

  /// As it is, but for secrets: to be shown, and no configuration any more. What is written in
  /// comments stays.
  public var redacted: String {
    var splices: [TextSplice] = []
    Self.collect(root, into: &splices)
    return String(decoding: TextSplice.apply(splices, to: bytes), as: UTF8.self)
  }

  /// Where the value of a member called "secret" is anything but the name of a file.
  private static func collect(_ value: DocumentValue, into splices: inout [TextSplice]) {
    switch value.content {
    case .object(let members):
      for member in members {
        if case .text = member.value.content, member.key == "secret" {
          splices.append(TextSplice(member.value.extent, "\"\(redactionMark)\""))
        } else {
          collect(member.value, into: &splices)
        }
      }
    case .list(let elements):
      for element in elements { collect(element, into: &splices) }
    case .null, .boolean, .number, .text: break
    }
  }
}
