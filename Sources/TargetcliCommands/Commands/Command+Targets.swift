internal import AdministrationModel
internal import TargetConfig

extension Command {
  mutating func createTarget(_ arguments: Arguments) async throws {
    let name = arguments["wwn"] ?? newTargetName()
    try Self.checkName(name)
    let plain = name.lowercased()
    guard state.target(plain) == nil else {
      throw ExecutionError("This Target already exists in configFS")
    }
    var target = TargetResource(name: plain)
    // Served by no group until it has a portal.
    target.portalGroups = []
    var plan = PortalPlan(state, target)
    let isAutomatic = preferences.isSet("auto_add_default_portal")
    let key = isAutomatic ? try addDefaultPortal(&plan) : nil
    var notes = state.notes
    notes.targets[plain] = Notes.OfTarget()
    notes.targets[plain]?.authentication = false
    notes.targets[plain]?.hasNoPortals = !isAutomatic
    notes.targets[plain]?.isDisabled = !preferences.isSet("auto_enable_tpgt")
    var changes: [Change] = [.addTarget(TargetSpecification(name: plain))]
    changes += plan.changes
    try await commit(changes, notes: notes)
    say("Created target \(plain).")
    say("Created TPG 1.")
    if isAutomatic { tellPortals(key) }
    try created(at: NodePath(names: ["iscsi", plain, "tpg1"]))
  }

  /// A portal for every address, where no portal is there at all; else what is there serves.
  private func addDefaultPortal(_ plan: inout PortalPlan) throws(ExecutionError) -> PortalKey? {
    guard let key = PortalKey.standard else { return nil }
    let hasIt = state.portals.contains { $0.key == key }
    if hasIt || state.portals.isEmpty { try plan.create(key) }
    return hasIt || state.portals.isEmpty ? key : nil
  }

  private func tellPortals(_ key: PortalKey?) {
    say("Global pref auto_add_default_portal=true")
    if key != nil {
      say("Created default portal listening on all IPs (0.0.0.0), port 3260.")
    } else {
      let list = PortalPlan.keys(state.portals).map { "\($0.endpoint)" }.joined(separator: ", ")
      say("Using the portals that are there: \(list).")
    }
  }

  /// As targetcli makes names: the host, its architecture and twelve digits by chance.
  private func newTargetName() -> String {
    let host = surroundings.hostName.split(separator: ".").first ?? "localhost"
    let plain = host.lowercased().replacing("_", with: "-")
    let machine = surroundings.architecture.lowercased().replacing("_", with: "")
    let digits = surroundings.randomDigits(12)
    return "iqn.2003-01.org.linux-iscsi.\(plain).\(machine):sn.\(digits)"
  }

  /// Three forms of names (RFC 7143 §4.2.7.2); another is refused, as targetcli does.
  static func checkName(_ name: String) throws(ExecutionError) {
    let hasType = ["iqn.", "naa.", "eui."].contains { name.lowercased().hasPrefix($0) }
    guard hasType, ISCSIName.problem(in: name, isTarget: true) == nil,
      ISCSIName.warning(for: name.lowercased()) == nil
    else { throw ExecutionError("WWN not valid as: iqn, naa, eui") }
  }

  mutating func deleteTarget(_ arguments: Arguments) async throws {
    let name = try arguments.required("wwn").lowercased()
    let portals = PortalPlan(state, try target(name)).ownPortals
    var notes = state.notes
    notes.targets[name] = nil
    let changes: [Change] = [.removeTarget(Change.TargetName(name))]
    try await commit(
      changes + portals.map { .removePortal(Change.PortalName($0.address)) }, notes: notes,
      force: true, now: true)
    say("Deleted Target \(name).")
  }

  // MARK: The portal group

  mutating func createGroup(_ name: String, _ arguments: Arguments) throws(ExecutionError) {
    let tag = arguments["tag"].map { $0.hasPrefix("tpg") ? String($0.dropFirst(3)) : $0 }
    guard tag == "1" else {
      throw ExecutionError(
        "A target has one portal group here, tpg1: give portals to it, or make another target.")
    }
    throw ExecutionError("This TPG already exists in configFS")
  }

  mutating func deleteGroup(_ name: String, _ arguments: Arguments) async throws {
    let tag = try arguments.required("tag")
    guard tag == "1" || tag == "tpg1" else {
      throw ExecutionError("No such TPG in configfs: \(tag)")
    }
    throw ExecutionError(
      "tpg1 is the target itself here: delete \(name) in /iscsi, or disable tpg1.")
  }

  mutating func enable(_ isEnabled: Bool, _ name: String) async throws {
    let old = try await groupWithSecrets(try target(name)).group
    guard old.isEnabled != isEnabled else {
      // Another program may have let somebody in since.
      try await commit(old, from: old, now: true)
      say("The TPGT is already \(isEnabled ? "enabled" : "disabled").")
      return
    }
    var group = old
    group.isEnabled = isEnabled
    try await commit(group, from: old, now: true)
    say("The TPGT has been \(isEnabled ? "enabled" : "disabled").")
  }

  // MARK: Portals

  mutating func createPortal(_ name: String, _ arguments: Arguments) async throws {
    let port = try port(arguments["ip_port"])
    let address = arguments["ip_address"] ?? "0.0.0.0"
    guard let key = PortalKey(address: address, port: port) else {
      throw ExecutionError("Invalid IP address: \(address)")
    }
    try await changePortals(name) { plan throws(ExecutionError) in try plan.create(key) }
    if arguments["ip_port"] == nil || port == Endpoint.defaultPort {
      say("Using default IP port \(port)")
    }
    if key.isEveryAddress { say("Binding to INADDR_ANY (0.0.0.0)") }
    say("Created network portal \(key.isEveryAddress ? "0.0.0.0" : address):\(port).")
    try created(at: NodePath(names: ["iscsi", name, "tpg1", "portals", "\(key.endpoint)"]))
  }

  mutating func deletePortal(_ name: String, _ arguments: Arguments) async throws {
    let address = try arguments.required("ip_address")
    let port = try port(try arguments.required("ip_port"))
    guard let key = PortalKey(address: address, port: port) else {
      throw ExecutionError("Invalid IP address: \(address)")
    }
    try await changePortals(name) { plan throws(ExecutionError) in try plan.delete(key) }
    say("Deleted network portal \(address):\(port)")
  }

  private func port(_ text: String?) throws(ExecutionError) -> UInt16 {
    guard let text else { return Endpoint.defaultPort }
    guard let port = UInt16(text), port > 0 else {
      throw ExecutionError("Syntax error, '\(text)' is not a port number.")
    }
    return port
  }

  /// Where a target loses its last portal nobody gets in, and where it gets its first, those get in
  /// again who may.
  private mutating func changePortals(
    _ name: String, _ edit: (inout PortalPlan) throws(ExecutionError) -> Void
  ) async throws {
    let target = try target(name)
    let (old, vault) = try await groupWithSecrets(target)
    let access = vault.configuration.target(named: name)?.groupAccess ?? []
    var plan = PortalPlan(state, target, access: access)
    try edit(&plan)
    var group = old
    group.hasNoPortals = plan.hasNoPortals
    try await commit(group, from: old, before: plan.changes, force: true)
    plan.remarks.forEach { remark($0) }
  }

  func refuseOffload(_ name: String, _ arguments: Arguments) throws(ExecutionError) {
    guard try arguments.boolean("boolean") == true else {
      say(name == "enable_iser" ? "iSER disable OK" : "offload disable OK")
      return
    }
    throw ExecutionError("Portals speak TCP here: iSER and offloads do not exist.")
  }
}
