internal import ISCSIModel
internal import Reactor

/// The directory as one connection may see it: through the portal group it came in by and from the
/// address it came from.
struct PortalAuthority: LoginAuthority {
  let directory: TargetDirectory
  let portalGroupTag: UInt16
  let initiatorAddress: SocketAddress

  func admission(_ request: AdmissionRequest) -> Admission {
    guard let name = request.targetName else { return .granted(discoveryGrant) }
    // Unknown, in another portal group, forbidden: the same answer, so that a guess learns nothing.
    guard let (index, target) = directory.target(named: name),
      target.portalGroupTags.contains(portalGroupTag),
      let right = directory.right(of: request.initiatorName, at: initiatorAddress, to: target)
    else { return .refused(.notFound) }
    return .granted(grant(target, GrantToken(targetIndex: index, right: right)))
  }

  private var discoveryGrant: AdmissionGrant {
    AdmissionGrant(
      authentication: directory.discoveryUsers.isEmpty
        ? .none
        : .chap(users: directory.discoveryUsers, mutual: directory.discoveryMutualUser),
      targetPortalGroupTag: portalGroupTag, policy: PortalAuthority.discoveryPolicy)
  }

  /// Discovery needs no credentials by default, so it gets the least memory the RFC allows.
  private static var discoveryPolicy: NegotiationPolicy {
    var policy = NegotiationPolicy()
    policy.maxRecvDataSegmentLength = 8192
    return policy
  }

  private func grant(_ target: TargetDefinition, _ token: GrantToken) -> AdmissionGrant {
    var users = target.users
    var mutual = target.mutualUser
    if case .entry(let index) = token.right {
      let entry = target.accessEntries[index]
      if !entry.users.isEmpty { users = entry.users }
      mutual = entry.mutualUser ?? mutual
    }
    return AdmissionGrant(
      authentication: users.isEmpty ? .none : .chap(users: users, mutual: mutual),
      targetPortalGroupTag: portalGroupTag, targetAlias: target.alias,
      policy: target.negotiation, token: token.rawValue)
  }

  /// What a grant of this authority stands for.
  func presentation(for grant: AdmissionGrant) -> Presentation {
    let token = GrantToken(rawValue: grant.token)
    let target = directory.targets[token.targetIndex]
    return Presentation(
      session: target.session, units: target.units(for: token.right),
      portalGroupTags: target.portalGroupTags)
  }

  /// The grant that `initiator`, who has proved to be `user`, would get at `target`; nil: none.
  /// What was proved is the secret of that time: under another one it counts for nothing.
  func grant(to initiator: String, at target: String, as user: CHAPUser?) -> AdmissionGrant? {
    let request = AdmissionRequest(
      initiatorName: initiator, sessionType: .normal, targetName: target)
    guard case .granted(let grant) = admission(request) else { return nil }
    guard case .chap(let users, _) = grant.authentication else { return grant }
    return users.contains { $0 == user } ? grant : nil
  }
}

extension TargetDefinition {
  /// What an initiator with `right` sees.
  func units(for right: AccessRight) -> [UnitPresentation] {
    guard case .entry(let index) = right else { return units }
    let entry = accessEntries[index]
    var units = entry.units ?? self.units
    if entry.isReadOnly {
      for index in units.indices { units[index].isReadOnly = true }
    }
    return units
  }
}

/// What an initiator gets with a session.
struct Presentation: Sendable {
  let session: SessionPolicy
  let units: [UnitPresentation]
  /// All that serve the target: its SCSI ports.
  let portalGroupTags: [UInt16]
}

/// A target and a rule of it, packed into the integer that travels through the login machine.
struct GrantToken: RawRepresentable, Equatable {
  let rawValue: Int

  init(rawValue: Int) { self.rawValue = rawValue }

  init(targetIndex: Int, right: AccessRight) {
    switch right {
    case .anyInitiator: rawValue = targetIndex << 32
    case .entry(let index): rawValue = targetIndex << 32 | (index + 1)
    }
  }

  var targetIndex: Int { rawValue >> 32 }

  var right: AccessRight {
    let entry = rawValue & 0xFFFF_FFFF
    return entry == 0 ? .anyInitiator : .entry(entry - 1)
  }
}
