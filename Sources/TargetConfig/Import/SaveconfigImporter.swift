/// saveconfig.json of LIO, as targetcli and rtslib write it.
struct SaveconfigImporter {
  var draft: ImportDraft
  /// The store of each `/backstores/<plugin>/<name>`; an empty text where it was left out.
  var stores: [String: String] = [:]
  /// WWIDs of storage objects that are not LIO's own kind, by name: what our targetcli writes
  /// beside the rest, so that disks stay the same when they come back.
  var wwids: [String: String] = [:]
  /// Of the target at hand: initiators that nobody has said the users of.
  var userless: [TargetConfiguration.AccessEntry] = []
  var vendors: [String: String] = [:]
  var products: [String: String] = [:]
  /// Paths of the files that secrets stand in, by `LIOIdentity.secretKey`.
  private var secretFiles: [String: String] = [:]
  /// From where initiators must come, by `LIOIdentity.accessKey`.
  private(set) var addressesByKey: [String: String] = [:]
  /// Ours, as it was when the file was written.
  var ownConfiguration: TargetConfiguration?
  /// The name of the target at hand; nil: discovery.
  var targetName: String?

  init(draft: ImportDraft) { self.draft = draft }

  /// By the names of storage objects.
  private func texts(_ key: String, _ root: DocumentNode) -> [String: String] {
    let members = root[LIOIdentity.ownKey]?[key]?.members ?? []
    return Dictionary(members.compactMap { name, node in node.string.map { (name, $0) } }) {
      first, _ in first
    }
  }

  mutating func run(_ root: DocumentNode) throws(ImportError) {
    guard case .object = root.value.content else {
      throw ImportError(draft.place(root.line), "expected an object {...}")
    }
    let isOurs = root["stores"] != nil || root["portals"] != nil
    guard root["storage_objects"] != nil || !isOurs else {
      throw ImportError(
        draft.place(root.line),
        "is a configuration of swift-tgtd already: swift-tgtadm config check tells whether it is "
          + "good, and swift-tgtd --config serves it")
    }
    guard root["storage_objects"] != nil || root["targets"] != nil else {
      throw ImportError(
        draft.place(root.line), "has neither \"storage_objects\" nor \"targets\"")
    }
    if takeOwn(root) { return }
    wwids = texts("wwids", root)
    vendors = texts("vendors", root)
    products = texts("products", root)
    secretFiles = texts("secretFiles", root)
    readAddresses(root)
    readGroups(root)
    for node in root["storage_objects"]?.elements ?? [] { addStore(node) }
    for node in root["targets"]?.elements ?? [] { addTarget(node) }
    targetName = nil
    tellReadOnlyStores()
    for node in root["fabric_modules"]?.elements ?? [] { addDiscovery(node) }
    let known: Set = ["storage_objects", "targets", "fabric_modules", LIOIdentity.ownKey]
    tellOthers(root, known, "this file")
    if draft.stores.contains(where: { if case .file = $0.medium { true } else { false } }) {
      draft.note(
        "the sizes of files are those of the files themselves: one that is missing is an error, "
          + "and not a new empty disk")
    }
    if draft.stores.contains(where: { $0.naa != nil }) {
      draft.note(
        "the T10 identifier (LIO-ORG, name and serial number) has another form here; WWID and "
          + "serial number are the same, by which udev, multipath and LVM know a disk")
    }
  }

  /// What is no text, or stands there in two spellings, says nothing that is certain.
  private mutating func readAddresses(_ root: DocumentNode) {
    for (key, node) in root[LIOIdentity.ownKey]?[LIOIdentity.addressesKey]?.members ?? [] {
      let name = ISCSIName.normalized(key)
      addressesByKey[name] = addressesByKey[name] == nil ? node.string ?? "" : ""
    }
  }

  private mutating func readGroups(_ root: DocumentNode) {
    for (text, node) in root[LIOIdentity.ownKey]?["portalGroups"]?.members ?? [] {
      guard let endpoint = try? Endpoint(parsing: text),
        let group = node.string.flatMap({ UInt16($0) })
      else {
        note(node, "\(text.quoted) is not a portal with the number of its group: not kept")
        continue
      }
      draft.knownGroups[endpoint] = group
    }
  }

  /// Where the secret of a user stands besides; nil: nowhere.
  func secretFile(_ user: DocumentNode, of initiator: String?, isMutual: Bool = false) -> String? {
    secretFiles[
      LIOIdentity.secretKey(
        user: user.string ?? "", target: targetName, initiator: initiator, isMutual: isMutual)]
  }

  func place(_ node: DocumentNode) -> ImportPlace { draft.place(node.line) }

  mutating func note(_ node: DocumentNode, _ sentence: String) {
    draft.note(place(node), sentence)
  }

  /// Keys that nobody has read.
  mutating func tellOthers(_ node: DocumentNode, _ known: Set<String>, _ what: String) {
    for (key, child) in node.members where !known.contains(key) {
      note(child, "\(key.quoted) of \(what) is not known: not kept")
    }
  }

  private mutating func addDiscovery(_ node: DocumentNode) {
    let known: Set<String> = [
      "name", "discovery_userid", "discovery_password", "discovery_mutual_userid",
      "discovery_mutual_password", "discovery_enable_auth",
    ]
    tellOthers(node, known, "the fabric")
    guard node["name"]?.string == "iscsi" else {
      note(node, "the fabric \((node["name"]?.string ?? "").quoted): here is only iSCSI: not kept")
      return
    }
    guard node["discovery_enable_auth"]?.flag == true else { return }
    if let user = node["discovery_userid"] {
      draft.addDiscoveryUser(
        user.string, node["discovery_password"]?.string, file: secretFile(user, of: nil),
        place(user))
    }
    supplementDiscovery(node)
    if draft.discovery.chap.isEmpty {
      note(node, "discovery asked for a password, but no user could be kept: it asks for none")
    }
    if let user = node["discovery_mutual_userid"] {
      draft.discovery.mutualChap = draft.credential(
        user.string, node["discovery_mutual_password"]?.string,
        file: secretFile(user, of: nil, isMutual: true), place(user))
    }
  }
}

extension DocumentNode {
  /// Text or a number: configfs knows no difference.
  var string: String? {
    switch value.content {
    case .text(let text): text
    case .number(let number): number.spelling
    default: nil
    }
  }

  /// true, 1 and "1" are one thing in configfs.
  var flag: Bool? {
    if let boolean { return boolean }
    guard let string else { return nil }
    switch string {
    case "1", "yes", "Yes", "true": return true
    case "0", "no", "No", "false": return false
    default: return nil
    }
  }

  var unsigned: UInt64? { string.flatMap { UInt64($0) } }
}
