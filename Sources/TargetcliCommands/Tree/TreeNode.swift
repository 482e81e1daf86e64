internal import AdministrationModel

/// What a node stands for, and with that which commands it has.
enum NodeKind: Hashable {
  case root
  case backstores
  case plugin(Plugin)
  case storageObject(String)
  case alua(String)
  case aluaGroup(String)
  case iscsi
  case target(String)
  case group(String)
  case luns(String)
  case lun(String, UInt16)
  case acls(String)
  case acl(String, EntryKey)
  case mappedLUN(String, EntryKey, UInt16)
  case portals(String)
  case portal(String, PortalKey)
}

/// A node of the tree as a value: what `ls` shows, and what paths lead to.
struct TreeNode {
  var name: String
  var kind: NodeKind
  /// nil: `...`, or `OK` and `ERROR` by health.
  var summary: String?
  /// nil: nothing is said about it.
  var isHealthy: Bool?
  var children: [TreeNode] = []

  init(
    _ name: String, _ kind: NodeKind, _ summary: String? = nil, isHealthy: Bool? = nil,
    _ children: [TreeNode] = []
  ) {
    self.name = name
    self.kind = kind
    self.summary = summary
    self.isHealthy = isHealthy
    self.children = children.sorted { Array($0.name.utf8).lexicographicallyPrecedes($1.name.utf8) }
  }

  var description: String {
    summary ?? isHealthy.map { $0 ? "OK" : "ERROR" } ?? "..."
  }

  func node(at path: NodePath) -> TreeNode? {
    path.names.reduce(Optional(self)) { node, name in
      node?.children.first { $0.name == name } ?? node?.child(likeNamed: name)
    }
  }

  /// Names of iSCSI nodes count without case, and an address may be written in several ways.
  private func child(likeNamed name: String) -> TreeNode? {
    switch kind {
    case .iscsi, .acls:
      children.first { $0.name.lowercased() == name.lowercased() }
    case .portals:
      PortalKey(path: name).flatMap { key in
        children.first { if case .portal(_, let portal) = $0.kind { portal == key } else { false } }
      }
    default: nil
    }
  }
}
