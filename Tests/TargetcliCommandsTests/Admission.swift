import AdministrationModel
import TargetConfig

/// What an initiator gets that is let in.
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
  /// As entries have them: an address, a range that begins with it, and one outside both.
  static let addresses = ["192.0.2.4", "192.0.2.4/31", "192.0.2.7"]

  /// The first address is in the first two of `addresses`, the second in the range alone, the third
  /// in none.
  static let all = (nodes + ["iqn.2023-02.com.example:stranger"]).flatMap { name in
    ["192.0.2.4", "192.0.2.5", "192.0.2.9"].map { Caller(name: name, address: $0) }
  }

  /// The mark in the names and secrets of this initiator's users, by which a mix-up shows.
  static func place(of name: String) -> String {
    nodes.contains(name) ? String(name.suffix(5)) : group
  }

  var description: String { "\(name) at \(address)" }
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

  /// Without the entry for everybody.
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
