internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// Differences of configurations, one in a line: `+` added, `-` removed, `~` changed.
enum DifferenceText {
  /// `interrupts`: those that close something say so, as who uses it is not told beside them.
  static func lines(_ differences: [Difference], interrupts: Bool = true) -> String {
    guard !differences.isEmpty else { return "no differences\n" }
    // One very long name must not push everything else off the screen.
    let width = differences.map(\.path.printable.count).filter { $0 <= 72 }.max() ?? 0
    return differences.map { line($0, width, interrupts) }.joined()
  }

  /// Under a blank line; nothing where there are none.
  static func lines(_ remarks: [MediumRemark]) -> String {
    let paragraphs = remarks.map { remark in
      "\(remark.path): \(remark.message)".printable + "\n"
        + (remark.remedy.map { "  what to do: \($0.printable)\n" } ?? "")
    }
    return paragraphs.isEmpty ? "" : "\n" + paragraphs.joined()
  }

  /// Of a change that says in `users` whom it interrupts.
  static func lines(_ result: ChangeResult) -> String {
    lines(result.differences, interrupts: result.users == nil)
  }

  private static func line(
    _ difference: Difference, _ width: Int, _ interrupts: Bool
  ) -> String {
    var parts: [String] = []
    switch difference.change {
    case .added: parts = [difference.new].compactMap { $0?.printable }
    case .removed: parts = [difference.old].compactMap { $0?.printable }
    case .changed:
      let values = [difference.old, difference.new].compactMap { $0?.printable }
      parts = values.count == 2 ? [values.joined(separator: " -> ")] : ["<redacted>"]
    }
    switch difference.application {
    case .live: break
    case .reopen:
      let loss = ConfigurationDifference.interruption(
        path: difference.path, old: difference.old, new: difference.new, ofUsers: interrupts)
      if let loss { parts.append("(\(loss))") }
    case .restart: parts.append("(needs a restart)")
    }
    let path = difference.path.printable
    let head = "\(difference.change.sign) \(path)"
    guard !parts.isEmpty else { return head + "\n" }
    let padding = String(repeating: " ", count: max(0, width - path.count) + 2)
    return head + padding + parts.joined(separator: "  ") + "\n"
  }
}

extension Difference.Kind {
  fileprivate var sign: String {
    switch self {
    case .added: "+"
    case .removed: "-"
    case .changed: "~"
    }
  }
}
