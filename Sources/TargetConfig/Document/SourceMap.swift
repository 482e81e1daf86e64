/// The line of every path of a configuration file. It keeps no values, hence no secrets.
public struct SourceMap: Sendable {
  private var lines: [String: Int] = [:]

  init(_ root: DocumentNode) {
    lines[root.path] = root.line
    visit(root)
  }

  /// The line of `path`, or of the nearest enclosing value that the file has.
  public func line(of path: String) -> Int {
    var path = Substring(path)
    while true {
      if let line = lines[String(path)] { return line }
      guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else {
        return lines[""] ?? 1
      }
      path = path[..<cut]
    }
  }

  // The reader bounds the depth, hence the recursion.
  private mutating func visit(_ node: DocumentNode) {
    for child in node.members.map(\.node) + node.elements where lines[child.path] == nil {
      lines[child.path] = child.line
      visit(child)
    }
  }
}
