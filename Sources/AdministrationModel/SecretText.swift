/// A secret on its way to the daemon. It shows itself to nobody but who asks for `reveal`.
public struct SecretText: Codable, Sendable, Hashable {
  private var text: String

  public init(_ text: String) { self.text = text }

  public var reveal: String { text }

  public init(from decoder: any Decoder) throws {
    text = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension SecretText: CustomStringConvertible, CustomReflectable {
  public var description: String { "<redacted>" }
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
