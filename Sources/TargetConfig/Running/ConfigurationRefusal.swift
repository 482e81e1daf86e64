/// Why a configuration cannot be changed as asked. Nothing has changed, and nothing here shows a
/// secret.
public enum ConfigurationRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  /// The text cannot be edited so.
  case edit(ConfigurationEditError)
  /// The text, once edited, would be no valid configuration.
  case invalid(ConfigurationError)
  /// The change can be made to what runs, but not to the file, which says something else.
  indirect case onlyRunning(ConfigurationRefusal)

  public var description: String {
    switch self {
    case .edit(let error): "\(error)"
    case .invalid(let error): "\(error)"
    case .onlyRunning(let refusal):
      "the file differs from what runs, and cannot be changed in the same way: \(refusal)"
    }
  }
}
