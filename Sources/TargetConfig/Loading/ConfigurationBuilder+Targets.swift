extension ConfigurationBuilder {
  /// Logins search the list one by one, and its entries are compared with each other here.
  static let accessEntryCountMax = 1024

  mutating func buildTargets(_ list: DocumentNode) {
    let nodes = list.elements
    var lines = [String: Int](minimumCapacity: nodes.count)
    for node in nodes {
      guard let nameNode = node["name"], let given = nameNode.text else { continue }
      let name = ISCSIName.normalized(given)
      if let line = lines.updateValue(nameNode.line, forKey: name) {
        lines[name] = line
        report.error(
          nameNode, "\(given.quoted) is also the name of the target of line \(line)", .conflict)
      }
      if ISCSIName.problem(in: given, isTarget: true) == nil,
        let warning = ISCSIName.warning(for: given, isTarget: true)
      {
        report.warning(nameNode, "\(given.quoted) \(warning)")
      }
      configuration.targets.append(target(named: name, node))
    }
  }

  private mutating func target(
    named name: String, _ node: DocumentNode
  ) -> TargetConfiguration.Target {
    var target = TargetConfiguration.Target(name: name)
    target.alias = node["alias"]?.text
    if let list = node["portalGroups"] { buildGroups(of: &target, list) }
    target.explicitAlua = node["explicitAlua"]?.boolean ?? false
    target.luns = luns(node["luns"], storeKeys: ["store"], inherited: [])
    target.chap = credentials(node["chap"])
    target.mutualChap = outgoingCredential(node["mutualChap"])
    target.isOpenToAny = node["initiators"]?.text == "any"
    target.iscsi =
      node["iscsi"].map { negotiation($0, over: configuration.iscsi) } ?? configuration.iscsi
    if let list = node["acl"] {
      target.acl = accessList(list, of: target, targetHasNoUsers: node.hasNone("chap"))
    }
    if let mutual = node["mutualChap"], node.hasNone("chap"),
      node["acl"]?.elements.allSatisfy({ $0.hasNone("chap") }) ?? true
    {
      reportUselessMutual(mutual)
    }
    if target.acl.isEmpty, !target.isOpenToAny {
      report.warning(
        node["acl"] ?? node,
        "nobody can log in: add entries to \"acl\", or \"initiators\": \"any\"")
    }
    return target
  }

  // MARK: LUNs

  /// The LUNs of a target or of an entry. Without a word of its own, an entry's LUN is read-only
  /// when the target presents that store (`inherited`) read-only.
  private mutating func luns(
    _ list: DocumentNode?, storeKeys: [String], inherited: [TargetConfiguration.LUN]
  ) -> [TargetConfiguration.LUN] {
    var luns: [TargetConfiguration.LUN] = []
    var lines: [UInt16: Int] = [:]
    for node in list?.elements ?? [] {
      let place = storeKeys.lazy.compactMap { node[$0] }.first
      if let place { checkStoreExists(place) }
      guard let numberNode = node["lun"],
        let number = numberNode.integer.flatMap({ UInt16(exactly: $0) }),
        let store = place?.text
      else { continue }
      if let line = lines[number] {
        report.error(numberNode, "LUN \(number) is already taken in line \(line)")
        continue
      }
      lines[number] = numberNode.line
      let presented = inherited.filter { $0.store == store }
      let isReadOnlyThere = !presented.isEmpty && presented.allSatisfy(\.readOnly)
      let readOnly = node["readOnly"]?.boolean ?? isReadOnlyThere
      luns.append(TargetConfiguration.LUN(number: number, store: store, readOnly: readOnly))
    }
    return luns
  }

  private mutating func checkStoreExists(_ place: DocumentNode) {
    guard let name = place.text, !storeNames.contains(name) else { return }
    let names = configuration.stores.map(\.name)
    report.error(place, Absence.sentence("store", name, of: names, comparing: false))
  }

  // MARK: Access

  private mutating func accessList(
    _ list: DocumentNode, of target: TargetConfiguration.Target, targetHasNoUsers: Bool
  ) -> [TargetConfiguration.AccessEntry] {
    guard list.elements.count <= Self.accessEntryCountMax else {
      report.error(
        list, "\(list.elements.count) entries: at most \(Self.accessEntryCountMax) are possible")
      return []
    }
    var entries: [(entry: TargetConfiguration.AccessEntry, node: DocumentNode)] = []
    for node in list.elements {
      guard let entry = accessEntry(node, of: target, targetHasNoUsers: targetHasNoUsers)
      else { continue }
      if let first = entries.first(where: { $0.entry.covers(entry) }) {
        report.error(
          node, "is never reached: \(first.node.path) of line \(first.node.line) matches first")
      }
      entries.append((entry, node))
    }
    return entries.map(\.entry)
  }

  private mutating func accessEntry(
    _ node: DocumentNode, of target: TargetConfiguration.Target, targetHasNoUsers: Bool
  ) -> TargetConfiguration.AccessEntry? {
    guard let nameNode = node["initiator"], let given = nameNode.text else { return nil }
    let isAny = given == "any"
    if !isAny, ISCSIName.problem(in: given, isTarget: false) == nil,
      let warning = ISCSIName.warning(for: given)
    {
      report.warning(nameNode, "\(given.quoted) \(warning)")
    }
    var entry = TargetConfiguration.AccessEntry(
      initiator: isAny ? nil : ISCSIName.normalized(given))
    entry.addresses = addresses(node["addresses"])
    entry.chap = credentials(node["chap"])
    if let list = node["chap"], node.hasNone("chap") {
      // It could mean "no authentication" or "the target's users"; so it is neither.
      report.error(list, "is empty: name a user, or leave the key out for the target's users")
    }
    entry.mutualChap = outgoingCredential(node["mutualChap"])
    entry.luns = node["luns"].map {
      luns($0, storeKeys: ["store", "as"], inherited: target.luns)
    }
    entry.readOnly = node["readOnly"]?.boolean ?? false
    if let mutual = node["mutualChap"], node.hasNone("chap"), targetHasNoUsers {
      reportUselessMutual(mutual)
    }
    return entry
  }

  /// An empty list could be read as "anywhere" or as "nowhere"; so it is neither.
  private mutating func addresses(_ list: DocumentNode?) -> [AddressPattern] {
    guard let list else { return [] }
    if list.elements.isEmpty {
      report.error(list, "is empty: name an address, or leave the key out to allow every address")
    }
    return list.elements.compactMap { node in
      node.text.flatMap { try? AddressPattern(parsing: $0) }
    }
  }
}

extension TargetConfiguration.AccessEntry {
  /// Whether everyone whom `other` means is meant here already.
  func covers(_ other: TargetConfiguration.AccessEntry) -> Bool {
    guard initiator == nil || initiator == other.initiator else { return false }
    guard !addresses.isEmpty else { return true }
    return !other.addresses.isEmpty
      && other.addresses.allSatisfy { range in addresses.contains { $0.contains(range) } }
  }
}
