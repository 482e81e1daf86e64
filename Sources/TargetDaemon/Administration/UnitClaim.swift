internal import BackingStore
internal import SCSITarget
internal import TargetConfig

/// What a logical unit has to itself as long as it is there: the name under which it is presented,
/// the identifier under which initiators know it and its records are kept, and its medium.
struct UnitClaim: Sendable {
  let name: String
  let naa: [UInt8]
  /// nil: in memory, or not there yet.
  let medium: StoreIdentity?
  let path: String?

  init(of opened: StoreAssembly.Opened, naa: [UInt8]) {
    name = opened.configured.name
    self.naa = naa
    medium = opened.onDisk?.medium
    path = opened.configured.medium.path
  }

  /// What is behind a path that leads to nothing may be what another calls its medium.
  func sharesMedium(with other: UnitClaim) -> Bool {
    if let medium, let theirs = other.medium { return medium == theirs }
    return path != nil && path == other.path
  }

  /// Whether the two cannot be there at a time.
  func excludes(_ other: UnitClaim) -> Bool {
    name == other.name || naa == other.naa || sharesMedium(with: other)
  }
}

extension DaemonError {
  /// Of the stores that are, or are to be, called so.
  static func sameIdentifier(_ name: String, _ other: String, _ naa: [UInt8]) -> DaemonError {
    DaemonError(
      .configuration,
      "stores.\(name) has the identifier of the store \"\(other)\", \(Hexadecimal.text(naa)): "
        + "initiators would take the two for one disk; give one of them another \"naa\"")
  }
}

extension Inventory.Served {
  var claim: UnitClaim { UnitClaim(of: opened, naa: unit.identity.naa) }
}
