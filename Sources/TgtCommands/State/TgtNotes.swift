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

  init(_ resources: [NoteResource]) {
    for note in resources {
      let value = note.value ?? ""
      values[note.key] = value
      if let user = Self.rest(note.key, Self.accountPrefix) { accounts.append(user) }
      if let tid = Self.rest(note.key, Self.tidPrefix).flatMap({ Int($0) }) {
        targetNumbers.append((tid, value))
      }
    }
  }

  /// nil where there is no such account, or where secrets were not asked for.
  func password(of user: String) -> String? { values[Self.accountPrefix + user] }

  func tidNote(_ tid: Int) -> String? { values[Self.tidPrefix + "\(tid)"] }

  subscript(_ attribute: Attribute, of store: String) -> String? {
    values[Self.key(attribute, store)]
  }

  func wasMade(_ store: String) -> Bool { self[.origin, of: store] != nil }

  // MARK: Writing

  static func number(_ tid: Int, _ target: String) -> Change {
    .setNote(NoteSpecification(key: tidPrefix + "\(tid)", value: target, mustBeNew: true))
  }

  static func forgetNumber(_ tid: Int) -> Change {
    .setNote(NoteSpecification(key: tidPrefix + "\(tid)", value: nil))
  }

  static func account(_ user: String, _ password: String) -> Change {
    .setNote(
      NoteSpecification(
        key: accountPrefix + user, value: password, isSecret: true, mustBeNew: true))
  }

  static func forgetAccount(_ user: String) -> Change {
    .setNote(NoteSpecification(key: accountPrefix + user, value: nil))
  }

  static func set(_ attribute: Attribute, of store: String, _ value: String?) -> Change {
    .setNote(NoteSpecification(key: key(attribute, store), value: value))
  }

  /// Erases all that is there about a store.
  func forget(_ store: String) -> [Change] {
    Attribute.allCases.filter { self[$0, of: store] != nil }.map { Self.set($0, of: store, nil) }
  }

  private static let tidPrefix = "tgt/tid/"
  private static let accountPrefix = "tgt/account/"

  private static func key(_ attribute: Attribute, _ store: String) -> String {
    "tgt/store/\(store)/\(attribute.rawValue)"
  }

  private static func rest(_ key: String, _ prefix: String) -> String? {
    key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : nil
  }
}
