internal import AdministrationModel
internal import TargetConfig

extension State {
  /// The whole tree.
  var tree: TreeNode {
    TreeNode("/", .root, [backstores, iscsi])
  }

  // MARK: Backstores

  private var backstores: TreeNode {
    TreeNode(
      "backstores", .backstores,
      Plugin.allCases.map { plugin in
        let objects = stores.filter { $0.plugin == plugin }.map(storageObject)
        return TreeNode(
          plugin.rawValue, .plugin(plugin), "Storage Objects: \(objects.count)", objects)
      })
  }

  private func storageObject(_ store: StoreResource) -> TreeNode {
    let group = TreeNode(
      "default_tg_pt_gp", .aluaGroup(store.name), "ALUA state: \(accessWords(store))",
      isHealthy: true)
    let alua = TreeNode("alua", .alua(store.name), "ALUA Groups: 1", [group])
    return TreeNode(
      store.name, .storageObject(store.name), Self.summary(store),
      isHealthy: store.state == .online, [alua])
  }

  /// One state, or that of each portal group that has one.
  private func accessWords(_ store: StoreResource) -> String {
    var words: [UInt16: String] = [:]
    for access in accessStates[store.name] ?? [] { words[access.group] = access.state.words }
    guard Set(words.values).count > 1 else {
      return words.values.first ?? TargetConfiguration.AccessState.activeOptimized.words
    }
    return words.sorted { $0.key < $1.key }.map { "\($0.value) (portal group \($0.key))" }
      .joined(separator: ", ")
  }

  static func summary(_ store: StoreResource) -> String {
    let size = "(\(store.sizeBytes.map { ByteCount.text($0) } ?? "unknown size"))"
    let path = store.path ?? ""
    return switch store.kind {
    case .file: "\(path) \(size) \(store.writeBackWords) \(store.stateWords)"
    case .block:
      "\(path) \(size) \(store.readOnly ? "ro " : "")\(store.writeBackWords) \(store.stateWords)"
    case .memory: "\(size) \(store.stateWords)"
    case .null: "nullio \(size) \(store.stateWords)"
    }
  }

  // MARK: Targets

  private var iscsi: TreeNode {
    var words = ["Targets: \(targets.count)"]
    var isHealthy: Bool?
    if asksAtDiscovery {
      let auth = discoveryAuth
      isHealthy = auth.user.isComplete
      words.insert(auth.mutual.isComplete ? "mutual disc auth" : "1-way disc auth", at: 0)
    }
    return TreeNode(
      "iscsi", .iscsi, words.joined(separator: ", "), isHealthy: isHealthy, targets.map(target))
  }

  private func target(_ target: TargetResource) -> TreeNode {
    let group = group(target)
    let (words, isHealthy) = Self.summary(group)
    let tpg = TreeNode(
      "tpg1", .group(target.name), words, isHealthy: isHealthy,
      [acls(group), luns(group), portals(target)])
    return TreeNode(target.name, .target(target.name), "TPGs: 1", [tpg])
  }

  static func summary(_ group: PortalGroup) -> (words: String, isHealthy: Bool?) {
    guard group.isEnabled else { return ("disabled", false) }
    let generates = group.generateNodeACLs
    let first = generates ? "gen-acls" : "no-gen-acls"
    guard group.asksUsers else { return (first + ", no-auth", generates ? true : nil) }
    guard generates else { return (first + ", auth per-acl", nil) }
    let way = group.auth.mutual.isComplete ? "mutual auth" : "1-way auth"
    return ("\(first), tpg-auth, \(way)", group.auth.user.isComplete)
  }

  private func luns(_ group: PortalGroup) -> TreeNode {
    let nodes = group.luns.map { lun in
      let store = store(lun.store)
      let path = store?.path.map { " (\($0))" } ?? ""
      return TreeNode(
        "lun\(lun.number)", .lun(group.target, lun.number),
        "\(store?.storageObject ?? lun.store)\(path) (default_tg_pt_gp)",
        isHealthy: store?.state == .online)
    }
    return TreeNode("luns", .luns(group.target), "LUNs: \(nodes.count)", nodes)
  }

  private func acls(_ group: PortalGroup) -> TreeNode {
    let nodes = group.acls.map { acl in self.acl(acl, group) }
    return TreeNode("acls", .acls(group.target), "ACLs: \(nodes.count)", nodes)
  }

  private func acl(_ acl: NodeACL, _ group: PortalGroup) -> TreeNode {
    let mapped = acl.luns ?? group.luns
    let nodes = mapped.map { lun in
      let number = group.luns.first { $0.store == lun.store }.map { "lun\($0.number) " } ?? ""
      let isReadOnly = acl.isReadOnly || lun.isReadOnly
      return TreeNode(
        "mapped_lun\(lun.number)", .mappedLUN(group.target, acl.key, lun.number),
        "\(number)\(store(lun.store)?.storageObject ?? lun.store) (\(isReadOnly ? "ro" : "rw"))",
        isHealthy: store(lun.store) != nil)
    }
    var words: [String] = []
    var isHealthy: Bool?
    if group.asksUsers {
      words.append(acl.auth.mutual.isComplete ? "mutual auth" : "1-way auth")
      isHealthy = acl.auth.user.isComplete
    }
    if !acl.addresses.isEmpty { words.append("from \(acl.addresses.joined(separator: ", "))") }
    words.append("Mapped LUNs: \(nodes.count)")
    return TreeNode(
      acl.wwn, .acl(group.target, acl.key), words.joined(separator: ", "), isHealthy: isHealthy,
      nodes)
  }

  private func portals(_ target: TargetResource) -> TreeNode {
    let nodes = PortalPlan(self, target).keys.map { key in
      let broken = portals.first { $0.key == key && !$0.isListening }
      return TreeNode(
        "\(key.endpoint)", .portal(target.name, key), broken.map { $0.reason ?? "not listening" },
        isHealthy: broken == nil)
    }
    return TreeNode("portals", .portals(target.name), "Portals: \(nodes.count)", nodes)
  }
}

extension TreeNode {
  init(_ name: String, _ kind: NodeKind, _ children: [TreeNode]) {
    self.init(name, kind, nil, isHealthy: nil, children)
  }

  init(_ name: String, _ kind: NodeKind, _ summary: String, _ children: [TreeNode]) {
    self.init(name, kind, summary, isHealthy: nil, children)
  }
}

extension TargetConfiguration.AccessState {
  /// LIO's.
  fileprivate var words: String {
    switch self {
    case .activeOptimized: "Active/optimized"
    case .activeNonOptimized: "Active/non-optimized"
    case .standby: "Standby"
    case .unavailable: "Unavailable"
    case .transitioning: "Transition"
    }
  }
}
