internal import SCSITarget

/// By what initiators know a unit, as the configuration writes it.
struct UnitName: Equatable {
  let naa: String
  let serial: String

  init(_ served: Inventory.Served) {
    naa = Hexadecimal.text(served.unit.identity.naa)
    serial = served.unit.identity.serial
  }

  /// How the medium of the store `former`, which has this name, keeps it as `store`, or gets rid of
  /// it. `isByStoreName`: a store that is called as before would have it.
  func remedy(for store: String, former: String, isByStoreName: Bool) -> String {
    let renaming =
      isByStoreName
      ? "call the store \"\(former)\" again, as nobody but you sees that name, or " : ""
    return "to keep it the same disk, \(renaming)give \"\(store)\" \"naa\": \"\(naa)\" and "
      + "\"serial\": \"\(serial)\"; to make another disk of it, remove \"\(former)\" with its LUNs "
      + "by one change or swift-tgtadm config reload, and add \"\(store)\" by the next"
  }
}
