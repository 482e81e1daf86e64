/// The place of a node: the names that lead to it. Empty is the root.
struct NodePath: Hashable, CustomStringConvertible {
  var names: [String] = []

  static let root = NodePath()

  /// An absolute path, or one that starts at `base`; `.` and `..` as in a file system. Bookmarks
  /// are replaced before.
  init(_ text: String, from base: NodePath = .root) {
    names = text.hasPrefix("/") ? [] : base.names
    for name in text.split(separator: "/") {
      switch name {
      case ".": break
      case "..": if !names.isEmpty { names.removeLast() }
      default: names.append(String(name))
      }
    }
  }

  init(names: [String] = []) { self.names = names }

  var description: String { "/" + names.joined(separator: "/") }

  func appending(_ name: String) -> NodePath { NodePath(names: names + [name]) }

  /// At most that many characters, for a prompt: the middle becomes dots.
  func shortened(to limit: Int) -> String {
    let text = description
    guard limit > 4, text.count > limit else { return text }
    let tail = limit - 3 - limit / 3
    return text.prefix(limit / 3) + "..." + text.suffix(tail)
  }
}
