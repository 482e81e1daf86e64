internal import CommandSupport

/// A tree as `ls` draws it: names to the left, dots, and what is to be said to the right.
struct TreeText {
  var columns: Int
  var hasColors = false
  /// nil: all levels.
  var depth: Int?

  func lines(_ root: TreeNode, level: Int = 0) -> [String] {
    lines(root, level: level, bars: [], isRoot: true, depth: depth)
  }

  /// `bars`: whether a bar goes on to the next child, for each level above.
  private func lines(
    _ node: TreeNode, level: Int, bars: [Bool], isRoot: Bool, depth: Int?
  ) -> [String] {
    var result = [line(node, level: level, margin: margin(bars, isRoot), isRoot: isRoot)]
    guard depth != 0 else { return result }
    let below = isRoot ? [false] : bars
    for (index, child) in node.children.enumerated() {
      result += lines(
        child, level: level + 1, bars: below + [index < node.children.count - 1], isRoot: false,
        depth: depth.map { $0 - 1 })
    }
    return result
  }

  private func margin(_ bars: [Bool], _ isRoot: Bool) -> String {
    let above = isRoot ? "" : bars.dropLast().map { $0 ? "| " : "  " }.joined()
    return above + "o- "
  }

  private func line(_ node: TreeNode, level: Int, margin: String, isRoot: Bool) -> String {
    let name = node.name.printable
    let description = node.description.printable
    let dots = columns - 1 - (description.count + 3) - margin.count - name.count
    let color: Color? = [nil, .blue, .magenta][level % 3]
    let pad = paint(String(repeating: ".", count: max(0, dots)), color)
    let right =
      switch node.isHealthy {
      case true?: paint(description, .green)
      case false?: paint(description, .red, isBold: true)
      case nil: description
      }
    return margin + paint(name, color, isBold: true, isUnderlined: isRoot) + " " + pad
      + paint(" [", nil, isBold: true) + right + paint("]", nil, isBold: true)
  }

  private enum Color: Int { case red = 31, green = 32, blue = 34, magenta = 35 }

  private func paint(
    _ text: String, _ color: Color?, isBold: Bool = false, isUnderlined: Bool = false
  ) -> String {
    guard hasColors, !text.isEmpty else { return text }
    let codes = [isBold ? 1 : nil, isUnderlined ? 4 : nil, color?.rawValue].compactMap { $0 }
    guard !codes.isEmpty else { return text }
    return "\u{1B}[\(codes.map { String($0) }.joined(separator: ";"))m\(text)\u{1B}[0m"
  }
}
