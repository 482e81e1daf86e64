/// What one configuration has that another has not. What has no order in its meaning (stores,
/// targets, LUNs, users, addresses, portals) is compared by name; of access lists the order counts
/// where it decides who is admitted.
public struct ConfigurationDifference: Sendable, Equatable {
  public private(set) var changes: [ConfigurationChange] = []

  public init(from old: TargetConfiguration, to new: TargetConfiguration) {
    var collector = ChangeCollector(old: old, new: new)
    collector.compare()
    changes = collector.changes
  }

  public var isEmpty: Bool { changes.isEmpty }

  /// The changes that need this much, in their order.
  public func changes(
    needing application: ConfigurationChange.Application
  ) -> [ConfigurationChange] {
    changes.filter { $0.application == application }
  }
}

extension ConfigurationDifference: Encodable {
  private enum CodingKeys: CodingKey { case changes }
}

extension ConfigurationDifference: CustomStringConvertible {
  /// A line for each change: `+` added, `-` removed, `~` changed; the place, what, and what it
  /// needs.
  public var description: String {
    guard !changes.isEmpty else { return "no differences\n" }
    // One very long name must not push everything else off the screen.
    let width = changes.map(\.path.count).filter { $0 <= 72 }.max() ?? 0
    return changes.map { Self.line($0, width: width) }.joined()
  }

  /// What a change costs that closes what it concerns: of a store that shrinks, data too.
  /// `ofUsers`: they are not told of otherwise. nil: nothing.
  public static func interruption(
    path: String, old: String?, new: String?, ofUsers: Bool = true
  ) -> String? {
    let users = ofUsers ? "interrupts its users" : nil
    guard path.hasPrefix("stores"), path.hasSuffix(".size"), let old, let new,
      let before = try? ByteSize.parse(old), let after = try? ByteSize.parse(new), after < before
    else { return users }
    return ["cuts off \(ByteSize.description(before - after))", users].compactMap { $0 }
      .joined(separator: ", ")
  }

  private static func line(_ change: ConfigurationChange, width: Int) -> String {
    var parts: [String] = []
    switch change.kind {
    case .added: parts = [change.new].compactMap { $0 }
    case .removed: parts = [change.old].compactMap { $0 }
    case .changed:
      let values = [change.old, change.new].compactMap { $0 }
      parts = values.count == 2 ? [values.joined(separator: " -> ")] : ["<redacted>"]
    }
    switch change.application {
    case .live: break
    case .reopen:
      let loss = interruption(path: change.path, old: change.old, new: change.new)
      if let loss { parts.append("(\(loss))") }
    case .restart: parts.append("(needs a restart)")
    }
    let head = "\(change.kind.sign) \(change.path)"
    guard !parts.isEmpty else { return head + "\n" }
    let padding = String(repeating: " ", count: max(0, width - change.path.count) + 2)
    return head + padding + parts.joined(separator: "  ") + "\n"
  }
}

extension ConfigurationChange.Kind {
  /// As in `diff`, with `~` for what changed in place.
  fileprivate var sign: String {
    switch self {
    case .added: "+"
    case .removed: "-"
    case .changed: "~"
    }
  }
}
