internal import AdministrationModel

/// One run of the program: where somebody stands, and how his commands are carried out.
struct Session {
  let daemon: any Administrator
  let surroundings: any Surroundings
  let preferencesFile: KeptFile<Preferences>
  var preferences = Preferences()
  var path = NodePath.root
  var wantsExit = false
  /// What the last command saw, for completion.
  var lastState = State()

  init(
    _ daemon: any Administrator, _ surroundings: any Surroundings, preferencesPath: String
  ) {
    self.daemon = daemon
    self.surroundings = surroundings
    preferencesFile = KeptFile(path: preferencesPath, standard: Preferences())
  }

  /// Carries out one line.
  mutating func run(_ text: String) async throws {
    guard var line = CommandLine(text) else { return }
    preferences = try preferencesFile.read(surroundings)
    let state = try await State.read(daemon)
    lastState = state
    let tree = state.tree
    if line.path == nil, let word = line.command, isChild(word, tree) {
      line = CommandLine(text, beginsWithPath: true) ?? line
    }
    for path in try paths(line, tree) {
      guard let node = tree.node(at: path) else { throw ExecutionError("No such path \(path)") }
      var command = Command(session: self, state: state, node: node, path: path)
      try await command.run(line)
      self = command.session
    }
  }

  /// A word that is no command here, and the name of a node below.
  private func isChild(_ word: String, _ tree: TreeNode) -> Bool {
    guard let node = tree.node(at: path) else { return false }
    return node.node(at: NodePath(names: [word])) != nil
      && !CommandTable.commands(of: node.kind).contains { $0.name == word }
  }

  /// Reads what the daemon has now.
  mutating func refresh() async throws {
    preferences = try preferencesFile.read(surroundings)
    lastState = try await State.read(daemon)
  }

  /// Where the command is carried out: `*` at the end of a path stands for every child.
  private func paths(_ line: CommandLine, _ tree: TreeNode) throws(ExecutionError) -> [NodePath] {
    guard let text = line.path, line.command != nil else { return [path] }
    let whole = try resolve(text)
    guard whole.names.last == "*" else { return [whole] }
    let parent = NodePath(names: whole.names.dropLast())
    guard let node = tree.node(at: parent) else { throw ExecutionError("No such path \(parent)") }
    return node.children.map { parent.appending($0.name) }
  }

  func resolve(_ text: String) throws(ExecutionError) -> NodePath {
    guard text.hasPrefix("@") else { return NodePath(text, from: path) }
    let name = text.dropFirst().prefix { $0 != "/" }
    guard let place = preferences.bookmarks[String(name)] else {
      throw ExecutionError("No such bookmark \(name)")
    }
    return NodePath(
      String(text.dropFirst(name.count + 1).drop { $0 == "/" }), from: NodePath(place))
  }
}
