// Moving about, looking and asking.

extension Command {
  mutating func changePath(_ text: String) throws(ExecutionError) {
    let wanted = try session.resolvePath(text, from: path)
    guard state.tree.node(at: wanted) != nil else { throw ExecutionError("No such path \(wanted)") }
    session.path = wanted
  }

  func list(_ arguments: Arguments) throws(ExecutionError) {
    var place = path
    var depthText = arguments["depth"]
    if let text = arguments["path"] {
      // `ls 2` means a depth only where no node has that name.
      let wanted = try session.resolvePath(text, from: path)
      if state.tree.node(at: wanted) == nil, depthText == nil, Int(text) != nil {
        depthText = text
      } else {
        place = wanted
      }
    }
    guard let node = state.tree.node(at: place) else {
      throw ExecutionError("No such path \(place)")
    }
    guard let depth = Int(depthText ?? preferences["tree_max_depth"]), depth >= 0 else {
      throw ExecutionError("The tree depth must be a number.")
    }
    let hasColors = surroundings.hasColors && preferences.isSet("color_mode")
    let text = TreeText(
      columns: surroundings.columns ?? Self.standardColumns, hasColors: hasColors,
      depth: depth == 0 ? nil : depth)
    surroundings.write(text.lines(node, level: place.names.count).map { $0 + "\n" }.joined())
  }

  static var standardColumns: Int { 80 }

  func help(_ topic: String?) throws(ExecutionError) {
    let commands = CommandTable.commands(of: node.kind)
    guard let topic else {
      say("AVAILABLE COMMANDS")
      say("==================")
      say("The following commands are available in the current path:")
      say("")
      for command in commands { say("  - \(command.syntax)") }
      return
    }
    guard let command = commands.first(where: { $0.name == topic }) else {
      throw ExecutionError("Cannot find help topic \(topic).")
    }
    for line in ["SYNTAX", "======", command.syntax, "", "DESCRIPTION", "==========="] { say(line) }
    say(command.summary)
  }

  mutating func bookmark(_ arguments: Arguments) throws(ExecutionError) {
    let name = arguments["bookmark"]
    switch (try arguments.required("action"), name) {
    case ("add", let name?):
      guard preferences.bookmarks[name] == nil else {
        throw ExecutionError("Bookmark \(name) already exists.")
      }
      session.preferences.bookmarks[name] = "\(path)"
      try session.preferencesFile.write(session.preferences, surroundings)
      say("Bookmarked \(path) as \(name).")
    case ("del", let name?):
      guard session.preferences.bookmarks.removeValue(forKey: name) != nil else {
        throw ExecutionError("No such bookmark \(name)")
      }
      try session.preferencesFile.write(session.preferences, surroundings)
      say("Deleted bookmark \(name).")
    case ("go", let name?): try changePath("@\(name)")
    case ("show", nil):
      for (name, place) in preferences.bookmarks.sorted(by: { $0.key < $1.key }) {
        say("\(name)  \(place)")
      }
    default: throw ExecutionError("Syntax error, see 'help bookmarks'.")
    }
  }
}

extension Session {
  /// As `resolve`, from another place than where the session stands.
  func resolvePath(_ text: String, from base: NodePath) throws(ExecutionError) -> NodePath {
    var other = self
    other.path = base
    return try other.resolve(text)
  }
}
