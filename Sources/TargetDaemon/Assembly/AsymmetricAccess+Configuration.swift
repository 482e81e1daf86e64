internal import SCSIModel
internal import SCSITarget
internal import TargetConfig

/// How each store is accessible through the port groups of the targets that present it, found in
/// one look at all of them. The loader has seen to it that they agree.
struct GroupAccessIndex {
  /// The states by target port group tag, and whether initiators may set them.
  struct Access: Equatable {
    var groups: [UInt16: AsymmetricAccess.Group] = [:]
    var isExplicit = false
  }

  private var accesses: [String: Access] = [:]

  init(_ configuration: TargetConfiguration) {
    // Most targets say nothing of it.
    for target in configuration.targets where target.explicitAlua || !target.groupAccess.isEmpty {
      for store in Set(target.allLUNs.map(\.store)) { note(target, of: store) }
    }
  }

  private mutating func note(_ target: TargetConfiguration.Target, of store: String) {
    var access = accesses[store] ?? Access()
    access.isExplicit = access.isExplicit || target.explicitAlua
    for group in target.groupAccess {
      let isPreferred = group.isPreferred || access.groups[group.group]?.isPreferred == true
      access.groups[group.group] = AsymmetricAccess.Group(
        state: AsymmetricAccessState(group.state), isPreferred: isPreferred)
    }
    accesses[store] = access
  }

  subscript(store: String) -> Access { accesses[store] ?? Access() }
}

extension GroupAccessIndex.Access {
  /// What a logical unit starts with.
  var unitAccess: AsymmetricAccess { AsymmetricAccess(groups: groups, isExplicit: isExplicit) }
}

extension TargetConfiguration.Target {
  /// Its own and those of the entries of its access list.
  var allLUNs: [TargetConfiguration.LUN] { luns + acl.flatMap { $0.luns ?? [] } }
}

extension AsymmetricAccessState {
  init(_ state: TargetConfiguration.AccessState) {
    switch state {
    case .activeOptimized: self = .activeOptimized
    case .activeNonOptimized: self = .activeNonOptimized
    case .standby: self = .standby
    case .unavailable: self = .unavailable
    case .transitioning: self = .transitioning
    }
  }
}
