// What requests ask to be made. Where something is nil the key is left out of the configuration and
// its default counts. Keys and values mean what they mean in the configuration file; whether they
// are good, the daemon tells as it tells of the file.

/// A store to make.
public struct StoreSpecification: Codable, Sendable, Equatable {
  public var name: String
  public var kind: StoreKind
  /// The absolute path of a file or a block device.
  public var path: String?
  public var sizeBytes: UInt64?
  public var blockSize: Int?
  public var physicalBlockSize: Int?
  /// `writeback`, `none`, `writethrough` or `directsync`.
  public var cache: String?
  /// `unmap` or `ignore`.
  public var discard: String?
  public var readOnly: Bool?
  public var naa: String?
  public var serial: String?
  public var vendor: String?
  public var product: String?
  /// A store of that name is taken as it is.
  public var ifMissing: Bool?

  public init(name: String, kind: StoreKind, path: String? = nil, sizeBytes: UInt64? = nil) {
    self.name = name
    self.kind = kind
    self.path = path
    self.sizeBytes = sizeBytes
  }
}

/// A CHAP user to make. The secret is text, or in a file that the daemon can read.
public struct CredentialSpecification: Codable, Sendable, Equatable {
  public var user: String
  public var secret: SecretText?
  /// The absolute path of the file that holds the secret.
  public var secretFile: String?

  public init(user: String, secret: SecretText) {
    self.user = user
    self.secret = secret
  }

  public init(user: String, secretFile: String) {
    self.user = user
    self.secretFile = secretFile
  }
}

/// A LUN to make, of a target or of an entry of its access list.
public struct LUNSpecification: Codable, Sendable, Equatable {
  /// nil: the lowest free number from 1 on.
  public var lun: UInt16?
  public var store: String
  public var readOnly: Bool?

  public init(lun: UInt16? = nil, store: String, readOnly: Bool? = nil) {
    self.lun = lun
    self.store = store
    self.readOnly = readOnly
  }
}

/// An entry of an access list to make.
public struct AccessEntrySpecification: Codable, Sendable, Equatable {
  /// A name, or `any`.
  public var initiator: String
  public var addresses: [String]?
  public var chap: [CredentialSpecification]?
  public var mutualCHAP: CredentialSpecification?
  /// nil: the target's own LUNs; empty: none.
  public var luns: [LUNSpecification]?
  public var readOnly: Bool?
  /// Before the entry at this place; nil: behind all. The first that matches decides.
  public var index: Int?

  public init(initiator: String, addresses: [String]? = nil) {
    self.initiator = initiator
    self.addresses = addresses
  }
}

/// A target to make.
public struct TargetSpecification: Codable, Sendable, Equatable {
  public var name: String
  public var alias: String?
  public var portalGroups: [UInt16]?
  public var luns: [LUNSpecification]?
  public var chap: [CredentialSpecification]?
  public var mutualCHAP: CredentialSpecification?
  public var acl: [AccessEntrySpecification]?
  /// Whoever matches no entry of `acl` may log in, too.
  public var isOpenToAny: Bool?
  /// A target of that name is taken as it is.
  public var ifMissing: Bool?

  public init(name: String) { self.name = name }
}

/// A portal to make.
public struct PortalSpecification: Codable, Sendable, Equatable {
  /// `192.0.2.7:3260`.
  public var address: String
  public var group: UInt16?
  public var advertise: String?

  public init(address: String, group: UInt16? = nil, advertise: String? = nil) {
    self.address = address
    self.group = group
    self.advertise = advertise
  }
}

/// The new size of a store.
public struct SizeSpecification: Codable, Sendable, Equatable {
  public var sizeBytes: UInt64

  public init(sizeBytes: UInt64) { self.sizeBytes = sizeBytes }
}
