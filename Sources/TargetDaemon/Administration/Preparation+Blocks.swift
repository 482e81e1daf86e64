internal import AdministrationModel
internal import BackingStore
internal import ISCSITarget
internal import Reactor
internal import SCSITarget

// Stores that come back as the same disks with other blocks.
extension Preparation {
  /// No initiator takes another block length of a disk that it has: Linux goes on with the one it
  /// knows, and every write would land elsewhere, in other data. No unit attention stops that, so
  /// it is refused even where force takes all else away. To whoever comes later the disk is another
  /// as well, which the answer says.
  mutating func refuseOtherBlocks(
    of closing: [Inventory.Served], by successors: [UnitExchange.Successor]
  ) throws(AdministrationError) {
    for successor in successors {
      let blockBytes = successor.opened.store.geometry.logicalBlockBytes
      for former in closing
      where former.claim.naa == successor.claim.naa
        && former.unit.store.geometry.logicalBlockBytes != blockBytes
      {
        let name = successor.claim.name
        try refuseOtherBlocks(blockBytes, of: name, users: try users(of: former))
        let before = former.unit.store.geometry.logicalBlockBytes
        note([
          "the store \"\(name)\" has blocks of \(blockBytes) bytes instead of \(before): partition "
            + "tables and file systems on it are found again when it has its former blocks"
        ])
      }
    }
  }

  private func refuseOtherBlocks(
    _ blockBytes: UInt32, of name: String, users: [String]
  ) throws(AdministrationError) {
    guard !users.isEmpty else { return }
    throw AdministrationError(
      .inUse,
      "initiators have the store \"\(name)\" and go on with the blocks they know of it: with "
        + "blocks of \(blockBytes) bytes they would write to wrong places; nothing was changed",
      path: "stores.\(name).blockSize",
      remedy:
        "log out of its targets on each node (iscsiadm -m node -T TARGET --logout), then change "
        + "it; or remove the store and add it under another name with another \"naa\", as another "
        + "disk",
      users: users)
  }

  private func users(of former: Inventory.Served) throws(AdministrationError) -> [String] {
    let sessions: [SessionSummary]? = daemon.worker.wait(atMost: Daemon.patience) {
      worker, answer in worker.sessions { answer($0) }
    }
    guard let sessions else { throw .tooBusy }
    return sessions.compactMap { session in
      let luns = session.units.filter { $0.unit == former.name }.map { "\($0.lun)" }
      guard !luns.isEmpty else { return nil }
      return session.user(
        whoseLoss: "has LUN \(luns.joined(separator: ", ")) of \(session.targetName)")
    }
  }
}
