internal import AdministrationModel
internal import TargetConfig
internal import CommandSupport

/// The text of `--mode target --op show`: programs find what they look for by these words and by
/// how far lines are indented, so that no blank of it is free.
struct TargetListing {
  let state: TgtState
  let configuration: TargetConfiguration
  /// By target.
  let sessions: [String: [SessionResource]]
  private(set) var text = ""

  init(
    _ state: TgtState, _ configuration: TargetConfiguration, sessions: [SessionResource]
  ) {
    self.state = state
    self.configuration = configuration
    self.sessions = Dictionary(grouping: sessions.filter { $0.target != nil }) { $0.target ?? "" }
    for target in state.targets { add(target) }
  }

  private mutating func line(_ level: Int, _ words: String) {
    text += String(repeating: " ", count: 4 * level) + words.printable + "\n"
  }

  private mutating func add(_ target: TargetResource) {
    line(0, "Target \(state.tid(target.name)): \(target.name)")
    line(1, "System information:")
    line(2, "Driver: iscsi")
    line(2, "State: \(state.notes.closed[target.name]?.isOffline == true ? "offline" : "ready")")
    addPings(target)
    line(1, "I_T nexus information:")
    for session in sessions[target.name] ?? [] { add(session) }
    line(1, "LUN information:")
    // Where a store is LUN 0, there is no controller beside it.
    if target.lun(0) == nil { addController(state.tid(target.name)) }
    for lun in target.luns.sorted(by: { $0.lun < $1.lun }) {
      add(lun, tid: state.tid(target.name))
    }
    line(1, "Account information:")
    for user in target.chapUsers { line(2, user) }
    if let user = target.mutualCHAPUser { line(2, "\(user) (outgoing)") }
    line(1, "ACL information:")
    for rule in AccessRule.listed(target) { line(2, rule.text) }
  }

  /// tgt sends none unless it is told to, and tells of them then; here that is a target's own
  /// interval.
  private mutating func addPings(_ target: TargetResource) {
    guard let own = configuration.targets.first(where: { $0.name == target.name })?.iscsi,
      own.nopIntervalSeconds != configuration.iscsi.nopIntervalSeconds
        || own.nopTimeoutSeconds != configuration.iscsi.nopTimeoutSeconds,
      own.nopIntervalSeconds > 0
    else { return }
    line(2, "Nop interval: \(own.nopIntervalSeconds)")
    line(2, "Nop count: \(TargetParameters(own).pingCount)")
  }

  private mutating func add(_ session: SessionResource) {
    line(2, "I_T nexus: \(session.id)")
    let alias = session.initiatorAlias.map { $0.isEmpty ? "none" : $0 } ?? "none"
    line(3, "Initiator: \(session.initiator) alias: \(alias)")
    for connection in session.connections {
      line(3, "Connection: \(connection.cid)")
      line(4, "IP Address: \(connection.remoteHost)")
    }
  }

  // MARK: Logical units

  /// A LUN as tgt describes it.
  private struct Description {
    var type = "controller"
    var scsiID: String
    var serial: String
    var megabytes: UInt64 = 0
    var blockSize = 1
    var isOnline = true
    var isRemovable = false
    var isReadOnly = false
    var isThin = false
    var storeType = "null"
    var path = "None"
    var flags = ""
  }

  private mutating func addController(_ tid: Int) {
    add(
      Description(
        scsiID: TgtIdentity.scsiID(tid: tid, lun: 0), serial: TgtIdentity.serial(tid: tid, lun: 0)),
      number: 0)
  }

  private mutating func add(_ lun: LUNResource, tid: Int) {
    let store = state.stores[lun.store] ?? StoreResource(name: lun.store, kind: .file)
    var description = Description(
      scsiID: scsiID(store, tid: tid, lun: lun.lun), serial: store.serial ?? "")
    description.type = "disk"
    description.megabytes = Self.megabytes(lun.sizeBytes ?? store.sizeBytes ?? 0)
    description.blockSize = lun.blockSize ?? store.blockSize ?? 512
    description.isOnline = store.state != .offline && lun.state != .offline
    description.isReadOnly = lun.readOnly || store.readOnly
    description.isRemovable = state.notes[.removable, of: store.name] == "1"
    description.isThin = store.discard == "unmap" && (store.kind == .file || store.kind == .block)
    description.storeType = state.notes[.bstype, of: store.name] ?? StoreWords.type(store)
    description.path = store.path ?? state.notes[.path, of: store.name] ?? "None"
    description.flags = StoreWords.flags(store, type: description.storeType)
    add(description, number: lun.lun)
  }

  private mutating func add(_ description: Description, number: UInt16) {
    line(2, "LUN: \(number)")
    line(3, "Type: \(description.type)")
    line(3, "SCSI ID: \(description.scsiID)")
    line(3, "SCSI SN: \(description.serial)")
    line(3, "Size: \(description.megabytes) MB, Block size: \(description.blockSize)")
    line(3, "Online: \(Self.word(description.isOnline))")
    line(3, "Removable media: \(Self.word(description.isRemovable))")
    line(3, "Prevent removal: No")
    line(3, "Readonly: \(Self.word(description.isReadOnly))")
    line(3, "SWP: No")
    line(3, "Thin-provisioning: \(Self.word(description.isThin))")
    line(3, "Backing store type: \(description.storeType)")
    line(3, "Backing store path: \(description.path)")
    line(3, "Backing store flags: \(description.flags)")
  }

  /// The scsi_id that was asked for, as long as it is the one that the WWID came from; otherwise
  /// the WWID itself.
  private func scsiID(_ store: StoreResource, tid: Int, lun: UInt16) -> String {
    let wwn = store.wwn?.lowercased()
    let standard = TgtIdentity.scsiID(tid: tid, lun: UInt64(lun))
    let origin = state.notes[.origin, of: store.name].flatMap { StoreOrigin($0) }
    let possible = [
      state.notes[.scsiID, of: store.name],
      origin.map { TgtIdentity.scsiID(tid: $0.tid, lun: $0.lun) }, standard,
    ]
    let known = possible.compactMap { $0 }.first { TgtIdentity.naa($0) == wwn }
    return known ?? store.wwn ?? ""
  }

  private static func word(_ isSo: Bool) -> String { isSo ? "Yes" : "No" }

  /// Millions of bytes, rounded, in integers as tgt has them: of 512-byte sectors one in 625 goes,
  /// and 1950 of what is left are a megabyte, nearly enough.
  static func megabytes(_ bytes: UInt64) -> UInt64 {
    let sectors = bytes >> 9
    return (sectors - sectors / 625 + 974) / 1950
  }
}

extension ConnectionResource {
  /// The address without its port; IPv6 without brackets.
  var remoteHost: String {
    guard let colon = remoteAddress.lastIndex(of: ":") else { return remoteAddress }
    let host = remoteAddress[..<colon]
    return host.hasPrefix("[") && host.hasSuffix("]")
      ? String(host.dropFirst().dropLast()) : String(host)
  }
}
