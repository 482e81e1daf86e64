internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

// What nodes are, and who is logged in.

extension Command {
  func showVersion() async throws {
    let version = try await daemon.version()
    switch node.kind {
    case .iscsi: say("Target fabric module iscsi: \(version.name) \(version.version)")
    default: say("targetcli version \(version.version) (\(version.name))")
    }
  }

  func showInfo() async throws {
    for (name, value) in try await values().sorted(by: { $0.0 < $1.0 }) { say("\(name): \(value)") }
    if case .acl(_, let key) = node.kind {
      say("wwns:")
      say(key.initiator)
    }
  }

  private func values() async throws -> [(String, String)] {
    switch node.kind {
    case .iscsi:
      return [
        ("Fabric module name", "iscsi"), ("Allowed WWN types", "iqn, naa, eui"),
        ("Fabric module features", "discovery_auth, acls, auth, nps, tpgts"),
      ]
    case .storageObject(let name): return state.store(name).map(Self.values) ?? []
    case .target(let name): return [("fabric", "iscsi"), ("wwn", name)]
    case .group(let name):
      return [("enable", Self.word(state.group(try target(name)).isEnabled)), ("tag", "1")]
    case .lun(let name, let number):
      let store = try target(name).luns.first { $0.lun == number }.flatMap { state.store($0.store) }
      return [
        ("alias", ""), ("alua_tg_pt_gp_name", "default_tg_pt_gp"), ("index", "\(number)"),
        ("storage_object", "/backstores/\(store?.storageObject ?? "")"),
      ]
    case .portal(_, let key):
      return [
        ("ip_address", "\(key.address)"), ("iser", "False"), ("offload", "False"),
        ("port", "\(key.port)"),
      ]
    case .acl(let name, let key): return try values(of: key, target(name))
    case .mappedLUN(let name, let key, let number):
      let group = state.group(try target(name))
      let acl = group.acls.first { $0.key == key }
      let lun = (acl?.luns ?? group.luns).first { $0.number == number }
      let isReadOnly = acl?.isReadOnly == true || lun?.isReadOnly == true
      let own = group.luns.first { $0.store == lun?.store }
      return [
        ("alias", ""), ("index", "\(number)"), ("tpg_lun", own.map { "\($0.number)" } ?? ""),
        ("write_protect", Self.word(isReadOnly)),
      ]
    default: return []
    }
  }

  private func values(of key: EntryKey, _ target: TargetResource) -> [(String, String)] {
    let auth = state.group(target).acls.first { $0.key == key }?.auth ?? Credentials()
    let users = [
      ("chap_userid", auth.user.userid), ("chap_mutual_userid", auth.mutual.userid),
    ]
    return users.compactMap { name, value in value.map { (name, $0) } }
  }

  private static func values(_ store: StoreResource) -> [(String, String)] {
    var values = [
      ("name", store.name), ("plugin", store.plugin.rawValue), ("wwn", store.serial ?? ""),
    ]
    let size = store.sizeBytes.map { "\($0)" } ?? ""
    switch store.kind {
    case .file:
      values += [
        ("aio", "False"), ("dev", store.path ?? ""), ("size", size),
        ("write_back", word(store.isWriteBack)),
      ]
    case .block:
      values += [
        ("dev", store.path ?? ""), ("readonly", word(store.readOnly)),
        ("write_back", word(store.isWriteBack)),
      ]
    case .memory, .null:
      values += [("nullio", word(store.kind == .null)), ("size", size)]
    }
    return values
  }

  private static func word(_ value: Bool) -> String { value ? "True" : "False" }

  // MARK: Sessions

  func showSessions(_ arguments: Arguments) async throws {
    let action = arguments["action"] ?? "list"
    guard ["list", "detail"].contains(action) else {
      throw ExecutionError("action must be one of: list, detail")
    }
    var wanted: UInt64?
    if let text = arguments["sid"] {
      guard let sid = UInt64(text) else {
        throw ExecutionError("sid must be a number, '\(text)' given")
      }
      wanted = sid
    }
    let sessions = try await daemon.sessions(id: nil).filter { wanted == nil || $0.id == wanted }
    guard !sessions.isEmpty else {
      if let wanted { throw ExecutionError("no session found with sid \(wanted)") }
      say("(no open sessions)")
      return
    }
    for session in sessions {
      let alias = (session.initiatorAlias ?? "").printable
      let type = session.target == nil ? "Discovery" : "Normal"
      // The tab is targetcli's, too.
      surroundings.write(
        "alias: \(alias)\tsid: \(session.id) type: \(type) session-state: LOGGED_IN\n")
      if action == "detail" { showDetail(session) }
    }
  }

  private func showDetail(_ session: SessionResource) {
    let isProven = session.user == nil ? "NOT AUTHENTICATED" : "authenticated"
    say("    name: \(session.initiator) (\(isProven))")
    let target = session.target.flatMap { state.target($0) }
    let entry = target?.acl.first { $0.initiator == session.initiator }
    for number in session.luns.sorted() {
      let lun = (entry?.luns ?? target?.luns ?? []).first { $0.lun == number }
      let store = lun.flatMap { state.store($0.store) }?.storageObject ?? lun?.store ?? "unknown"
      let isReadOnly = lun?.readOnly == true || entry?.readOnly == true
      say("    mapped-lun: \(number) backstore: \(store) mode: \(isReadOnly ? "r" : "rw")")
    }
    for connection in session.connections {
      let address = connection.remoteAddress
      say("    address: \(address) (TCP)  cid: \(connection.cid) connection-state: LOGGED_IN")
    }
  }
}
