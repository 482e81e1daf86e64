// What the edits write. Where something is nil the key is left out and its default counts. The
// texts are those of the file; whether they are good, `ConfigurationLoader` tells.

/// A CHAP user to write. Shows no secret.
public struct NewCredential: Sendable, Equatable {
  public enum SecretSource: Sendable, Equatable {
    /// In the configuration file itself.
    case text(Secret)
    /// In a file of its own.
    case file(path: String)
  }

  public var user: String
  public var secret: SecretSource

  public init(user: String, secret: SecretSource) {
    self.user = user
    self.secret = secret
  }

  var value: ConfigurationValue {
    let secret: ConfigurationValue =
      switch secret {
      case .text(let secret): .text(String(decoding: secret.bytes, as: UTF8.self))
      case .file(let path): .object([("file", .text(path))])
      }
    return .object([("user", .text(user)), ("secret", secret)])
  }
}

/// A store to write.
public struct NewStore: Sendable, Equatable {
  public var medium: TargetConfiguration.Medium
  /// As in the file: `"64MiB"`.
  public var size: String?
  public var blockSize: Int?
  public var physicalBlockSize: Int?
  public var cache: TargetConfiguration.CacheMode?
  public var discard: TargetConfiguration.DiscardMode?
  public var readOnly: Bool?
  public var naa: String?
  public var serial: String?
  public var vendor: String?
  public var product: String?

  public init(_ medium: TargetConfiguration.Medium, size: String? = nil) {
    self.medium = medium
    self.size = size
  }

  var value: ConfigurationValue {
    .object([
      (medium.keyword, medium.path.map { .text($0) } ?? .boolean(true)), text("size", size),
      integer("blockSize", blockSize), integer("physicalBlockSize", physicalBlockSize),
      text("cache", cache?.rawValue), text("discard", discard?.rawValue),
      ("readOnly", readOnly.map { .boolean($0) }), text("naa", naa), text("serial", serial),
      text("vendor", vendor), text("product", product),
    ])
  }
}

/// A LUN to write, of a target or of an entry of its access list.
public struct NewLUN: Sendable, Equatable {
  public var number: UInt16
  public var store: String
  public var readOnly: Bool?

  public init(number: UInt16, store: String, readOnly: Bool? = nil) {
    self.number = number
    self.store = store
    self.readOnly = readOnly
  }

  var value: ConfigurationValue {
    .object([
      ("lun", .integer(Int64(number))), ("store", .text(store)),
      ("readOnly", readOnly.map { .boolean($0) }),
    ])
  }
}

/// An entry of an access list to write.
public struct NewAccessEntry: Sendable, Equatable {
  public var name: AccessEntryName
  public var chap: [NewCredential] = []
  public var mutualCHAP: NewCredential?
  /// nil: the target's own LUNs; empty: none.
  public var luns: [NewLUN]?
  public var readOnly: Bool?

  public init(_ name: AccessEntryName) { self.name = name }

  var credentials: [NewCredential] { chap + [mutualCHAP].compactMap { $0 } }

  var value: ConfigurationValue {
    .object([
      ("initiator", .text(name.initiator)), list("addresses", name.addresses?.map { .text($0) }),
      list("chap", chap.isEmpty ? nil : chap.map(\.value)), ("mutualChap", mutualCHAP?.value),
      list("luns", luns?.map(\.value)), ("readOnly", readOnly.map { .boolean($0) }),
    ])
  }
}

/// A target to write.
public struct NewTarget: Sendable, Equatable {
  public var name: String
  public var alias: String?
  public var portalGroups: [UInt16]?
  public var luns: [NewLUN] = []
  public var chap: [NewCredential] = []
  public var mutualCHAP: NewCredential?
  public var acl: [NewAccessEntry] = []
  /// Writes `"initiators": "any"`.
  public var isOpenToAny = false

  public init(name: String) { self.name = name }

  var credentials: [NewCredential] {
    chap + [mutualCHAP].compactMap { $0 } + acl.flatMap(\.credentials)
  }

  var value: ConfigurationValue {
    .object([
      ("name", .text(name)), text("alias", alias),
      list("portalGroups", portalGroups?.map { .integer(Int64($0)) }),
      list("luns", luns.map(\.value)), list("chap", chap.isEmpty ? nil : chap.map(\.value)),
      ("mutualChap", mutualCHAP?.value), list("acl", acl.isEmpty ? nil : acl.map(\.value)),
      text("initiators", isOpenToAny ? "any" : nil),
    ])
  }
}

/// A portal to write.
public struct NewPortal: Sendable, Equatable {
  /// `"192.0.2.7:3260"`.
  public var address: String
  public var group: UInt16?
  public var advertise: String?

  public init(address: String, group: UInt16? = nil, advertise: String? = nil) {
    self.address = address
    self.group = group
    self.advertise = advertise
  }

  var value: ConfigurationValue {
    if group == nil, advertise == nil { return .text(address) }
    return .object([
      ("address", .text(address)), integer("group", group.map { Int($0) }),
      text("advertise", advertise),
    ])
  }
}

private func text(_ key: String, _ text: String?) -> (String, ConfigurationValue?) {
  (key, text.map { .text($0) })
}

private func integer(_ key: String, _ value: Int?) -> (String, ConfigurationValue?) {
  (key, value.map { .integer(Int64($0)) })
}

private func list(
  _ key: String, _ values: [ConfigurationValue]?
) -> (String, ConfigurationValue?) {
  (key, values.map { .list($0) })
}
