public import AdministrationModel
public import TargetConfig

extension JSONValue {
  public init(_ value: ConfigurationValue) {
    switch value {
    case .null: self = .null
    case .boolean(let boolean): self = .boolean(boolean)
    case .integer(let integer): self = .integer(integer)
    case .text(let text): self = .text(text)
    case .list(let elements): self = .list(elements.map { JSONValue($0) })
    case .object(let members): self = .object(Self.members(members))
    }
  }

  public static func members(_ members: [ConfigurationValue.Member]) -> [String: JSONValue] {
    Dictionary(members.map { ($0.key, JSONValue($0.value)) }) { first, _ in first }
  }
}
