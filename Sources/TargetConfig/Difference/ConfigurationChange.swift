/// One difference between two configurations. It shows no secret.
public struct ConfigurationChange: Sendable, Equatable {
  public enum Kind: String, Sendable, Encodable {
    case added, removed, changed
  }

  /// What it takes to bring a running daemon there.
  public enum Application: String, Sendable, Encodable {
    /// Nothing that runs is disturbed.
    case live
    /// What changed is closed and opened again: whoever uses it loses it for a moment, or for good.
    case reopen
    /// Only a new start brings it about.
    case restart
  }

  /// What was added, removed or changed.
  public enum Subject: Sendable, Hashable {
    /// The top level of the file.
    case daemon
    case limits
    /// The general "iscsi".
    case negotiation
    case portal(Endpoint)
    case store(String)
    case target(String)
    case lun(UInt16, target: String)
    /// Named with all its addresses.
    case entry(AccessEntryName, target: String)
    case entryLUN(UInt16, AccessEntryName, target: String)
    /// A user that may log in.
    case user(String, CredentialPlace)
    /// The user with which a target proves itself.
    case mutualUser(CredentialPlace)
  }

  public var kind: Kind
  public var subject: Subject
  /// The key of the subject whose value changed; nil where the subject came or went.
  public var key: String?
  /// The value before, in words; nil for what was added, and where it is a secret.
  public var old: String?
  /// The value afterwards, in words; nil for what was removed, and where it is a secret.
  public var new: String?
  public var application: Application

  /// `stores.quorum1.size`, with lists by name in place of numbers: `targets[iqn.…].luns[3].store`.
  public var path: String {
    guard let key else { return subject.path }
    return subject == .daemon ? key : "\(subject.path).\(key)"
  }
}

extension ConfigurationChange.Subject {
  /// Empty for the top level.
  public var path: String {
    switch self {
    case .daemon: ""
    case .limits: "limits"
    case .negotiation: "iscsi"
    case .portal(let endpoint): "portals[\(endpoint)]"
    case .store(let name): DocumentNode.path("stores", appending: name)
    case .target(let name): "targets[\(name)]"
    case .lun(let number, let target): "targets[\(target)].luns[\(number)]"
    case .entry(let entry, let target): "targets[\(target)].acl[\(entry)]"
    case .entryLUN(let number, let entry, let target):
      "targets[\(target)].acl[\(entry)].luns[\(number)]"
    case .user(let user, let place): "\(place.path).chap[\(user)]"
    case .mutualUser(let place): "\(place.path).mutualChap"
    }
  }
}

extension CredentialPlace {
  /// As in `ConfigurationChange.path`.
  public var path: String {
    switch self {
    case .discovery: "discovery"
    case .target(let name): "targets[\(name)]"
    case .entry(let entry, let target): "targets[\(target)].acl[\(entry)]"
    }
  }
}

extension ConfigurationChange: Encodable {
  private enum CodingKeys: String, CodingKey {
    case kind = "change"
    case path, old, new, application
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    try container.encode(path, forKey: .path)
    try container.encodeIfPresent(old, forKey: .old)
    try container.encodeIfPresent(new, forKey: .new)
    try container.encode(application, forKey: .application)
  }
}
