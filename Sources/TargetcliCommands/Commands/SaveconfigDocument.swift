internal import AdministrationModel
internal import FoundationEssentials
internal import TargetConfig

/// What runs, as a saveconfig.json: for LIO, and for what reads that file. It holds secrets.
struct SaveconfigDocument {
  private let root: JSONValue

  init(_ state: State, _ vault: Vault) throws(ExecutionError) {
    var members: [String: JSONValue] = [
      "storage_objects": .list(state.stores.map { Self.storageObject($0) }),
      "targets": .list(state.targets.map { Self.target($0, state, vault) }),
      "fabric_modules": [],
    ]
    var auth = state.discoveryAuth
    vault.fill(&auth)
    if state.asksAtDiscovery {
      var fabric: [String: JSONValue] = ["name": "iscsi", "discovery_enable_auth": true]
      for (key, value) in Self.users(auth) { fabric["discovery_" + key] = value }
      members["fabric_modules"] = [.object(fabric)]
    }
    members[LIOIdentity.ownKey] = try Self.ownPart(state, vault, besides: .object(members))
    root = .object(members)
  }

  // MARK: What LIO has no place for

  /// `rest`: what LIO knows.
  private static func ownPart(
    _ state: State, _ vault: Vault, besides rest: JSONValue
  ) throws(ExecutionError) -> JSONValue {
    let wwids = state.stores.compactMap { store -> (String, JSONValue)? in
      guard let wwn = store.wwn, wwn != LIOIdentity.naa(serial: store.serial ?? "") else {
        return nil
      }
      return (store.name, .text(wwn))
    }
    var members: [String: JSONValue] = [
      "wwids": .object(Dictionary(wwids) { first, _ in first }),
      "vendors": named(state.stores) { $0.vendor },
      "products": named(state.stores) { $0.product },
      "portalGroups": .object(
        Dictionary(state.portals.map { ($0.address, .text("\($0.group)")) }) { first, _ in first }),
      "secretFiles": .object(secretFiles(state, vault)),
    ]
    members[LIOIdentity.addressesKey] = .object(addresses(state))
    members["notes"] = try json(of: state.notes)
    members[LIOIdentity.configurationKey] = .text(
      identified(vault.configuration, state.stores).servedText)
    members[LIOIdentity.fingerprintKey] =
      LIOIdentity.fingerprint(of: try text(of: rest)).map { .text($0) } ?? .null
    return .object(members)
  }

  /// Under the identities that initiators know, whether or not they stand in the configuration.
  private static func identified(
    _ configuration: TargetConfiguration, _ stores: [StoreResource]
  ) -> TargetConfiguration {
    var configuration = configuration
    for index in configuration.stores.indices {
      let name = configuration.stores[index].name
      guard let store = stores.first(where: { $0.name == name }) else { continue }
      if configuration.stores[index].naa == nil {
        configuration.stores[index].naa = store.wwn.flatMap { NAAIdentifier($0) }
      }
      if configuration.stores[index].serial == nil {
        configuration.stores[index].serial = store.serial
      }
    }
    return configuration
  }

  /// Empty where one initiator has several entries: then only the whole list says what they mean.
  private static func addresses(_ state: State) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    for target in state.targets {
      let entries = Dictionary(grouping: state.group(target).acls, by: \.wwn)
      for (wwn, same) in entries where same.contains(where: { !$0.addresses.isEmpty }) {
        let addresses = same.count == 1 ? same[0].addresses : []
        values[LIOIdentity.accessKey(target: target.name, initiator: wwn)] =
          .text(addresses.joined(separator: LIOIdentity.addressSeparator))
      }
    }
    return values
  }

  private static func json(of notes: Notes) throws(ExecutionError) -> JSONValue {
    guard let data = try? JSONEncoder().encode(notes),
      let value = try? JSONDecoder().decode(JSONValue.self, from: data)
    else { throw ExecutionError("what targetcli was told cannot be written as JSON") }
    return value
  }

  /// What LIO chooses by itself.
  private static func named(
    _ stores: [StoreResource], _ text: (StoreResource) -> String
  ) -> JSONValue {
    .object(Dictionary(stores.map { ($0.name, .text(text($0))) }) { first, _ in first })
  }

  /// Sorted keys, as the file has them.
  var text: String {
    get throws(ExecutionError) { try Self.text(of: root) + "\n" }
  }

  private static func text(of value: JSONValue) throws(ExecutionError) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(value) else {
      throw ExecutionError("the configuration cannot be written as JSON")
    }
    return String(decoding: data, as: UTF8.self)
  }

  // MARK: Storage objects

  private static func storageObject(_ store: StoreResource) -> JSONValue {
    var members: [String: JSONValue] = [
      "name": .text(store.name), "plugin": .text(store.plugin.rawValue),
    ]
    if let serial = store.serial { members["wwn"] = .text(serial) }
    if let path = store.path { members["dev"] = .text(path) }
    let size = store.sizeBytes.map { JSONValue.integer(Int64(clamping: $0)) } ?? 0
    switch store.kind {
    case .file:
      members["size"] = size
      members["write_back"] = .boolean(store.isWriteBack)
      members["aio"] = false
    case .block:
      members["readonly"] = .boolean(store.readOnly)
      members["write_back"] = .boolean(store.isWriteBack)
    case .memory, .null:
      members["size"] = size
      members["nullio"] = .boolean(store.kind == .null)
    }
    let attributes = StoreAttributes.settings(store).filter(\.isWritable)
    members["attributes"] = numbers(attributes.map { ($0.name, $0.value) })
    members["alua_tpgs"] = []
    return .object(members)
  }

  /// configfs knows numbers and texts.
  private static func numbers(_ pairs: [(String, String)]) -> JSONValue {
    .object(
      Dictionary(pairs.map { ($0, Int64($1).map { .integer($0) } ?? .text($1)) }) { first, _ in
        first
      })
  }

  // MARK: Targets

  private static func target(
    _ target: TargetResource, _ state: State, _ vault: Vault
  ) -> JSONValue {
    var group = state.group(target)
    vault.fill(&group)
    let configured = vault.configuration.target(named: target.name)
    let attributes = GroupAttributes.settings(
      group, configured?.iscsi, vault.configuration.limits)
    let parameters = SessionParameters.settings(
      configured, asksUsers: group.asksUsers, isWritable: true)
    var tpg: [String: JSONValue] = [
      "tag": 1, "enable": .boolean(group.isEnabled),
      "attributes": numbers(attributes.map { ($0.name, $0.value) }),
      "parameters": .object(
        Dictionary(parameters.map { ($0.name, .text($0.value)) }) { first, _ in first }),
      "luns": .list(group.luns.map { lun($0, state) }),
      "node_acls": .list(group.acls.map { acl($0, group) }),
      "portals": .list(PortalPlan(state, target).keys.map(portal)),
    ]
    for (key, value) in users(group.auth) { tpg["chap_" + key] = value }
    return [
      "fabric": "iscsi", "wwn": .text(target.name), "tpgs": [.object(tpg)],
    ]
  }

  private static func users(_ auth: Credentials) -> [String: JSONValue] {
    var values: [String: JSONValue] = [:]
    for name in Credentials.parameters { values[name] = auth[name].map { .text($0) } }
    return values
  }

  /// Of users whose secrets stand in files.
  private static func secretFiles(_ state: State, _ vault: Vault) -> [String: JSONValue] {
    var files: [String: JSONValue] = [:]
    func add(_ auth: Credentials, _ target: String?, _ initiator: String?) {
      for (user, isMutual) in [(auth.user, false), (auth.mutual, true)] {
        guard let name = user.userid, let file = user.secretFile else { continue }
        let key = LIOIdentity.secretKey(
          user: name, target: target, initiator: initiator, isMutual: isMutual)
        files[key] = .text(file)
      }
    }
    for target in state.targets {
      var group = state.group(target)
      vault.fill(&group)
      add(group.auth, target.name, nil)
      for acl in group.acls { add(acl.auth, target.name, acl.wwn) }
    }
    var discovery = state.discoveryAuth
    vault.fill(&discovery)
    add(discovery, nil, nil)
    return files
  }

  private static func lun(_ lun: MappedLUN, _ state: State) -> JSONValue {
    let object = state.store(lun.store)?.storageObject ?? lun.store
    return [
      "index": .integer(Int64(lun.number)), "storage_object": .text("/backstores/\(object)"),
      "alias": .text(String(lun.store.prefix(10))), "alua_tg_pt_gp_name": "default_tg_pt_gp",
    ]
  }

  private static func acl(_ acl: NodeACL, _ group: PortalGroup) -> JSONValue {
    let mapped: [JSONValue] = (acl.luns ?? group.luns).compactMap { lun in
      guard let own = group.luns.first(where: { $0.store == lun.store }) else { return nil }
      return [
        "index": .integer(Int64(lun.number)), "tpg_lun": .integer(Int64(own.number)),
        "write_protect": .boolean(acl.isReadOnly || lun.isReadOnly),
        "alias": .text(String(lun.store.prefix(10))),
      ]
    }
    var members: [String: JSONValue] = [
      "node_wwn": .text(acl.wwn), "mapped_luns": .list(mapped),
      "attributes": numbers(FixedValues.acl.map { ($0, $1) }),
    ]
    for (key, value) in users(acl.auth) { members["chap_" + key] = value }
    return .object(members)
  }

  private static func portal(_ key: PortalKey) -> JSONValue {
    let address = key.address.family == .v6 ? "[\(key.address)]" : "\(key.address)"
    return [
      "ip_address": .text(address), "port": .integer(Int64(key.port)), "iser": false,
      "offload": false,
    ]
  }
}
