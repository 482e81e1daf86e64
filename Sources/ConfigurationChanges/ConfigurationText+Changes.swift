public import AdministrationModel
public import TargetConfig

// What administrators ask for, as edits of the configuration's text.

extension ConfigurationText {
  /// Makes all of `changes`, as one; at an error those before the one that fails are made. Errors
  /// have the path of the value in the configuration. `made` is told what each names once it is
  /// made, so that what it brought about can be shown.
  public mutating func make(
    _ changes: [Change], made: (ChangeSubject) -> Void = { _ in }
  ) throws(ConfigurationEditError) {
    for change in changes { made(try make(change)) }
    tidy(after: changes)
  }

  private mutating func make(
    _ change: Change
  ) throws(ConfigurationEditError) -> ChangeSubject {
    switch change {
    case .addStore(let store): try add(store)
    case .removeStore(let store): try removeStore(store.name)
    case .resizeStore(let store):
      try setStoreSize(ByteSize.description(store.sizeBytes), of: store.name)
    case .setStore(let keys): try set(keys)
    case .addTarget(let target): try add(target)
    case .removeTarget(let target): try removeTarget(target.name)
    case .setTarget(let keys): try set(keys)
    case .addLUN(let addition): return try add(addition)
    case .removeLUN(let lun):
      try removeLUN(lun.lun, target: lun.target, entry: lun.entry.map { AccessEntryName($0) })
    case .addACLEntry(let addition):
      try addACLEntry(
        try NewAccessEntry(addition.entry, at: "targets[\(addition.target)].acl"),
        target: addition.target, index: addition.entry.index)
    case .removeACLEntry(let entry):
      try removeACLEntry(AccessEntryName(entry.entry), target: entry.target)
    case .setACLEntry(let keys): try set(keys)
    case .addCHAPUser(let addition):
      try addCHAPUser(
        try NewCredential(addition.credential, at: addition.place.path), to: .init(addition.place))
    case .removeCHAPUser(let user):
      try removeCHAPUser(
        user.user, from: .init(user.place), allowingOpenAccess: user.allowingOpenAccess ?? false)
    case .setMutualCHAP(let addition):
      try setMutualCHAP(
        try NewCredential(addition.credential, at: addition.place.path), at: .init(addition.place))
    case .clearMutualCHAP(let place): try clearMutualCHAP(at: .init(place))
    case .addPortal(let portal):
      try addPortal(
        NewPortal(address: portal.address, group: portal.group, advertise: portal.advertise))
    case .removePortal(let portal): try removePortal(portal.address)
    case .setNote: break  // not of the configuration
    }
    return ChangeSubject(change)
  }

  /// Takes out what these changes have emptied, once they are all made: a user may have been
  /// removed to come back with another secret, to where it stood.
  private mutating func tidy(after changes: [Change]) {
    for case .removeCHAPUser(let user) in changes { removeEmptyUsers(at: .init(user.place)) }
  }

  // MARK: Keys

  private mutating func set(_ keys: Change.StoreKeys) throws(ConfigurationEditError) {
    for (key, value) in keys.values.sorted(by: { $0.key < $1.key }) {
      try setStore(
        key, try ConfigurationValue(value, at: "stores.\(keys.name).\(key)"), of: keys.name)
    }
  }

  private mutating func set(_ keys: Change.TargetKeys) throws(ConfigurationEditError) {
    for (key, value) in keys.values.sorted(by: { $0.key < $1.key }) {
      try setTarget(
        key, try ConfigurationValue(value, at: "targets[\(keys.name)].\(key)"), of: keys.name)
    }
  }

  private mutating func set(_ keys: Change.EntryKeys) throws(ConfigurationEditError) {
    let entry = AccessEntryName(keys.entry)
    let path = "targets[\(keys.target)].acl[\(entry)]"
    for (key, value) in keys.values.sorted(by: { $0.key < $1.key }) {
      try setACLEntry(
        key, try ConfigurationValue(value, at: "\(path).\(key)"), of: entry, target: keys.target)
    }
  }

  // MARK: Stores, targets and LUNs

  private mutating func add(_ store: StoreSpecification) throws(ConfigurationEditError) {
    let medium = try TargetConfiguration.Medium(store)
    if store.ifMissing == true, let present = self.medium(ofStore: store.name) {
      guard present.keyword == medium.keyword, present.path == medium.path else {
        throw ConfigurationEditError(
          .conflict, "stores.\(store.name)",
          "is another store: \(present.path ?? present.keyword)")
      }
      return
    }
    var new = NewStore(medium, size: store.sizeBytes.map { ByteSize.description($0) })
    new.blockSize = store.blockSize
    new.physicalBlockSize = store.physicalBlockSize
    new.cache = try word(store.cache, at: "stores.\(store.name).cache")
    new.discard = try word(store.discard, at: "stores.\(store.name).discard")
    new.readOnly = store.readOnly
    new.naa = store.naa
    new.serial = store.serial
    new.vendor = store.vendor
    new.product = store.product
    try addStore(store.name, new)
  }

  private func word<Word: RawRepresentable & CaseIterable>(
    _ text: String?, at path: String
  ) throws(ConfigurationEditError) -> Word? where Word.RawValue == String {
    guard let text else { return nil }
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw ConfigurationEditError(.invalid, path, "\"\(text)\" is none of \(words)")
    }
    return word
  }

  private mutating func add(_ target: TargetSpecification) throws(ConfigurationEditError) {
    if target.ifMissing == true, hasTarget(target.name) { return }
    var new = NewTarget(name: target.name)
    new.alias = target.alias
    new.portalGroups = target.portalGroups
    new.luns = NewLUN.numbered(target.luns ?? [])
    let path = "targets[\(target.name)]"
    new.chap = try NewCredential.all(target.chap, at: path)
    new.mutualCHAP = try NewCredential.one(target.mutualCHAP, at: path)
    for entry in target.acl ?? [] {
      new.acl.append(try NewAccessEntry(entry, at: "\(path).acl"))
    }
    new.isOpenToAny = target.isOpenToAny ?? false
    try addTarget(new)
  }

  private mutating func add(
    _ addition: Change.LUNAddition
  ) throws(ConfigurationEditError) -> ChangeSubject {
    let entry = addition.entry.map { AccessEntryName($0) }
    let number: UInt16
    if let given = addition.lun.lun {
      number = given
    } else {
      number = try freeLUN(target: addition.target, entry: entry)
    }
    let lun = NewLUN(number: number, store: addition.lun.store, readOnly: addition.lun.readOnly)
    try addLUN(lun, target: addition.target, entry: entry)
    return .lun(number, target: addition.target, entry: entry)
  }
}

extension AdministrationModel.CredentialPlace {
  /// `targets[iqn.…].acl[iqn.…]`, as of what its users stand with.
  fileprivate var path: String {
    guard let target else { return "discovery" }
    return "targets[\(target)]" + (entry.map { ".acl[\(AccessEntryName($0))]" } ?? "")
  }
}

/// What a change was about.
public enum ChangeSubject: Sendable, Equatable {
  case nothing
  case store(String)
  case target(String)
  case lun(UInt16, target: String, entry: AccessEntryName?)
  case entry(AccessEntryName, target: String)
  case portal(String)

  public var store: String? { if case .store(let name) = self { name } else { nil } }

  fileprivate init(_ change: Change) {
    self =
      switch change {
      case .addStore(let store): .store(store.name)
      case .resizeStore(let store): .store(store.name)
      case .setStore(let store): .store(store.name)
      case .addTarget(let target): .target(target.name)
      case .setTarget(let target): .target(target.name)
      case .addACLEntry(let addition):
        .entry(
          AccessEntryName(
            initiator: addition.entry.initiator, addresses: addition.entry.addresses ?? []),
          target: addition.target)
      case .setACLEntry(let keys): .entry(AccessEntryName(keys.entry), target: keys.target)
      case .addCHAPUser(let addition), .setMutualCHAP(let addition): .init(addition.place)
      case .removeCHAPUser(let user): .init(user.place)
      case .clearMutualCHAP(let place): .init(place)
      case .addPortal(let portal): .portal(portal.address)
      case .addLUN, .removeLUN, .removeStore, .removeTarget, .removeACLEntry, .removePortal,
        .setNote:
        .nothing
      }
  }

  private init(_ place: AdministrationModel.CredentialPlace) {
    switch (place.target, place.entry) {
    case (nil, _): self = .nothing
    case (let target?, nil): self = .target(target)
    case (let target?, let entry?): self = .entry(AccessEntryName(entry), target: target)
    }
  }
}
