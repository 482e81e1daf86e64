/// What the units there are have to themselves: the identifier, by which their records are filed,
/// and the number of their logical unit group.
struct UnitClaims {
  private struct Holder {
    let name: String
    let group: UInt16?
  }

  private var holders: [[UInt8]: Holder] = [:]
  private var groups: Set<UInt16> = []

  /// The number of a group that no other unit is in: the end of the identifier, which is the same
  /// after a restart; where two end alike, the next that is free; nil: none is.
  mutating func claim(_ naa: [UInt8], for name: String) throws(DaemonError) -> UInt16? {
    if let other = holders[naa] { throw DaemonError.sameIdentifier(name, other.name, naa) }
    let first = naa.suffix(2).reduce(UInt16(0)) { $0 << 8 | UInt16($1) }
    let group = (0...UInt16.max).lazy.map { first &+ $0 }.first { !groups.contains($0) }
    if let group { groups.insert(group) }
    holders[naa] = Holder(name: name, group: group)
    return group
  }

  mutating func release(_ naa: [UInt8]) {
    guard let group = holders.removeValue(forKey: naa)?.group else { return }
    groups.remove(group)
  }
}
