internal import AdministrationModel
internal import TargetConfig

// The first entry that matches decides, so an entry that has waited comes back to its place.

extension PortalGroup {
  /// The order of the list, where it matters and the daemon does not know it: entries wait, and two
  /// may mean the same initiator.
  var keptOrder: [EntryKey]? {
    let names = acls.map(\.wwn)
    let isShared = Set(names).count < names.count || names.count > 1 && names.contains("any")
    guard isShared, acls.contains(where: { entry(of: $0) == nil }) else { return nil }
    return acls.map(\.key)
  }
}

extension [NodeACL] {
  /// With those that wait in their places among those that the daemon has.
  func inserting(_ waiting: [NodeACL], in order: [EntryKey]) -> [NodeACL] {
    let known = order.compactMap { key in waiting.first { $0.key == key } }
    var acls = self
    for acl in known + waiting.filter({ !order.contains($0.key) }) {
      acls.insert(acl, at: acls.place(for: acl, in: order))
    }
    return acls
  }

  /// After the last entry that it stood after, or else before the first that it stood before, or
  /// else at the end. But never after an entry that covers it, which would decide for it; nor
  /// before one that it covers, for which it would decide.
  private func place(for acl: NodeACL, in order: [EntryKey]) -> Int {
    let end = firstIndex { $0.covers(acl) } ?? count
    let start = lastIndex { acl.covers($0) }.map { $0 + 1 } ?? 0
    var place = end
    if let own = order.firstIndex(of: acl.key) {
      let (former, later) = (Set(order[..<own]), Set(order[own...]))
      if let last = lastIndex(where: { former.contains($0.key) }) {
        place = last + 1
      } else if let next = firstIndex(where: { later.contains($0.key) }) {
        place = next
      }
    }
    return Swift.min(Swift.max(place, start), end)
  }
}

extension NodeACL {
  /// Whether all that `other` means are meant here, too.
  fileprivate func covers(_ other: NodeACL) -> Bool {
    guard wwn == "any" || wwn == other.wwn else { return false }
    guard !addresses.isEmpty else { return true }
    let patterns = addresses.compactMap { AddressPattern($0) }
    return !other.addresses.isEmpty
      && other.addresses.allSatisfy { text in
        guard let range = AddressPattern(text) else { return false }
        return patterns.contains { $0.contains(range) }
      }
  }
}
