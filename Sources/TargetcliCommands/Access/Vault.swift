internal import AdministrationModel
internal import TargetConfig

/// The whole configuration that runs, with its secrets only where a command cannot do without.
struct Vault {
  let configuration: TargetConfiguration

  /// Secrets that stand in files come along where those can be read here.
  static func open(_ daemon: any Administrator, withSecrets: Bool = true) async throws -> Vault {
    let resource = try await daemon.configuration(withSecrets: withSecrets)
    do throws(ConfigurationError) {
      return Vault(
        configuration: try ConfigurationLoader.look(at: resource.text, file: resource.file))
    } catch {
      throw ExecutionError("The daemon's configuration cannot be read here: \(error)")
    }
  }

  /// The secrets that `group` lacks.
  func fill(_ group: inout PortalGroup) {
    guard let target = configuration.target(named: group.target) else { return }
    for index in group.acls.indices { fill(&group.acls[index], target) }
    for index in group.presentACLs.indices { fill(&group.presentACLs[index], target) }
    let everybody = target.acl.filter { $0.initiator == nil && $0.addresses.isEmpty }
    let mutual = [target.mutualChap].compactMap { $0 }
    fill(&group.presentAuth, target.chap, mutual)
    group.targetMutual.fill(from: mutual)
    if group.hasTargetUsers {
      fill(&group.auth, target.chap, mutual)
    } else {
      fill(&group.auth, everybody.flatMap(\.chap), everybody.compactMap(\.mutualChap))
    }
    if var entry = group.everybodyEntry {
      fill(&entry.auth, everybody.flatMap(\.chap), everybody.compactMap(\.mutualChap))
      group.everybodyEntry = entry
    }
  }

  private func fill(_ acl: inout NodeACL, _ target: TargetConfiguration.Target) {
    // One initiator may have several entries, each with another secret of the same user.
    let entries = target.acl.filter {
      ($0.initiator ?? "any") == acl.wwn && $0.addresses.map(\.description) == acl.addresses
    }
    fill(&acl.auth, entries.flatMap(\.chap), entries.compactMap(\.mutualChap))
  }

  func fill(_ auth: inout Credentials) {
    let discovery = configuration.discovery
    fill(&auth, discovery.chap, [discovery.mutualChap].compactMap { $0 })
  }

  private func fill(
    _ auth: inout Credentials, _ users: [TargetConfiguration.Credential],
    _ mutual: [TargetConfiguration.Credential]
  ) {
    auth.user.fill(from: users)
    auth.mutual.fill(from: mutual)
  }
}

extension CHAPUser {
  fileprivate mutating func fill(from users: [TargetConfiguration.Credential]) {
    guard isUnknown, let user = users.first(where: { $0.user == userid }) else { return }
    self = CHAPUser(user, isHeld: true)
  }
}
