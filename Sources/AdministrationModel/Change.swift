/// One change of the running configuration.
public enum Change: Sendable, Equatable {
  case addStore(StoreSpecification)
  case removeStore(StoreName)
  case resizeStore(StoreSize)
  /// Sets keys of a store as in the configuration file.
  case setStore(StoreKeys)

  case addTarget(TargetSpecification)
  case removeTarget(TargetName)
  case setTarget(TargetKeys)

  case addLUN(LUNAddition)
  case removeLUN(LUNName)

  case addACLEntry(EntryAddition)
  case removeACLEntry(EntryName)
  case setACLEntry(EntryKeys)

  case addCHAPUser(UserAddition)
  case removeCHAPUser(UserName)
  /// Gives the target a user to prove itself with, in place of the one it had.
  case setMutualCHAP(UserAddition)
  case clearMutualCHAP(CredentialPlace)

  case addPortal(PortalSpecification)
  case removePortal(PortalName)

  /// Touches no configuration: it is kept beside, until the daemon ends.
  case setNote(NoteSpecification)
}

extension Change {
  public struct StoreName: Codable, Sendable, Equatable {
    public var name: String

    public init(_ name: String) { self.name = name }
  }

  public struct StoreSize: Codable, Sendable, Equatable {
    public var name: String
    public var sizeBytes: UInt64

    public init(_ name: String, sizeBytes: UInt64) {
      self.name = name
      self.sizeBytes = sizeBytes
    }
  }

  /// What is null is removed, so that its default counts; what is not named stays.
  public struct StoreKeys: Codable, Sendable, Equatable {
    public var name: String
    public var values: [String: JSONValue]

    public init(_ name: String, _ values: [String: JSONValue]) {
      self.name = name
      self.values = values
    }
  }

  public struct TargetName: Codable, Sendable, Equatable {
    public var name: String

    public init(_ name: String) { self.name = name }
  }

  /// As `StoreKeys`.
  public struct TargetKeys: Codable, Sendable, Equatable {
    public var name: String
    public var values: [String: JSONValue]

    public init(_ name: String, _ values: [String: JSONValue]) {
      self.name = name
      self.values = values
    }
  }

  public struct LUNAddition: Codable, Sendable, Equatable {
    public var target: String
    /// nil: to the target's own LUNs.
    public var entry: EntryKey?
    public var lun: LUNSpecification

    public init(target: String, entry: EntryKey? = nil, _ lun: LUNSpecification) {
      self.target = target
      self.entry = entry
      self.lun = lun
    }
  }

  public struct LUNName: Codable, Sendable, Equatable {
    public var target: String
    public var entry: EntryKey?
    public var lun: UInt16

    public init(target: String, entry: EntryKey? = nil, lun: UInt16) {
      self.target = target
      self.entry = entry
      self.lun = lun
    }
  }

  public struct EntryAddition: Codable, Sendable, Equatable {
    public var target: String
    public var entry: AccessEntrySpecification

    public init(target: String, _ entry: AccessEntrySpecification) {
      self.target = target
      self.entry = entry
    }
  }

  public struct EntryName: Codable, Sendable, Equatable {
    public var target: String
    public var entry: EntryKey

    public init(target: String, _ entry: EntryKey) {
      self.target = target
      self.entry = entry
    }
  }

  /// As `StoreKeys`.
  public struct EntryKeys: Codable, Sendable, Equatable {
    public var target: String
    public var entry: EntryKey
    public var values: [String: JSONValue]

    public init(target: String, _ entry: EntryKey, _ values: [String: JSONValue]) {
      self.target = target
      self.entry = entry
      self.values = values
    }
  }

  public struct UserAddition: Codable, Sendable, Equatable {
    public var place: CredentialPlace
    public var credential: CredentialSpecification

    public init(_ credential: CredentialSpecification, at place: CredentialPlace) {
      self.place = place
      self.credential = credential
    }
  }

  public struct UserName: Codable, Sendable, Equatable {
    public var place: CredentialPlace
    public var user: String
    /// The last user may go, though then nobody has to prove anything.
    public var allowingOpenAccess: Bool?

    public init(_ user: String, at place: CredentialPlace, allowingOpenAccess: Bool? = nil) {
      self.place = place
      self.user = user
      self.allowingOpenAccess = allowingOpenAccess
    }
  }

  public struct PortalName: Codable, Sendable, Equatable {
    public var address: String

    public init(_ address: String) { self.address = address }
  }
}

/// Names an entry of an access list: by its initiator, and by its addresses where several entries
/// have that initiator.
public struct EntryKey: Codable, Sendable, Hashable {
  /// `any` for the entry of any name.
  public var initiator: String
  public var addresses: [String]?

  public init(initiator: String, addresses: [String]? = nil) {
    self.initiator = initiator
    self.addresses = addresses
  }
}

/// Where CHAP users stand: with an entry of a target's access list, with a target, or, where
/// neither is named, with discovery.
public struct CredentialPlace: Codable, Sendable, Hashable {
  public var target: String?
  /// Only with `target`.
  public var entry: EntryKey?

  public static let discovery = CredentialPlace()

  public init() {}

  public init(target: String, entry: EntryKey? = nil) {
    self.target = target
    self.entry = entry
  }
}
