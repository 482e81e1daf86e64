// The portal groups of targets, and asymmetric access through them.
extension ConfigurationBuilder {
  mutating func buildGroups(of target: inout TargetConfiguration.Target, _ list: DocumentNode) {
    let defined = Set(configuration.portals.map(\.group))
    var groups: [UInt16] = []
    for node in list.elements {
      let tag = node["tag"] ?? node
      guard let group = tag.integer.flatMap({ UInt16(exactly: $0) }) else { continue }
      if !defined.contains(group) {
        let known = defined.sorted().map { String($0) }.joined(separator: ", ")
        report.error(tag, "no portal is in group \(group) (groups: \(known))")
      } else if groups.contains(group) {
        report.error(tag, "group \(group) stands here twice: keep one")
      } else {
        groups.append(group)
        if let access = access(of: group, node) { target.groupAccess.append(access) }
      }
    }
    if list.elements.isEmpty {
      report.error(list, "is empty: name a group, or leave the key out to serve all groups")
    }
    target.portalGroups = groups
  }

  /// nil for a group of which nothing is said.
  private func access(of group: UInt16, _ node: DocumentNode) -> TargetConfiguration.GroupAccess? {
    guard node["tag"] != nil else { return nil }
    return TargetConfiguration.GroupAccess(
      group: group, state: choice(node["state"]) ?? .activeOptimized,
      isPreferred: node["preferred"]?.boolean ?? false)
  }

  /// A unit and a port group have one state: initiators know both by name, and not the target
  /// between them.
  mutating func checkAccessStates(_ list: DocumentNode) {
    // All have the same one where nobody says another.
    guard !configuration.targets.allSatisfy(\.groupAccess.isEmpty) else { return }
    var seen: [String: (state: TargetConfiguration.AccessState, target: String)] = [:]
    for (target, node) in zip(configuration.targets, list.elements) {
      let stores = Set((target.luns + target.acl.flatMap { $0.luns ?? [] }).map(\.store))
      let groups = target.portalGroups ?? Set(configuration.portals.map(\.group)).sorted()
      for group in groups {
        let access = target.groupAccess.first { $0.group == group }
        let state = access?.state ?? .activeOptimized
        for store in stores.sorted() {
          let key = "\(group) \(store)"
          guard let other = seen[key] else {
            seen[key] = (state, target.name)
            continue
          }
          guard other.state != state else { continue }
          report.error(
            node["portalGroups"] ?? node,
            "the store \(store.quoted) is \(state.rawValue) through group \(group) here, and "
              + "\(other.state.rawValue) at \(other.target): give the targets portal groups of "
              + "their own, or one state")
        }
      }
    }
  }
}
