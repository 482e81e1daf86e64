internal import ISCSIModel
internal import ISCSITarget
internal import Reactor
internal import TargetConfig

/// The configuration in the terms of the iSCSI layer.
extension TargetDirectory {
  convenience init(_ loaded: LoadedConfiguration) throws(DaemonError) {
    let configuration = loaded.configuration
    var portals: [PortalDefinition] = []
    for (index, portal) in configuration.portals.enumerated() {
      portals.append(try PortalDefinition(portal, at: index, in: loaded))
    }
    let assembly = TargetAssembly(configuration)
    self.init(
      targets: configuration.targets.map { TargetDefinition($0, assembly) },
      portals: portals,
      discoveryUsers: configuration.discovery.chap.map { CHAPUser($0) },
      discoveryMutualUser: configuration.discovery.mutualChap.map { CHAPUser($0) })
  }
}

extension PortalDefinition {
  init(
    _ portal: TargetConfiguration.Portal, at index: Int, in loaded: LoadedConfiguration
  ) throws(DaemonError) {
    // The configuration knows interfaces by name; whether this machine has one shows only here.
    guard let ip = IPAddress(portal.endpoint.address) else {
      let problem = loaded.problem(
        at: "portals[\(index)]",
        "\(portal.endpoint) names an interface that this machine does not have; "
          + "`ip link` lists them")
      throw DaemonError(.unavailable, problem.description)
    }
    self.init(
      address: SocketAddress(ip: ip, port: portal.endpoint.port), groupTag: portal.group,
      advertised: portal.advertise?.description)
  }
}

extension TargetDefinition {
  fileprivate init(_ target: TargetConfiguration.Target, _ assembly: TargetAssembly) {
    self.init(
      name: target.name, alias: target.alias,
      portalGroupTags: target.portalGroups ?? assembly.portalGroups,
      units: assembly.presentations(of: target.luns),
      users: target.chap.map { CHAPUser($0) }, mutualUser: target.mutualChap.map { CHAPUser($0) },
      accessEntries: target.acl.map { AccessEntry($0, assembly) },
      admitsAnyInitiator: target.isOpenToAny,
      negotiation: NegotiationPolicy(target.iscsi), session: SessionPolicy(target.iscsi))
  }
}

extension AccessEntry {
  fileprivate init(_ entry: TargetConfiguration.AccessEntry, _ assembly: TargetAssembly) {
    self.init(
      initiator: entry.initiator, addresses: entry.addresses.map { AddressRange($0) },
      users: entry.chap.map { CHAPUser($0) }, mutualUser: entry.mutualChap.map { CHAPUser($0) },
      units: entry.luns.map { assembly.presentations(of: $0) }, isReadOnly: entry.readOnly)
  }
}

/// What all targets of a configuration have in common.
private struct TargetAssembly {
  /// Of all portals.
  let portalGroups: [UInt16]
  private let readOnlyStores: [String: Bool]

  init(_ configuration: TargetConfiguration) {
    portalGroups = Set(configuration.portals.map(\.group)).sorted()
    readOnlyStores = Dictionary(
      configuration.stores.map { ($0.name, $0.readOnly) }, uniquingKeysWith: { first, _ in first })
  }

  /// A LUN is read-only when it says so, and whenever its store is.
  func presentations(of luns: [TargetConfiguration.LUN]) -> [UnitPresentation] {
    luns.map { lun in
      UnitPresentation(
        lun: lun.number, unit: lun.store,
        isReadOnly: lun.readOnly || readOnlyStores[lun.store] != false)
    }
  }
}

extension CHAPUser {
  fileprivate init(_ credential: TargetConfiguration.Credential) {
    self.init(name: credential.user, secretBytes: credential.secret.bytes)
  }
}

extension NegotiationPolicy {
  init(_ values: TargetConfiguration.Negotiation) {
    self.init()
    headerDigests = NegotiationPolicy.digests(values.headerDigest)
    dataDigests = NegotiationPolicy.digests(values.dataDigest)
    maxRecvDataSegmentLength = values.maxRecvDataSegmentLength
    maxBurstLength = values.maxBurstLength
    firstBurstLength = values.firstBurstLength
    initialR2T = values.initialR2T
    immediateData = values.immediateData
    maxOutstandingR2T = values.maxOutstandingR2T
    maxConnections = values.maxConnections
    defaultTime2Wait = values.defaultTime2WaitSeconds
    defaultTime2Retain = values.defaultTime2RetainSeconds
  }

  private static func digests(_ policy: TargetConfiguration.DigestPolicy) -> [PDUDigest] {
    switch policy {
    case .any: [.none, .crc32c]
    case .none: [.none]
    case .crc32c: [.crc32c]
    }
  }
}

extension SessionPolicy {
  init(_ values: TargetConfiguration.Negotiation) {
    self.init(
      queueDepth: values.queueDepth,
      nopInterval: .seconds(UInt32(clamping: values.nopIntervalSeconds)),
      nopTimeout: .seconds(UInt32(clamping: values.nopTimeoutSeconds)))
  }
}

extension ServerLimits {
  init(_ limits: TargetConfiguration.Limits) {
    self.init(
      sessionsMax: limits.sessions,
      connectionsMax: limits.connections, halfOpenConnectionsMax: limits.pendingLogins,
      loginTimeout: .seconds(UInt32(clamping: limits.loginTimeoutSeconds)))
  }
}
