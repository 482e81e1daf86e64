public import AdministrationModel
public import TargetConfig

// What stands in a configuration, as what a request asks to be made.

extension StoreSpecification {
  public init(_ store: TargetConfiguration.Store) {
    let kind: StoreKind =
      switch store.medium {
      case .file: .file
      case .block: .block
      case .memory: .memory
      case .null: .null
      }
    self.init(name: store.name, kind: kind, path: store.medium.path, sizeBytes: store.sizeBytes)
    blockSize = store.blockSize
    physicalBlockSize = store.physicalBlockSize
    if store.medium.path != nil { cache = store.cache.rawValue }
    discard = store.discard.rawValue
    readOnly = store.readOnly ? true : nil
    naa = store.naa?.description
    serial = store.serial
    vendor = store.vendor
    product = store.product
  }
}

extension LUNSpecification {
  public init(_ lun: TargetConfiguration.LUN) {
    self.init(lun: lun.number, store: lun.store, readOnly: lun.readOnly ? true : nil)
  }
}

extension CredentialSpecification {
  public init(_ user: TargetConfiguration.Credential) {
    if let file = user.secretFile {
      self.init(user: user.user, secretFile: file)
    } else {
      let secret = SecretText(String(decoding: user.secret.bytes, as: UTF8.self))
      self.init(user: user.user, secret: secret)
    }
  }
}

extension AccessEntrySpecification {
  public init(_ entry: TargetConfiguration.AccessEntry) {
    self.init(initiator: entry.initiator ?? "any")
    if !entry.addresses.isEmpty { addresses = entry.addresses.map(\.description) }
    if !entry.chap.isEmpty { chap = entry.chap.map(CredentialSpecification.init) }
    mutualCHAP = entry.mutualChap.map(CredentialSpecification.init)
    luns = entry.luns?.map(LUNSpecification.init)
    readOnly = entry.readOnly ? true : nil
  }
}
