internal import AdministrationModel

/// What tgt knows and the configuration has no word for, as notes that the daemon keeps: numbers of
/// targets, accounts, and what a logical unit was asked to look like.
struct TgtNotes: Sendable {
  /// Of a store that tgtadm made.
  enum Attribute: String, CaseIterable {
    /// "<tid>:<lun>" of the logical unit that it was made for: it goes with the last one.
    case origin
    case bstype, removable
    case scsiID = "scsi_id"
    /// Where the store itself has no path.
    case path
  }

  private var values: [String: String] = [:]
  /// In the order in which they were made.
  private(set) var accounts: [String] = []
  private(set) var targetNumbers: [(tid: Int, target: String)] = []
  /// By the names of targets.
  private(set) var closed: [String: ClosedAccess] = [:]
  private(set) var offlineUnits: [OfflineUnit] = []
  /// By the names of targets, and "" for discovery: bound, and waiting for a user that has to prove
  /// itself first.
  private(set) var outgoing: [String: String] = [:]
  /// New targets are offline, too.
  private(set) var isSystemOffline = false

  init(_ resources: [NoteResource]) {
    for note in resources {
      let value = note.value ?? ""
      values[note.key] = value
      if let user = Self.rest(note.key, Self.accountPrefix) { accounts.append(user) }
      // Of tgtadm; a note is what anybody wrote.
      if let tid = Self.rest(note.key, Self.tidPrefix).flatMap({ Int32($0) }), tid > 0 {
        targetNumbers.append((Int(tid), value))
      }
      if note.key == Self.outgoingKey("") { outgoing[""] = value }
      if let (target, part) = Self.targetPart(ofKey: note.key), part == Self.outgoingPart {
        outgoing[target] = value
      }
      if let unit = OfflineUnit(note) { offlineUnits.append(unit) }
    }
    isSystemOffline = values[Self.systemKey] == "offline"
    for note in LongNote.all(in: resources, below: Self.targetPrefix) {
      if let (target, part) = Self.targetPart(ofKey: note.key), part == ClosedAccess.part {
        closed[target] = ClosedAccess(note)
      }
    }
  }

  /// nil where there is no such account, or where secrets were not asked for.
  func password(of user: String) -> String? { values[Self.accountPrefix + user] }

  subscript(_ attribute: Attribute, of store: String) -> String? {
    values[Self.key(attribute, store)]
  }

  func wasMade(_ store: String) -> Bool { self[.origin, of: store] != nil }

  // MARK: Writing

  static func number(_ tid: Int, _ target: String) -> Change {
    .setNote(NoteSpecification(key: tidPrefix + "\(tid)", value: target, mustBeNew: true))
  }

  /// Erases what is noted of a number, and every number that is noted for a target.
  func forgetNumbers(_ tid: Int, of target: String) -> [Change] {
    targetNumbers.filter { $0.tid == tid || $0.target == target }.map {
      .setNote(NoteSpecification(key: Self.tidPrefix + "\($0.tid)", value: nil))
    }
  }

  static func account(_ user: String, _ password: String) -> Change {
    .setNote(
      NoteSpecification(
        key: accountPrefix + user, value: password, isSecret: true, mustBeNew: true))
  }

  /// It stays in its place.
  static func replaceAccount(_ user: String, _ password: String) -> Change {
    .setNote(NoteSpecification(key: accountPrefix + user, value: password, isSecret: true))
  }

  static func forgetAccount(_ user: String) -> Change {
    .setNote(NoteSpecification(key: accountPrefix + user, value: nil))
  }

  static func set(_ attribute: Attribute, of store: String, _ value: String?) -> Change {
    .setNote(NoteSpecification(key: key(attribute, store), value: value))
  }

  static func setSystem(offline isOffline: Bool) -> Change {
    .setNote(NoteSpecification(key: systemKey, value: isOffline ? "offline" : nil))
  }

  /// `target` is "" for discovery; `user` nil forgets.
  static func setOutgoing(_ user: String?, of target: String) -> Change {
    .setNote(NoteSpecification(key: outgoingKey(target), value: user))
  }

  /// Erases all that is there about a target, but for its number.
  func forget(target name: String) -> [Change] {
    var changes = closed[name]?.note(name).erasure ?? []
    changes += offlineUnits.filter { $0.target == name }.map(\.erasure)
    if outgoing[name] != nil { changes.append(Self.setOutgoing(nil, of: name)) }
    return changes
  }

  /// Erases all that is there about a store.
  func forget(_ store: String) -> [Change] {
    Attribute.allCases.filter { self[$0, of: store] != nil }.map { Self.set($0, of: store, nil) }
  }

  private static let tidPrefix = "tgt/tid/"
  private static let accountPrefix = "tgt/account/"
  private static let outgoingPart = "outgoing"
  private static let systemKey = "tgt/system"

  private static func outgoingKey(_ target: String) -> String {
    target.isEmpty ? "tgt/discovery/outgoing" : key(ofTarget: target, outgoingPart)
  }

  private static let targetPrefix = "tgt/target/"

  /// The key of a note that the daemon takes out with the target, whoever removes that.
  static func key(ofTarget name: String, _ part: String) -> String {
    "\(targetPrefix)\(name)/\(part)"
  }

  /// nil: the key is about something else.
  static func targetPart(ofKey key: String) -> (target: String, part: String)? {
    let parts = rest(key, targetPrefix)?.split(separator: "/", maxSplits: 1) ?? []
    return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
  }

  private static func key(_ attribute: Attribute, _ store: String) -> String {
    "tgt/store/\(store)/\(attribute.rawValue)"
  }

  private static func rest(_ key: String, _ prefix: String) -> String? {
    key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : nil
  }
}

/// A logical unit that was taken offline: nobody sees it, and its number and its store wait.
struct OfflineUnit: Sendable, Equatable {
  var target: String
  var lun: UInt16
  var store: String
  var isReadOnly: Bool

  init(target: String, _ lun: LUNResource) {
    self.target = target
    self.lun = lun.lun
    store = lun.store
    isReadOnly = lun.readOnly
  }

  private static let partPrefix = "offline/"

  /// nil: the note is about something else.
  init?(_ note: NoteResource) {
    guard let (target, part) = TgtNotes.targetPart(ofKey: note.key),
      part.hasPrefix(Self.partPrefix), let lun = UInt16(part.dropFirst(Self.partPrefix.count)),
      let value = note.value?.split(separator: " ", maxSplits: 1), value.count == 2
    else { return nil }
    self.target = target
    self.lun = lun
    store = String(value[1])
    isReadOnly = value[0] == "ro"
  }

  private var key: String { TgtNotes.key(ofTarget: target, "\(Self.partPrefix)\(lun)") }

  var note: Change {
    .setNote(NoteSpecification(key: key, value: (isReadOnly ? "ro " : "rw ") + store))
  }

  var erasure: Change { .setNote(NoteSpecification(key: key, value: nil)) }

  var shown: LUNResource {
    LUNResource(lun: lun, store: store, readOnly: isReadOnly, state: .offline)
  }
}
