internal import AdministrationModel
internal import TargetConfig

/// One line of the access list of a target of tgt, where it is enough to be in one of them.
///
/// Ours are read from the top, and the first that matches decides: so what means more addresses
/// stands behind what means fewer, and ALL, which is no entry, behind all.
enum AccessRule: Equatable {
  case all
  /// As it stands in the entry.
  case address(String)
  case name(String)

  init?(address text: String) {
    if text == "ALL" {
      self = .all
      return
    }
    // Bits behind the prefix are a mistake: with tgt such a rule lets nobody in, and to guess a
    // network might let in too many.
    let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
    let plain = isBracketed ? String(text.dropFirst().dropLast()) : text
    guard let pattern = AddressPattern(plain) else { return nil }
    self = .address(pattern.description)
  }

  var text: String {
    switch self {
    case .all: "ALL"
    case .address(let text), .name(let text): text
    }
  }

  /// Addresses first, then names.
  static func listed(_ target: TargetResource) -> [AccessRule] {
    var rules: [AccessRule] = target.admitsAll ? [.all] : []
    for entry in target.acl where entry.initiator == "any" {
      rules += entry.addresses.map { .address($0) }
    }
    var names: [String] = []
    for entry in target.acl where entry.initiator != "any" && !names.contains(entry.initiator) {
      names.append(entry.initiator)
    }
    return rules + names.map { .name($0) }
  }

  // MARK: Changes

  /// What binds the rule to a target that has no such rule.
  func binding(_ target: TargetResource) -> Change {
    switch self {
    case .all: return .setTarget(Change.TargetKeys(target.name, ["initiators": .text("any")]))
    case .name(let name):
      var entry = AccessEntrySpecification(initiator: name)
      entry.index = target.acl.firstIndex { $0.initiator == "any" && $0.addresses.isEmpty }
      return .addACLEntry(Change.EntryAddition(target: target.name, entry))
    case .address(let address):
      var entry = AccessEntrySpecification(initiator: "any", addresses: [address])
      let pattern = AddressPattern(address)
      entry.index = target.acl.firstIndex { other in
        guard other.initiator == "any" else { return false }
        let others = other.addresses.compactMap { AddressPattern($0) }
        return other.addresses.isEmpty || others.contains { pattern?.isNarrower(than: $0) ?? false }
      }
      return .addACLEntry(Change.EntryAddition(target: target.name, entry))
    }
  }

  /// What takes the rule from a target; empty where it has none.
  func unbinding(_ target: TargetResource) -> [Change] {
    switch self {
    case .all:
      var changes: [Change] = []
      if target.isOpenToAny {
        changes.append(.setTarget(Change.TargetKeys(target.name, ["initiators": .null])))
      }
      for entry in target.acl where entry.initiator == "any" && entry.addresses.isEmpty {
        changes.append(Self.removal(entry, target))
      }
      return changes
    case .name(let name):
      return target.acl.filter { $0.initiator == name.lowercased() }
        .map { Self.removal($0, target) }
    case .address(let address):
      return target.acl.filter { $0.initiator == "any" && $0.addresses.contains(address) }
        .flatMap { Self.without(address, $0, target) }
    }
  }

  private static func without(
    _ address: String, _ entry: AccessEntryResource, _ target: TargetResource
  ) -> [Change] {
    let rest = entry.addresses.filter { $0 != address }
    guard !rest.isEmpty else { return [removal(entry, target)] }
    let key = EntryKey(initiator: entry.initiator, addresses: entry.addresses)
    let values = ["addresses": JSONValue.list(rest.map { .text($0) })]
    return [.setACLEntry(Change.EntryKeys(target: target.name, key, values))]
  }

  private static func removal(_ entry: AccessEntryResource, _ target: TargetResource) -> Change {
    let key = EntryKey(initiator: entry.initiator, addresses: entry.addresses)
    return .removeACLEntry(Change.EntryName(target: target.name, key))
  }
}
