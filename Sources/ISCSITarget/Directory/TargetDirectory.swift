public import ISCSIModel
internal import Reactor

/// All targets and portals at one moment: an immutable snapshot that every reactor reads without a
/// lock. Changing anything means publishing another one.
public final class TargetDirectory: Sendable {
  public let targets: [TargetDefinition]
  public let portals: [PortalDefinition]
  /// Users of whom one must prove itself to discover; empty for open discovery.
  public let discoveryUsers: [CHAPUser]
  public let discoveryMutualUser: CHAPUser?
  private let indices: [String: Int]

  public init(
    targets: [TargetDefinition], portals: [PortalDefinition], discoveryUsers: [CHAPUser] = [],
    discoveryMutualUser: CHAPUser? = nil
  ) {
    self.targets = targets
    self.portals = portals
    self.discoveryUsers = discoveryUsers
    self.discoveryMutualUser = discoveryMutualUser
    indices = Dictionary(
      targets.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The same without some portals: discovery names them no more.
  func without(portals addresses: [SocketAddress]) -> TargetDirectory {
    TargetDirectory(
      targets: targets, portals: portals.filter { !addresses.contains($0.address) },
      discoveryUsers: discoveryUsers, discoveryMutualUser: discoveryMutualUser)
  }

  func target(named name: String) -> (index: Int, definition: TargetDefinition)? {
    indices[name].map { ($0, targets[$0]) }
  }

  /// The right of an initiator at an address to a target; nil for none.
  func right(
    of initiator: String, at address: SocketAddress, to target: TargetDefinition
  ) -> AccessRight? {
    if let index = target.accessEntries.firstIndex(where: {
      $0.matches(initiator: initiator, address: address)
    }) {
      return .entry(index)
    }
    return target.admitsAnyInitiator ? .anyInitiator : nil
  }

  /// What SendTargets shows to an initiator at `address` over a connection to `local`, a portal of
  /// the group `groupTag` (RFC 7143 appendix C): only targets it may log in to, each with the
  /// portals of its groups. A name without an address says that the target is at this portal: one
  /// that is not, and has no portal that the initiator can be told of, is left out.
  func discoverable(
    by initiator: String, at address: SocketAddress, local: SocketAddress, groupTag: UInt16
  ) -> [SendTargetsEntry] {
    targets.compactMap { target in
      guard right(of: initiator, at: address, to: target) != nil else { return nil }
      let addresses = portalAddresses(of: target, local: local)
      guard !addresses.isEmpty || target.portalGroupTags.contains(groupTag) else { return nil }
      return SendTargetsEntry(name: target.name, addresses: addresses)
    }
  }

  /// A wildcard portal is announced as the address this connection came to, the one address of
  /// which it is known that the initiator reaches it; a wildcard of the other family is left out.
  private func portalAddresses(
    of target: TargetDefinition, local: SocketAddress
  ) -> [SendTargetsEntry.Address] {
    var addresses: [SendTargetsEntry.Address] = []
    for portal in portals where target.portalGroupTags.contains(portal.groupTag) {
      guard let text = portal.announced(to: local) else { continue }
      let address = SendTargetsEntry.Address(portal: text, portalGroupTag: portal.groupTag)
      if !addresses.contains(address) { addresses.append(address) }
    }
    return addresses
  }
}

/// By which rule an initiator may use a target.
enum AccessRight: Sendable, Equatable {
  case entry(Int)
  case anyInitiator
}

extension PortalDefinition {
  fileprivate func announced(to local: SocketAddress) -> String? {
    if let advertised { return advertised }
    guard address.ip.isUnspecified else { return address.description }
    guard address.ip.isIPv6 == local.ip.isIPv6 else { return nil }
    return SocketAddress(ip: local.ip, port: address.port).description
  }
}
