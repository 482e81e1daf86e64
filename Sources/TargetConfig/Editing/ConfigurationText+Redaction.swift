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

  /// Whether anything is hidden in what `redacted` shows.
  public var hasSecrets: Bool { Self.hasSecret(root) }

  private static func hasSecret(_ value: DocumentValue) -> Bool {
    switch value.content {
    case .object(let members):
      members.contains { isSecret($0) || hasSecret($0.value) }
    case .list(let elements): elements.contains { hasSecret($0) }
    case .null, .boolean, .number, .text: false
    }
  }

  private static func isSecret(_ member: DocumentMember) -> Bool {
    if case .text = member.value.content { member.key == "secret" } else { false }
  }

  /// Where the value of a member called "secret" is anything but the name of a file.
  private static func collect(_ value: DocumentValue, into splices: inout [TextSplice]) {
    switch value.content {
    case .object(let members):
      for member in members {
        if isSecret(member) {
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
