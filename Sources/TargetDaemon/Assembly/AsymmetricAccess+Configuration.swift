internal import SCSIModel
internal import SCSITarget
internal import TargetConfig

extension TargetConfiguration {
  /// How a store is accessible through the port groups of the targets that present it. The loader
  /// has seen to it that they agree.
  func access(to store: String) -> AsymmetricAccess {
    let (groups, isExplicit) = groupAccess(to: store)
    return AsymmetricAccess(groups: groups, isExplicit: isExplicit)
  }

  /// The states by target port group tag, and whether initiators may set them.
  func groupAccess(
    to store: String
  ) -> (groups: [UInt16: AsymmetricAccess.Group], isExplicit: Bool) {
    var groups: [UInt16: AsymmetricAccess.Group] = [:]
    var isExplicit = false
    for target in targets {
      let luns = target.luns + target.acl.flatMap { $0.luns ?? [] }
      guard luns.contains(where: { $0.store == store }) else { continue }
      isExplicit = isExplicit || target.explicitAlua
      for access in target.groupAccess {
        let isPreferred = access.isPreferred || groups[access.group]?.isPreferred == true
        groups[access.group] = AsymmetricAccess.Group(
          state: AsymmetricAccessState(access.state), isPreferred: isPreferred)
      }
    }
    return (groups, isExplicit)
  }
}

extension AsymmetricAccessState {
  fileprivate init(_ state: TargetConfiguration.AccessState) {
    switch state {
    case .activeOptimized: self = .activeOptimized
    case .activeNonOptimized: self = .activeNonOptimized
    case .standby: self = .standby
    case .unavailable: self = .unavailable
    case .transitioning: self = .transitioning
    }
  }
}
