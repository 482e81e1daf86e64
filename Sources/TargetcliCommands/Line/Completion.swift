internal import FoundationEssentials

/// What may stand in place of the last word of a line.
struct Completion: Sendable {
  var tree: TreeNode
  var path: NodePath
  var bookmarks: [String: NodePath] = [:]
  /// The names in a directory; those of directories end with a slash.
  var files: @Sendable (_ directory: String) -> [String] = Self.systemFiles

  /// Whole words, each with the blank that ends it where nothing can follow.
  func candidates(_ line: String) -> [String] {
    let isNew = line.last?.isWhitespace ?? true
    var words = CommandLine.words(line)
    let text = isNew ? "" : words.popLast() ?? ""
    guard !(words.first ?? text).hasPrefix("#") else { return [] }
    var place = path
    if let first = words.first, CommandLine.isPath(first) {
      place = resolve(first)
      words.removeFirst()
      guard let node = tree.node(at: place) else { return [] }
      guard let command = words.first else { return commands(of: node, text) }
      return parameters(of: command, words.dropFirst(), text, node, place)
    }
    guard let node = tree.node(at: place) else { return [] }
    if let command = words.first {
      return parameters(of: command, words.dropFirst(), text, node, place)
    }
    if CommandLine.isPath(text) { return paths(text, from: path) }
    return commands(of: node, text) + paths(text, from: path)
  }

  private func resolve(_ text: String) -> NodePath {
    guard text.hasPrefix("@") else { return NodePath(text, from: path) }
    return bookmarks[String(text.dropFirst())] ?? path
  }

  private func commands(of node: TreeNode, _ text: String) -> [String] {
    CommandTable.commands(of: node.kind).map(\.name).filter { $0.hasPrefix(text) }.map { $0 + " " }
  }

  private func paths(_ text: String, from base: NodePath) -> [String] {
    let known = bookmarks.keys.sorted().map { "@" + $0 }.filter { $0.hasPrefix(text) && text != "" }
    let split = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
    let directory = String(text[..<split])
    let parent = directory.isEmpty ? base : NodePath(directory, from: base)
    guard let node = tree.node(at: parent) else { return known }
    let partial = text[split...]
    return known
      + node.children.filter { $0.name.hasPrefix(partial) }.map { child in
        directory + child.name + (child.children.isEmpty ? " " : "/")
      }
  }

  // MARK: Parameters

  private func parameters(
    of command: String, _ words: ArraySlice<String>, _ text: String, _ node: TreeNode,
    _ place: NodePath
  ) -> [String] {
    guard let signature = CommandTable.commands(of: node.kind).first(where: { $0.name == command })
    else { return [] }
    if signature.isOpen { return settings(command, words, text, node) }
    let named = Set(words.compactMap { CommandLine.pair($0)?.name })
    var free = signature.parameters.filter { !named.contains($0) }[...]
    for word in words where CommandLine.pair(word) == nil { free = free.dropFirst() }
    if let (name, value) = CommandLine.pair(text) {
      return values(of: name, value, command, node, place).map { "\(name)=\($0)" }
    }
    let names = free.filter { $0.hasPrefix(text) }.map { $0 + "=" }
    let own = free.first.map { values(of: $0, text, command, node, place) } ?? []
    return own.isEmpty || !text.isEmpty && !names.isEmpty ? own + names : own
  }

  private func settings(
    _ command: String, _ words: ArraySlice<String>, _ text: String, _ node: TreeNode
  ) -> [String] {
    let groups = SettingGroup.all(of: node.kind)
    guard let first = words.first else {
      return groups.map(\.rawValue).filter { $0.hasPrefix(text) }.map { $0 + " " }
    }
    guard let group = SettingGroup(rawValue: first), groups.contains(group) else { return [] }
    let taken = Set(words.dropFirst().map { CommandLine.pair($0)?.name ?? $0 })
    return group.names(of: node.kind).filter { $0.hasPrefix(text) && !taken.contains($0) }
      .map { $0 + (command == "set" ? "=" : " ") }
  }

  private func values(
    of parameter: String, _ text: String, _ command: String, _ node: TreeNode, _ place: NodePath
  ) -> [String] {
    let all: [String]
    switch parameter {
    case "path": return paths(text, from: place)
    case "storage_object", "tpg_lun_or_backstore":
      let luns = parameter == "storage_object" ? [] : luns(above: place)
      all = storageObjects + luns
      let own = all.filter { $0.hasPrefix(text) }.map { $0 + " " }
      return own + (text.hasPrefix("/") ? filePaths(text) : [])
    case "dev", "file_or_dev", "savefile": return text.hasPrefix("/") ? filePaths(text) : []
    case "action": all = command == "sessions" ? ["detail", "list"] : ["add", "del", "go", "show"]
    case "bookmark": all = bookmarks.keys.sorted()
    case "topic": all = CommandTable.commands(of: node.kind).map(\.name)
    case "ip_address", "ip_port": all = command == "delete" ? portals(node, parameter) : []
    case "add_mapped_luns", "aio", "boolean", "clear_existing", "exclusive", "nullio", "readonly",
      "sparse", "write_back", "write_protect":
      all = ["false", "true"]
    case "confirm": all = ["True"]
    default: all = ["delete", "unmap"].contains(command) ? node.children.map(\.name) : []
    }
    return all.filter { $0.hasPrefix(text) }.map { $0 + " " }
  }

  private var storageObjects: [String] {
    let backstores = tree.children.first { $0.kind == .backstores }?.children ?? []
    return backstores.flatMap { plugin in
      plugin.children.map { "/backstores/\(plugin.name)/\($0.name)" }
    }
  }

  private func luns(above place: NodePath) -> [String] {
    let group = NodePath(names: place.names.dropLast(2))
    return tree.node(at: group.appending("luns"))?.children.map(\.name) ?? []
  }

  private func portals(_ node: TreeNode, _ parameter: String) -> [String] {
    let keys = node.children.compactMap { child in
      if case .portal(_, let key) = child.kind { key } else { nil }
    }
    let texts = keys.map { parameter == "ip_port" ? "\($0.port)" : "\($0.address)" }
    return Set(texts).sorted()
  }

  // MARK: Files

  private func filePaths(_ text: String) -> [String] {
    guard let slash = text.lastIndex(of: "/") else { return [] }
    let directory = String(text[...slash])
    let partial = text[text.index(after: slash)...]
    return files(directory).filter { $0.hasPrefix(partial) }.sorted()
      .map { directory + $0 + ($0.hasSuffix("/") ? "" : " ") }
  }

  static let systemFiles: @Sendable (String) -> [String] = { directory in
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { !$0.hasPrefix(".") }.map { name in
      var isDirectory = false
      _ = FileManager.default.fileExists(atPath: directory + name, isDirectory: &isDirectory)
      return isDirectory ? name + "/" : name
    }
  }
}
