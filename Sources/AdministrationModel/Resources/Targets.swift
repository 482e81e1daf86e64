/// An iSCSI target node (RFC 7143 §4.1). It shows who may log in, and no secret.
public struct TargetResource: Codable, Sendable, Equatable {
  public var name: String
  public var alias: String?
  /// A small number that stays the target's while the daemon runs.
  public var id: UInt32
  /// nil: all portal groups serve it.
  public var portalGroups: [UInt16]?
  public var luns: [LUNResource]
  public var acl: [AccessEntryResource]
  /// The names of CHAP users that may log in where no entry of `acl` says otherwise.
  public var chapUsers: [String]
  /// The name with which the target proves itself.
  public var mutualCHAPUser: String?
  /// Whoever matches no entry of `acl` may log in, too.
  public var isOpenToAny: Bool
  /// How many sessions are logged in.
  public var sessionCount: Int

  public init(name: String, id: UInt32 = 0) {
    self.name = name
    self.id = id
    luns = []
    acl = []
    chapUsers = []
    isOpenToAny = false
    sessionCount = 0
  }
}

extension TargetResource {
  /// The entry that `key` names: by its initiator, and by its addresses where several have that.
  public func entry(_ key: EntryKey) throws(AdministrationError) -> AccessEntryResource {
    let found = acl.filter { entry in
      entry.initiator.lowercased() == key.initiator.lowercased()
        && (key.addresses.map { Set($0) } ?? Set(entry.addresses)) == Set(entry.addresses)
    }
    guard let first = found.first else {
      throw AdministrationError(.notFound, "\(name) has no entry for \(key.initiator)")
    }
    guard found.count == 1 else {
      throw AdministrationError(
        .conflict, "\(found.count) entries of \(name) are for \(key.initiator)",
        remedy: "name the addresses, too")
    }
    return first
  }
}

/// A store under a number.
public struct LUNResource: Codable, Sendable, Equatable {
  public var lun: UInt16
  public var store: String
  public var readOnly: Bool
  public var state: StoreState
  public var sizeBytes: UInt64?
  public var blockSize: Int?
  /// As `StoreResource.wwn`.
  public var wwn: String?

  public init(lun: UInt16, store: String, readOnly: Bool = false, state: StoreState = .online) {
    self.lun = lun
    self.store = store
    self.readOnly = readOnly
    self.state = state
  }
}

/// An entry of a target's access list. The first that matches decides.
public struct AccessEntryResource: Codable, Sendable, Equatable {
  /// `any` for any name.
  public var initiator: String
  /// Empty: from anywhere.
  public var addresses: [String]
  /// Users of this entry alone; where there are some, the target's users do not count.
  public var chapUsers: [String]
  public var mutualCHAPUser: String?
  /// nil: the target's own.
  public var luns: [LUNResource]?
  public var readOnly: Bool

  public init(initiator: String, addresses: [String] = []) {
    self.initiator = initiator
    self.addresses = addresses
    chapUsers = []
    readOnly = false
  }
}

/// Who may do discovery (RFC 7143 §4.3).
public struct DiscoveryResource: Codable, Sendable, Equatable {
  /// Empty: anybody, who is shown only what it may log in to.
  public var chapUsers: [String]
  public var mutualCHAPUser: String?

  public init(chapUsers: [String] = [], mutualCHAPUser: String? = nil) {
    self.chapUsers = chapUsers
    self.mutualCHAPUser = mutualCHAPUser
  }
}

/// CHAP users of a target, an entry or discovery.
public struct CHAPResource: Codable, Sendable, Equatable {
  public var users: [String]
  public var mutualUser: String?

  public init(users: [String], mutualUser: String? = nil) {
    self.users = users
    self.mutualUser = mutualUser
  }
}

/// A listening socket of the data plane and its portal group (RFC 7143 §4.1.1).
public struct PortalResource: Codable, Sendable, Equatable {
  /// `192.0.2.7:3260`.
  public var address: String
  public var group: UInt16
  /// What discovery announces in place of `address`.
  public var advertise: String?
  public var isListening: Bool
  /// Why it does not listen.
  public var reason: String?
  public var connectionCount: Int

  public init(address: String, group: UInt16 = 1, isListening: Bool = true) {
    self.address = address
    self.group = group
    self.isListening = isListening
    connectionCount = 0
  }
}
