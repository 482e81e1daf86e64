import AdministrationModel
import TargetConfig

extension ConfigurationText {
  /// What the daemon makes of a change.
  mutating func make(_ change: Change) throws {
    switch change {
    case .addStore(let store): try addStore(store.name, try NewStore(store))
    case .removeStore(let store): try removeStore(store.name)
    case .resizeStore(let store): try setStoreSize("\(store.sizeBytes)", of: store.name)
    case .setStore(let keys):
      for (key, value) in keys.values { try setStore(key, value.configured, of: keys.name) }
    case .addTarget(let target): try addTarget(NewTarget(target))
    case .removeTarget(let target): try removeTarget(target.name)
    case .setTarget(let keys):
      for (key, value) in keys.values { try setTarget(key, value.configured, of: keys.name) }
    case .addLUN(let addition):
      try addLUN(
        NewLUN(addition.lun), target: addition.target, entry: addition.entry.map(\.name))
    case .removeLUN(let lun):
      try removeLUN(lun.lun, target: lun.target, entry: lun.entry.map(\.name))
    case .addACLEntry(let addition):
      try addACLEntry(
        NewAccessEntry(addition.entry), target: addition.target, index: addition.entry.index)
    case .removeACLEntry(let entry): try removeACLEntry(entry.entry.name, target: entry.target)
    case .setACLEntry(let keys):
      for (key, value) in keys.values {
        try setACLEntry(key, value.configured, of: keys.entry.name, target: keys.target)
      }
    case .addCHAPUser(let addition):
      try addCHAPUser(NewCredential(addition.credential), to: addition.place.configured)
    case .removeCHAPUser(let user):
      try removeCHAPUser(
        user.user, from: user.place.configured,
        allowingOpenAccess: user.allowingOpenAccess ?? false)
    case .setMutualCHAP(let addition):
      try setMutualCHAP(NewCredential(addition.credential), at: addition.place.configured)
    case .clearMutualCHAP(let place): try clearMutualCHAP(at: place.configured)
    case .addPortal(let portal):
      try addPortal(
        NewPortal(address: portal.address, group: portal.group, advertise: portal.advertise))
    case .removePortal(let portal): try removePortal(portal.address)
    case .setNote: break  // not of the configuration
    }
  }
}

extension EntryKey {
  fileprivate var name: AccessEntryName {
    AccessEntryName(initiator: initiator, addresses: addresses)
  }
}

extension AdministrationModel.CredentialPlace {
  fileprivate var configured: TargetConfig.CredentialPlace {
    guard let target else { return .discovery }
    return entry.map { .entry($0.name, target: target) } ?? .target(target)
  }
}

extension JSONValue {
  fileprivate var configured: ConfigurationValue? {
    switch self {
    case .null: nil
    case .boolean(let boolean): .boolean(boolean)
    case .integer(let integer): .integer(integer)
    case .number(let number): .integer(Int64(number))
    case .text(let text): .text(text)
    case .list(let elements): .list(elements.compactMap(\.configured))
    case .object(let members):
      .object(
        members.sorted { $0.key < $1.key }.compactMap { key, value in
          value.configured.map { ConfigurationValue.Member(key, $0) }
        })
    }
  }
}

extension NewCredential {
  fileprivate init(_ credential: CredentialSpecification) {
    if let path = credential.secretFile {
      self.init(user: credential.user, secret: .file(path: path))
    } else {
      self.init(user: credential.user, secret: .text(Secret(credential.secret?.reveal ?? "")))
    }
  }
}

extension NewLUN {
  fileprivate init(_ lun: LUNSpecification) {
    self.init(number: lun.lun ?? 1, store: lun.store, readOnly: lun.readOnly)
  }
}

extension NewAccessEntry {
  fileprivate init(_ entry: AccessEntrySpecification) {
    self.init(AccessEntryName(initiator: entry.initiator, addresses: entry.addresses))
    chap = (entry.chap ?? []).map(NewCredential.init)
    mutualCHAP = entry.mutualCHAP.map(NewCredential.init)
    luns = entry.luns?.map(NewLUN.init)
    readOnly = entry.readOnly
  }
}

extension NewTarget {
  fileprivate init(_ target: TargetSpecification) {
    self.init(name: target.name)
    alias = target.alias
    portalGroups = target.portalGroups
    luns = (target.luns ?? []).map(NewLUN.init)
    chap = (target.chap ?? []).map(NewCredential.init)
    mutualCHAP = target.mutualCHAP.map(NewCredential.init)
    acl = (target.acl ?? []).map(NewAccessEntry.init)
    isOpenToAny = target.isOpenToAny ?? false
  }
}

extension NewStore {
  fileprivate init(_ store: StoreSpecification) throws {
    let path = store.path ?? ""
    let medium: TargetConfiguration.Medium =
      switch store.kind {
      case .file: .file(path: path)
      case .block: .block(path: path)
      case .memory: .memory
      case .null: .null
      }
    self.init(medium, size: store.sizeBytes.map { "\($0)" })
    blockSize = store.blockSize
    physicalBlockSize = store.physicalBlockSize
    cache = store.cache.flatMap(TargetConfiguration.CacheMode.init)
    discard = store.discard.flatMap(TargetConfiguration.DiscardMode.init)
    readOnly = store.readOnly
    naa = store.naa
    serial = store.serial
    vendor = store.vendor
    product = store.product
  }
}
