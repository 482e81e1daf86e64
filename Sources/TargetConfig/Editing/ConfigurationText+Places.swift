/// Names an entry of a target's access list: by its initiator, and by its addresses where several
/// entries have that initiator.
public struct AccessEntryName: Sendable, Hashable, CustomStringConvertible {
  /// As in the file; "any" for the entry of any name.
  public var initiator: String
  public var addresses: [String]?

  public init(initiator: String, addresses: [String]? = nil) {
    self.initiator = initiator
    self.addresses = addresses
  }

  public var description: String {
    guard let addresses, !addresses.isEmpty else { return initiator }
    return "\(initiator) from \(addresses.joined(separator: ", "))"
  }
}

/// Where CHAP users stand.
public enum CredentialPlace: Sendable, Hashable {
  case discovery
  case target(String)
  case entry(AccessEntryName, target: String)
}

/// A value with the path that edits name it by.
struct EditPlace {
  var path: ConfigurationPath
  var node: DocumentNode

  func error(
    _ kind: ConfigurationEditError.Kind, _ sentence: String, remedy: String? = nil
  ) -> ConfigurationEditError {
    ConfigurationEditError(kind, node.path, sentence, remedy: remedy)
  }

  /// An error about a member, there or not.
  func error(
    _ kind: ConfigurationEditError.Kind, at key: String, _ sentence: String,
    remedy: String? = nil
  ) -> ConfigurationEditError {
    ConfigurationEditError(kind, node.pathAppending(key), sentence, remedy: remedy)
  }

  /// The elements of the list `key`; none when there is no such list.
  func elements(_ key: String) -> [EditPlace] {
    (node[key]?.elements ?? []).enumerated().map { index, element in
      EditPlace(path: path.appending(key).appending(.index(index)), node: element)
    }
  }
}

extension ConfigurationText {
  var whole: EditPlace { EditPlace(path: ConfigurationPath(), node: DocumentNode(root: root)) }

  func store(_ name: String) throws(ConfigurationEditError) -> EditPlace {
    guard let node = whole.node["stores"]?[name] else {
      let names = (whole.node["stores"]?.members ?? []).map(\.key)
      throw ConfigurationEditError(.notFound, "stores", Absence.sentence("store", name, of: names))
    }
    return EditPlace(path: ConfigurationPath([.key("stores"), .key(name)]), node: node)
  }

  /// Names of iSCSI nodes are compared in lower case (RFC 7143 §4.2.7.2).
  func target(_ name: String) throws(ConfigurationEditError) -> EditPlace {
    let wanted = ISCSIName.normalized(name)
    let list = whole.node["targets"]
    let targets = list?.value.elements ?? []
    let found = targets.firstIndex {
      $0.member("name")?.text.map { ISCSIName.isNormalized($0, to: wanted) } == true
    }
    if let list, let found, let node = list.child(at: found) {
      let path = ConfigurationPath([.key("targets"), .index(found)])
      return EditPlace(path: path, node: node)
    }
    let names = targets.compactMap { $0.member("name")?.text }
    throw ConfigurationEditError(.notFound, "targets", Absence.sentence("target", name, of: names))
  }

  func entry(
    _ name: AccessEntryName, of target: EditPlace
  ) throws(ConfigurationEditError) -> EditPlace {
    let initiator = ISCSIName.normalized(name.initiator)
    let entries = target.elements("acl")
    var found = entries.filter { $0.isNamed(initiator, by: "initiator") }
    if let addresses = name.addresses {
      let wanted = Self.canonical(addresses)
      found = found.filter { entry in
        Self.canonical(entry.elements("addresses").compactMap(\.node.text)) == wanted
      }
    }
    guard let first = found.first else {
      let names = entries.compactMap(\.entryName)
      throw target.error(
        .notFound, at: "acl",
        "no entry for \(name.description.quoted) \(Absence.list("entries", names))")
    }
    guard found.count == 1 else {
      throw target.error(
        .conflict, at: "acl",
        "\(found.count) entries are for \(name.description.quoted): name the addresses too")
    }
    return first
  }

  func place(_ place: CredentialPlace) throws(ConfigurationEditError) -> EditPlace? {
    switch place {
    case .discovery:
      return whole.node["discovery"].map {
        EditPlace(path: ConfigurationPath([.key("discovery")]), node: $0)
      }
    case .target(let name): return try target(name)
    case .entry(let entry, let name): return try self.entry(entry, of: try target(name))
    }
  }

  /// Appends to a list, which is made when it is missing.
  mutating func append(
    _ value: ConfigurationValue, to key: String, of place: EditPlace
  ) throws(ConfigurationEditError) {
    let list = place.path.appending(key)
    if place.node[key] == nil {
      try apply(.add(list, .list([value])))
    } else {
      try apply(.insert(list, value))
    }
  }

  /// Sets a member, or removes it where `value` is nil.
  mutating func set(
    _ key: String, _ value: ConfigurationValue?, of place: EditPlace, _ shape: ObjectShape
  ) throws(ConfigurationEditError) {
    guard shape.key(named: key) != nil else {
      let meant = EditDistance.suggestion(for: key, among: shape.keys.map(\.name))
      throw place.error(
        .invalid, at: key,
        "unknown key" + (meant.map { ", did you mean \($0.quoted)?" } ?? ""))
    }
    if let value {
      try apply(.set(place.path.appending(key), value))
    } else if place.node[key] != nil {
      try apply(.remove(place.path.appending(key)))
    }
  }

  fileprivate static func canonical(_ addresses: [String]) -> Set<String> {
    Set(addresses.map { (try? AddressPattern(parsing: $0))?.description ?? $0 })
  }
}

extension EditPlace {
  /// Of an entry of an access list.
  fileprivate var entryName: String? {
    node["initiator"]?.text.map { initiator in
      AccessEntryName(
        initiator: initiator, addresses: elements("addresses").compactMap(\.node.text)
      ).description
    }
  }

  fileprivate func isNamed(_ wanted: String, by key: String) -> Bool {
    node[key]?.text.map(ISCSIName.normalized) == wanted
  }
}

extension TargetConfiguration.Target {
  /// By the rules of edits; nil where there is none, or more than one.
  public func entry(_ name: AccessEntryName) -> TargetConfiguration.AccessEntry? {
    let initiator = ISCSIName.normalized(name.initiator)
    var found = acl.filter { ($0.initiator ?? "any") == initiator }
    if let addresses = name.addresses {
      let wanted = ConfigurationText.canonical(addresses)
      found = found.filter { Set($0.addresses.map(\.description)) == wanted }
    }
    return found.count == 1 ? found.first : nil
  }
}
