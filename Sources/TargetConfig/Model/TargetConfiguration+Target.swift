extension TargetConfiguration {
  /// An iSCSI target node: a name, its logical units, and who may log in.
  public struct Target: Sendable, Equatable {
    /// Lower case, at most 223 bytes (RFC 7143 §4.2.7).
    public var name: String
    public var alias: String?
    /// The portal groups that serve it; nil means all of them.
    public var portalGroups: [UInt16]?
    /// What is said of some of them: in the order of the file.
    public var groupAccess: [GroupAccess] = []
    /// Whether initiators may change access states.
    public var explicitAlua = false
    public var luns: [LUN] = []
    /// Any of these users may log in, where no entry of `acl` says otherwise.
    public var chap: [Credential] = []
    public var mutualChap: Credential?
    /// In the order of the file; the first that matches decides.
    public var acl: [AccessEntry] = []
    /// `"initiators": "any"`: whoever matches no entry may log in under the target's own rules.
    public var isOpenToAny = false
    public var iscsi = Negotiation.standard

    public init(name: String) { self.name = name }

    /// Whether somebody of whom nothing is known may log in, from anywhere and without proof.
    public var isOpenDoor: Bool {
      guard chap.isEmpty else { return false }
      // Behind an entry that means everybody, "initiators" is never asked.
      let everybody = acl.first { $0.initiator == nil && $0.addresses.isEmpty }
      return everybody.map(\.chap.isEmpty) ?? isOpenToAny
    }
  }

  /// How the units of a target are accessible through a portal group (SPC-4 §5.15).
  public struct GroupAccess: Sendable, Equatable {
    public var group: UInt16
    public var state: AccessState
    public var isPreferred: Bool

    public init(group: UInt16, state: AccessState, isPreferred: Bool = false) {
      self.group = group
      self.state = state
      self.isPreferred = isPreferred
    }
  }

  /// ASYMMETRIC ACCESS STATE (SPC-4 §6.37), by the names that multipath shows.
  public enum AccessState: String, Sendable, CaseIterable {
    case activeOptimized = "active/optimized"
    case activeNonOptimized = "active/non-optimized"
    case standby
    case unavailable
    case transitioning
  }

  /// A store under a number.
  public struct LUN: Sendable, Equatable {
    /// 0…16383: what flat space addressing holds (SAM-5 §4.7.7.3).
    public var number: UInt16
    public var store: String
    public var readOnly: Bool

    public init(number: UInt16, store: String, readOnly: Bool = false) {
      self.number = number
      self.store = store
      self.readOnly = readOnly
    }

    public static let numberMax: UInt16 = 16383
  }

  /// One entry of a target's access list. It matches when the name **and** the address match.
  public struct AccessEntry: Sendable, Equatable {
    /// nil: any name, `"initiator": "any"`.
    public var initiator: String?
    /// Empty: from anywhere.
    public var addresses: [AddressPattern] = []
    /// Users of this entry alone. Given, they replace the target's users for who matches here.
    public var chap: [Credential] = []
    public var mutualChap: Credential?
    /// nil: the target's own LUNs. Given, exactly these are seen.
    public var luns: [LUN]?
    public var readOnly = false

    public init(initiator: String?) { self.initiator = initiator }
  }
}
