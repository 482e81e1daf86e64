internal import AdministrationModel
internal import TargetConfig

// The first entry that matches decides, so who waits comes back to the place where it stood.

extension PortalGroup {
  /// The list, while somebody of it waits and some of it mean the same initiators.
  var keptOrder: [EntryKey]? {
    let names = acls.map(\.wwn)
    let isShared = Set(names).count < names.count || names.count > 1 && names.contains("any")
    guard isShared, acls.contains(where: { entry(of: $0) == nil }) else { return nil }
    return acls.map(\.key)
  }
}

extension [NodeACL] {
  /// Those that wait among those that the daemon has.
  func inserting(_ waiting: [NodeACL], in order: [EntryKey]) -> [NodeACL] {
    let known = order.compactMap { key in waiting.first { $0.key == key } }
    var acls = self
    for acl in known + waiting.filter({ !order.contains($0.key) }) {
      acls.insert(acl, at: acls.place(for: acl, in: order))
    }
    return acls
  }

  /// Behind the last that it stood behind, or else before the first that it stood before, or at the
  /// end; but neither behind one that means all that it means, nor before one of which it does.
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
  /// Whoever `other` means is meant here, too.
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
