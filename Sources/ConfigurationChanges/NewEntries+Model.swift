internal import AdministrationModel
internal import TargetConfig

// The values of the API as those that are written into the configuration.

extension AccessEntryName {
  init(_ key: EntryKey) { self.init(initiator: key.initiator, addresses: key.addresses) }
}

extension TargetConfig.CredentialPlace {
  init(_ place: AdministrationModel.CredentialPlace) {
    switch (place.target, place.entry) {
    case (nil, _): self = .discovery
    case (let target?, nil): self = .target(target)
    case (let target?, let entry?): self = .entry(AccessEntryName(entry), target: target)
    }
  }
}

extension NewCredential {
  /// `path`: of what it is to stand with.
  init(
    _ credential: CredentialSpecification, at path: String
  ) throws(ConfigurationEditError) {
    switch (credential.secret, credential.secretFile) {
    case (let secret?, nil): self.init(user: credential.user, secret: .text(Secret(secret.reveal)))
    case (nil, let path?): self.init(user: credential.user, secret: .file(path: path))
    case (nil, nil), (.some, .some):
      throw ConfigurationEditError(
        .invalid, path,
        "the user \"\(credential.user)\" takes one of \"secret\" and \"secretFile\"")
    }
  }

  static func one(
    _ credential: CredentialSpecification?, at path: String
  ) throws(ConfigurationEditError) -> NewCredential? {
    guard let credential else { return nil }
    return try NewCredential(credential, at: path)
  }

  static func all(
    _ credentials: [CredentialSpecification]?, at path: String
  ) throws(ConfigurationEditError) -> [NewCredential] {
    var all: [NewCredential] = []
    for credential in credentials ?? [] { all.append(try NewCredential(credential, at: path)) }
    return all
  }
}

extension NewLUN {
  /// Those without a number get the lowest that are free, from 1 on.
  static func numbered(_ luns: [LUNSpecification]) -> [NewLUN] {
    var taken = Set(luns.compactMap(\.lun))
    return luns.map { lun in
      let number = lun.lun ?? (1...UInt16.max).first { !taken.contains($0) } ?? .max
      taken.insert(number)
      return NewLUN(number: number, store: lun.store, readOnly: lun.readOnly)
    }
  }
}

extension NewAccessEntry {
  /// `path`: of the access list.
  init(
    _ entry: AccessEntrySpecification, at path: String
  ) throws(ConfigurationEditError) {
    let name = AccessEntryName(initiator: entry.initiator, addresses: entry.addresses)
    self.init(name)
    chap = try NewCredential.all(entry.chap, at: "\(path)[\(name)]")
    mutualCHAP = try NewCredential.one(entry.mutualCHAP, at: "\(path)[\(name)]")
    luns = entry.luns.map { NewLUN.numbered($0) }
    readOnly = entry.readOnly
  }
}

extension TargetConfiguration.Medium {
  init(_ store: StoreSpecification) throws(ConfigurationEditError) {
    switch (store.kind, store.path) {
    case (.file, let path?): self = .file(path: path)
    case (.block, let path?): self = .block(path: path)
    case (.memory, nil): self = .memory
    case (.null, nil): self = .null
    case (.file, nil), (.block, nil):
      throw ConfigurationEditError(
        .invalid, "stores.\(store.name)", "a \(store.kind.rawValue) store takes a path")
    case (.memory, _?), (.null, _?):
      throw ConfigurationEditError(
        .invalid, "stores.\(store.name)", "a \(store.kind.rawValue) store takes no path")
    }
  }
}

extension ConfigurationValue {
  /// nil for null, which removes the key at `path`.
  init?(_ value: JSONValue, at path: String) throws(ConfigurationEditError) {
    switch value {
    case .null: return nil
    case .boolean(let boolean): self = .boolean(boolean)
    case .integer(let integer): self = .integer(integer)
    case .text(let text): self = .text(text)
    case .number: throw ConfigurationEditError(.invalid, path, "is not a whole number")
    case .list(let elements):
      var values: [ConfigurationValue] = []
      for element in elements { values.append(try Self(element, at: path) ?? .null) }
      self = .list(values)
    case .object(let members):
      var values: [Member] = []
      for (name, member) in members.sorted(by: { $0.key < $1.key }) {
        values.append(Member(name, try Self(member, at: "\(path).\(name)") ?? .null))
      }
      self = .object(values)
    }
  }
}
