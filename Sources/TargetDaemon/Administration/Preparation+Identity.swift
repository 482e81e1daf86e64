internal import AdministrationModel
internal import SCSITarget
internal import TargetConfig

// Which of the stores that a change opens are, to initiators or by their media, those it closes.
extension Preparation {
  /// Makes the units of stores that have nothing in common with any unit there is. The others are
  /// made when those are gone, if these are going; else the change is refused.
  mutating func makeUnits(
    of opened: [StoreAssembly.Opened], by assembly: StoreAssembly, _ plan: ChangePlan
  ) throws(AdministrationError) {
    let closing = daemon.inventory.served.filter { plan.closedStores.contains($0.name) }
    for store in opened { try refuseOtherIdentity(of: store, closing) }
    note(daemon.workshop.renamings(of: opened, in: loaded.configuration))
    let fresh: [StoreAssembly.Opened]
    do throws(DaemonError) {
      let stores = try assembly.withFaults(opened)
      // Judged before anything is saved: an identifier that is made up is nobody else's.
      let identifiers = try daemon.workshop.identifiers(of: stores, isTrial: true)
      let all = stores.compactMap { opened in
        identifiers[opened.configured.name].map {
          UnitExchange.Successor(
            opened: opened, claim: UnitClaim(of: opened, naa: $0), formers: [])
        }
      }
      fresh = try divide(all, closing, plan)
    } catch {
      throw AdministrationError(error)
    }
    for successor in successors { try refuseLoss(of: closing, by: successor) }
    try refuseOtherBlocks(of: closing, by: successors)
    guard !isTrial else { return }
    do throws(DaemonError) { try makeUnits(of: fresh, by: assembly) } catch {
      throw AdministrationError(error)
    }
  }

  /// Under identifiers that are saved; the successors get theirs.
  private mutating func makeUnits(
    of fresh: [StoreAssembly.Opened], by assembly: StoreAssembly
  ) throws(DaemonError) {
    let workshop = daemon.workshop
    let stores = fresh + successors.map(\.opened)
    newNames = workshop.unidentified(among: stores.map(\.configured.name))
    let identifiers = try workshop.identifiers(of: stores)
    for (index, successor) in successors.enumerated() {
      guard let naa = identifiers[successor.claim.name] else { continue }
      successors[index].claim = UnitClaim(of: successor.opened, naa: naa)
    }
    units = try workshop.units(
      of: fresh, by: assembly,
      alive: Set(loaded.configuration.stores.map(\.name) + daemon.inventory.served.map(\.name)))
  }

  /// The stores that have nothing in common with any unit there is; the others are successors.
  private mutating func divide(
    _ all: [UnitExchange.Successor], _ closing: [Inventory.Served], _ plan: ChangePlan
  ) throws(DaemonError) -> [StoreAssembly.Opened] {
    var fresh: [StoreAssembly.Opened] = []
    for (index, successor) in all.enumerated() {
      try refuseTaken(successor.claim, all[..<index].map(\.claim), plan)
      let formers = closing.filter { $0.claim.excludes(successor.claim) }
      guard !formers.isEmpty else {
        fresh.append(successor.opened)
        continue
      }
      var successor = successor
      successor.formers = formers.map(\.name)
      successors.append(successor)
    }
    return fresh
  }

  /// The identifier of a unit that stays, or of one that is still to come, is not to be had.
  private func refuseTaken(
    _ claim: UnitClaim, _ others: [UnitClaim], _ plan: ChangePlan
  ) throws(DaemonError) {
    let inventory = daemon.inventory
    if let leaving = inventory.leavingClaims.first(where: { $0.excludes(claim) }) {
      throw DaemonError(
        .temporaryFailure,
        "stores.\(claim.name): the last operations of the former store \"\(leaving.name)\" have "
          + "not ended, which has its medium or its identifier: try again")
    }
    let served = inventory.served.first {
      $0.unit.identity.naa == claim.naa && !plan.closedStores.contains($0.name)
    }
    let expected = inventory.expectedClaims.filter { !plan.closedStores.contains($0.name) }
    let other = served?.name ?? (expected + others).first { $0.naa == claim.naa }?.name
    if let other { throw DaemonError.sameIdentifier(claim.name, other, claim.naa) }
  }

  // MARK: Media that come back

  /// A store that is only called otherwise would be another disk, and the reservations of the
  /// former would not count for it: whoever they keep out could write. Asked before it gets an
  /// identifier.
  private func refuseOtherIdentity(
    of opened: StoreAssembly.Opened, _ closing: [Inventory.Served]
  ) throws(AdministrationError) {
    let store = opened.configured
    guard store.naa == nil else { return }
    let claim = UnitClaim(of: opened, naa: [])
    let former = closing.first { $0.name != store.name && $0.claim.sharesMedium(with: claim) }
    guard let former else { return }
    throw Self.otherIdentity(
      former, store, "what is on record of it, such as reservations", isByStoreName: true)
  }

  /// A store that gets another identifier on purpose is another disk, too.
  private func refuseLoss(
    of closing: [Inventory.Served], by successor: UnitExchange.Successor
  ) throws(AdministrationError) {
    for former in closing
    where former.claim.sharesMedium(with: successor.claim)
      && former.claim.naa != successor.claim.naa
    {
      guard let record = daemon.workshop.recordInForce(of: former.unit) else { continue }
      throw Self.otherIdentity(
        former, successor.opened.configured, record, isByStoreName: false)
    }
  }

  private static func otherIdentity(
    _ former: Inventory.Served, _ store: TargetConfiguration.Store, _ record: String,
    isByStoreName: Bool
  ) -> AdministrationError {
    AdministrationError(
      .conflict,
      "the medium of the store \"\(former.name)\" would come back as the store \"\(store.name)\" "
        + "with another identifier: to initiators it would be another disk, and \(record) would "
        + "not count for it", path: "stores.\(store.name).naa",
      remedy: UnitName(former).remedy(
        for: store.name, former: former.name, isByStoreName: isByStoreName))
  }
}
