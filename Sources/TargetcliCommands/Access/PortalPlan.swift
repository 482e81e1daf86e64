internal import AdministrationModel
internal import TargetConfig

/// Portals of the daemon as portals of a target. There each target has its own; here targets name
/// the portal groups that serve them, and each portal that targetcli makes gets a group of its own.
struct PortalPlan {
  var state: State
  var target: TargetResource
  /// What initiators were told of a group beyond its tag, which is kept.
  var access: [TargetConfiguration.GroupAccess] = []

  private(set) var changes: [Change] = []
  /// For people: what is not as LIO would do it.
  private(set) var remarks: [String] = []
  /// The target is reached nowhere now.
  private(set) var hasNoPortals: Bool

  init(_ state: State, _ target: TargetResource, access: [TargetConfiguration.GroupAccess] = []) {
    self.state = state
    self.target = target
    self.access = access
    hasNoPortals = state.notes.targets[target.name]?.hasNoPortals ?? false
  }

  var keys: [PortalKey] {
    hasNoPortals ? [] : Self.keys(state.portals.filter { serves($0, target) })
  }

  static func keys(_ portals: [PortalResource]) -> [PortalKey] {
    portals.reduce(into: []) { keys, portal in
      if let key = portal.key, !keys.contains(key) { keys.append(key) }
    }
  }

  // MARK: Changes

  mutating func create(_ key: PortalKey) throws(ExecutionError) {
    guard !keys.contains(key) else {
      throw ExecutionError("This NetworkPortal already exists in configFS")
    }
    let present = state.portals.filter { $0.key == key }
    if !present.isEmpty {
      serve(by: Set(present.map(\.group)), besides: key)
    } else if let everywhere = everyAddress(at: key), !users(of: everywhere.groups).isEmpty {
      remarks.append(
        "Note: \(key.endpoint) cannot stand beside \(everywhere.key.endpoint), which serves other "
          + "targets: the target is reached at every address.")
      serve(by: everywhere.groups, besides: everywhere.key)
    } else {
      make(key)
    }
    hasNoPortals = false
  }

  /// A portal for every address, where the wanted one is a single address at its port.
  private func everyAddress(at key: PortalKey) -> (key: PortalKey, groups: Set<UInt16>)? {
    guard !key.isEveryAddress else { return nil }
    let portals = state.portals.filter {
      $0.key?.port == key.port && $0.key?.isEveryAddress == true
    }
    guard let found = portals.first?.key else { return nil }
    return (found, Set(portals.map(\.group)))
  }

  private mutating func make(_ key: PortalKey) {
    let group = (state.portals.map(\.group).max() ?? 0) &+ 1
    let addresses =
      key.isEveryAddress ? ["0.0.0.0:\(key.port)", "[::]:\(key.port)"] : ["\(key.endpoint)"]
    for address in addresses {
      changes.append(.addPortal(PortalSpecification(address: address, group: group)))
    }
    let own = hasNoPortals ? [] : target.portalGroups
    var kept = own.map { $0 + [group] }
    if let everywhere = everyAddress(at: key) {
      kept = kept?.filter { !everywhere.groups.contains($0) }
      for portal in state.portals where portal.key == everywhere.key {
        changes.append(.removePortal(Change.PortalName(portal.address)))
      }
      remarks.append(
        "Note: \(everywhere.key.endpoint) is taken away: it served nothing else, and \(key.endpoint) "
          + "cannot stand beside it.")
      // Two sockets cannot have one address: the old one goes first.
      changes = changes.filter(\.isPortalRemoval) + changes.filter { !$0.isPortalRemoval }
    }
    setGroups(kept, known: [group])
  }

  private mutating func serve(by groups: Set<UInt16>, besides key: PortalKey) {
    let more = state.portals.filter { groups.contains($0.group) && $0.key != key }
    if !more.isEmpty {
      let list = more.map(\.address).joined(separator: ", ")
      remarks.append("Note: the target is reached at \(list), too: one portal group has them all.")
    }
    let own = hasNoPortals ? [] : target.portalGroups ?? []
    setGroups(own + groups.subtracting(own).sorted())
  }

  mutating func delete(_ key: PortalKey) throws(ExecutionError) {
    let found = state.portals.filter { $0.key == key && serves($0, target) }
    guard !hasNoPortals, !found.isEmpty else {
      throw ExecutionError("No such NetworkPortal in configfs: \(key.endpoint)")
    }
    let groups = Set(found.map(\.group))
    let others = users(of: groups)
    let isWhole = !state.portals.contains { groups.contains($0.group) && $0.key != key }
    guard isWhole || others.isEmpty else {
      throw ExecutionError(
        "\(key.endpoint) shares a portal group with other portals, which serves other targets, too "
          + "(\(others.map(\.name).joined(separator: ", "))): change the groups with swift-tgtadm.")
    }
    if isWhole {
      let own = target.portalGroups ?? Array(Set(state.portals.map(\.group))).sorted()
      let rest = own.filter { !groups.contains($0) }
      hasNoPortals = rest.isEmpty
      setGroups(rest.isEmpty ? nil : rest)
    }
    if others.isEmpty, found.count < state.portals.count {
      for portal in found { changes.append(.removePortal(Change.PortalName(portal.address))) }
    }
  }

  /// Single addresses that serve this target alone and go with it. Those for every address are the
  /// daemon's own, and it keeps its last one.
  var ownPortals: [PortalResource] {
    guard let groups = target.portalGroups, !hasNoPortals else { return [] }
    let own = state.portals.filter { portal in
      groups.contains(portal.group) && portal.key?.isEveryAddress == false
        && users(of: [portal.group]).isEmpty
    }
    return own.count < state.portals.count ? own : Array(own.dropFirst())
  }

  // MARK: Groups

  private func serves(_ portal: PortalResource, _ target: TargetResource) -> Bool {
    target.portalGroups?.contains(portal.group) ?? true
  }

  /// Other targets that one of the groups serves.
  private func users(of groups: Set<UInt16>) -> [TargetResource] {
    state.targets.filter { other in
      other.name != target.name && state.notes.targets[other.name]?.hasNoPortals != true
        && !groups.isDisjoint(with: other.portalGroups ?? Array(groups))
    }
  }

  private mutating func setGroups(_ groups: [UInt16]?, known: Set<UInt16> = []) {
    guard groups != target.portalGroups else { return }
    let value = groups.map { groups in
      JSONValue.list(groups.map { group in Self.json(group, access.first { $0.group == group }) })
    }
    changes.append(
      .setTarget(Change.TargetKeys(target.name, ["portalGroups": value ?? .null])))
  }

  static func json(
    _ group: UInt16, _ access: TargetConfiguration.GroupAccess?
  ) -> JSONValue {
    guard let access else { return .integer(Int64(group)) }
    return .object([
      "tag": .integer(Int64(group)), "state": .text(access.state.rawValue),
      "preferred": .boolean(access.isPreferred),
    ])
  }
}

extension PortalResource {
  var key: PortalKey? { PortalKey(path: address) }
}

extension Change {
  fileprivate var isPortalRemoval: Bool { if case .removePortal = self { true } else { false } }
}
