import AdministrationModel
import TargetConfig

/// What an initiator gets that gets in.
struct Admission: Equatable {
  /// Of which it must be one; empty: it need not prove itself.
  var users: [TargetConfiguration.Credential]
  var mutual: TargetConfiguration.Credential?
  var luns: [TargetConfiguration.LUN]
  var isReadOnly: Bool
}

/// An initiator at an address.
struct Caller: Hashable, CustomStringConvertible {
  var name: String
  var address: String

  static let nodes = (1...3).map { "iqn.2023-02.com.example:node\($0)" }
  /// Whose users do not belong to one of `nodes`.
  static let group = "group"
  /// As entries have them; the second begins with the first, and neither has the third.
  static let addresses = ["192.0.2.4", "192.0.2.4/31", "192.0.2.7"]

  static let all = (nodes + ["iqn.2023-02.com.example:stranger"]).flatMap { name in
    ["192.0.2.4", "192.0.2.5", "192.0.2.9"].map { Caller(name: name, address: $0) }
  }

  /// As users and secrets of this initiator are marked.
  static func place(of name: String) -> String {
    nodes.contains(name) ? String(name.suffix(5)) : group
  }

  var description: String { "\(name) at \(address)" }
}

/// A line of targetcli about tpg1 of the target.
enum AccessLine: Equatable, CustomStringConvertible {
  case create(String)
  case delete(String)
  /// Of an initiator, or of tpg1.
  case setAuth(String?, [String])
  case authentication(Bool)
  case generateNodeACLs(Bool)
  case writeProtect(Bool)
  case enable(Bool)
  case createLUN(Int, store: String)
  case deleteLUN(Int)

  var description: String {
    let tpg = "/iscsi/\(Bench.iqn)/tpg1"
    switch self {
    case .create(let name): return "\(tpg)/acls create \(name)"
    case .delete(let name): return "\(tpg)/acls delete \(name)"
    case .setAuth(let name, let values):
      let place = name.map { "\(tpg)/acls/\($0)" } ?? tpg
      return "\(place) set auth " + values.joined(separator: " ")
    case .authentication(let value):
      return "\(tpg) set attribute authentication=\(value ? 1 : 0)"
    case .generateNodeACLs(let value):
      return "\(tpg) set attribute generate_node_acls=\(value ? 1 : 0)"
    case .writeProtect(let value):
      return "\(tpg) set attribute demo_mode_write_protect=\(value ? 1 : 0)"
    case .enable(let value): return "\(tpg) \(value ? "enable" : "disable")"
    case .createLUN(let number, let store):
      return "\(tpg)/luns create /backstores/ramdisk/\(store) lun=\(number)"
    case .deleteLUN(let number): return "\(tpg)/luns delete \(number)"
    }
  }

  var setsUsersOfGroup: Bool {
    if case .setAuth(nil, _) = self { true } else { false }
  }

  func setsUsers(of entry: TargetConfiguration.AccessEntry) -> Bool {
    guard case .setAuth(let name, _) = self else { return false }
    return name.map { $0 == entry.initiator } ?? entry.isEverybody
  }
}

extension TargetConfiguration.Target {
  /// The first entry that matches decides.
  func entry(for caller: Caller) -> TargetConfiguration.AccessEntry? {
    acl.first { $0.matches(caller) }
  }

  func admission(of caller: Caller) -> Admission? {
    let entry = self.entry(for: caller)
    guard entry != nil || isOpenToAny else { return nil }
    let own = entry?.chap ?? []
    let users = own.isEmpty ? chap : own
    return Admission(
      users: users.sorted { $0.user < $1.user },
      mutual: users.isEmpty ? nil : entry?.mutualChap ?? mutualChap,
      luns: (entry?.luns ?? self.luns).sorted { $0.number < $1.number },
      isReadOnly: entry?.readOnly ?? false)
  }

  var letsInEverybody: Bool { isOpenToAny || acl.contains(where: \.isEverybody) }

  /// Without that of everybody.
  var entriesByKey: [EntryKey: TargetConfiguration.AccessEntry] {
    let entries = acl.filter { !$0.isEverybody }
    return Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
  }
}

extension TargetConfiguration.AccessEntry {
  var isEverybody: Bool { initiator == nil && addresses.isEmpty }
  var place: String { Caller.place(of: initiator ?? "any") }

  var key: EntryKey {
    EntryKey(initiator: initiator ?? "any", addresses: addresses.map(\.description))
  }

  fileprivate func matches(_ caller: Caller) -> Bool {
    guard initiator == nil || initiator == caller.name else { return false }
    return addresses.isEmpty || addresses.contains { $0.has(caller.address) }
  }
}

extension AddressPattern {
  /// Of IPv4.
  fileprivate func has(_ text: String) -> Bool {
    guard let address = InternetAddress(text) else { return false }
    let rest = UInt128(32 - prefixLength)
    return address.bits >> rest == base.bits >> rest
  }
}

extension TargetConfiguration.Credential {
  /// Both halves were made for `place`.
  func isOf(_ place: String, _ user: String, _ secret: String) -> Bool {
    let text = String(decoding: self.secret.bytes, as: UTF8.self)
    return self.user.hasPrefix("\(user)-\(place)-") && text.hasPrefix("\(secret)-\(place)-")
  }
}

extension EntryKey {
  var words: String { ([initiator] + (addresses ?? [])).joined(separator: " ") }
}
