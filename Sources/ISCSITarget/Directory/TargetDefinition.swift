public import ISCSIModel
public import Reactor

/// An iSCSI target node as it is presented: who may log in, with what proof, and what they see.
/// Plain values; the daemon makes them from its configuration.
public struct TargetDefinition: Sendable, Equatable {
  /// The iSCSI name, normalised.
  public var name: String
  public var alias: String?
  /// The portal groups that serve this target.
  public var portalGroupTags: [UInt16]
  public var units: [UnitPresentation]
  /// The users of whom one must prove itself, for initiators without users of their own.
  public var users: [CHAPUser]
  /// What the target proves itself with when asked (mutual CHAP).
  public var mutualUser: CHAPUser?
  public var accessEntries: [AccessEntry]
  /// Admits initiators that no entry names, to `units`.
  public var admitsAnyInitiator: Bool
  public var negotiation: NegotiationPolicy
  public var session: SessionPolicy

  public init(
    name: String, alias: String? = nil, portalGroupTags: [UInt16], units: [UnitPresentation],
    users: [CHAPUser] = [], mutualUser: CHAPUser? = nil, accessEntries: [AccessEntry] = [],
    admitsAnyInitiator: Bool = false, negotiation: NegotiationPolicy = NegotiationPolicy(),
    session: SessionPolicy = SessionPolicy()
  ) {
    self.name = name
    self.alias = alias
    self.portalGroupTags = portalGroupTags
    self.units = units
    self.users = users
    self.mutualUser = mutualUser
    self.accessEntries = accessEntries
    self.admitsAnyInitiator = admitsAnyInitiator
    self.negotiation = negotiation
    self.session = session
  }
}

/// A logical unit at a LUN.
public struct UnitPresentation: Sendable, Equatable {
  /// 0 … 16383.
  public var lun: UInt16
  /// `LogicalUnitIdentity.name` of the unit.
  public var unit: String
  public var isReadOnly: Bool

  public init(lun: UInt16, unit: String, isReadOnly: Bool = false) {
    self.lun = lun
    self.unit = unit
    self.isReadOnly = isReadOnly
  }
}

/// One initiator's right to a target. It counts when the name **and** the address match.
public struct AccessEntry: Sendable, Equatable {
  /// Normalised; nil for any name from `addresses`.
  public var initiator: String?
  /// Empty for any address.
  public var addresses: [AddressRange]
  /// This initiator's own users; if there are any, the target's do not count for it.
  public var users: [CHAPUser]
  public var mutualUser: CHAPUser?
  /// What this initiator sees instead of the target's units; nil for those.
  public var units: [UnitPresentation]?
  public var isReadOnly: Bool

  public init(
    initiator: String?, addresses: [AddressRange] = [], users: [CHAPUser] = [],
    mutualUser: CHAPUser? = nil, units: [UnitPresentation]? = nil, isReadOnly: Bool = false
  ) {
    self.initiator = initiator
    self.addresses = addresses
    self.users = users
    self.mutualUser = mutualUser
    self.units = units
    self.isReadOnly = isReadOnly
  }

  func matches(initiator name: String, address: SocketAddress) -> Bool {
    guard initiator == nil || initiator == name else { return false }
    return addresses.isEmpty || addresses.contains { $0.contains(address.ip) }
  }
}

/// How sessions of a target behave beyond what is negotiated.
public struct SessionPolicy: Sendable, Equatable {
  /// Commands a session may have outstanding: the width of its CmdSN window. 1 … 512.
  public var queueDepth: Int
  /// Silence after which the target asks whether the initiator is still there; zero asks never.
  public var nopInterval: Milliseconds
  /// How long it waits for the answer before it gives the connection up.
  public var nopTimeout: Milliseconds

  public init(
    queueDepth: Int = 128, nopInterval: Milliseconds = .seconds(10),
    nopTimeout: Milliseconds = .seconds(10)
  ) {
    self.queueDepth = queueDepth
    self.nopInterval = nopInterval
    self.nopTimeout = nopTimeout
  }
}

/// An address the target listens on.
public struct PortalDefinition: Sendable, Equatable {
  public var address: SocketAddress
  public var groupTag: UInt16
  /// What discovery says instead of the address ("192.0.2.1:3260"), behind NAT for instance.
  public var advertised: String?

  public init(address: SocketAddress, groupTag: UInt16, advertised: String? = nil) {
    self.address = address
    self.groupTag = groupTag
    self.advertised = advertised
  }
}
