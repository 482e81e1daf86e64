internal import AdministrationModel
internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Units that leave, and those that come in their places. On the thread for changes.
///
/// A unit that has a medium or an identity in common with one that leaves is not even made before
/// the last operation of the former has ended and its last save is done: it would start with
/// reservations that others are put on record over, and let a fenced initiator in again.
struct UnitExchange {
  /// An open store whose unit is still to be made.
  struct Successor: Sendable {
    let opened: StoreAssembly.Opened
    var claim: UnitClaim
    /// Units that have to be gone before.
    var formers: [String]
  }

  let daemon: Daemon

  // MARK: Leaving

  /// Takes a unit away from whoever has it. nil: it is not there.
  func remove(_ name: String) -> Departure? {
    guard let served = daemon.inventory.take(unitNamed: name) else { return nil }
    let departure = Departure(served.claim, space: served.unit.provisioning)
    daemon.worker.order { [daemon] worker in
      worker.remove(unitNamed: name, force: true) { _ in
        let isLatched = served.opened.onDisk?.isLatched ?? false
        daemon.workshop.afterSaves {
          daemon.workshop.forget(unitNamed: name)
          daemon.inventory.hasLeft(name)
          daemon.workshop.release([departure.claim])
          departure.ended(isLatched: isLatched)
        }
      }
    }
    return departure
  }

  // MARK: Coming

  /// Presents a unit that is made. A sentence if it is not there.
  func add(_ served: Inventory.Served) -> String? {
    guard daemon.inventory.add(served) else {
      daemon.workshop.release([served.claim])
      return "a unit of the store \(served.name) is there already: restart the daemon"
    }
    let isThere: Bool? = daemon.worker.wait(atMost: Daemon.patience) { worker, answer in
      worker.add(served.unit) { answer($0) }
    }
    if isThere != false { daemon.workshop.noteMedia(of: [served.opened]) }
    switch isThere {
    case true?: return nil
    case nil: return "the unit of the store \(served.name) is on its way"
    case false?:
      daemon.inventory.forget(unitNamed: served.name)
      daemon.workshop.release([served.claim])
      return "the unit of the store \(served.name) cannot be presented: restart the daemon"
    }
  }

  /// Makes and presents a unit when all of `departures` have ended: now, if they have by
  /// `deadline`; else as soon as they have, if it is still wanted then. A sentence if it is not
  /// there.
  func bring(
    _ successor: Successor, after departures: [Departure], _ loaded: LoadedConfiguration,
    by deadline: MonotonicTime
  ) -> String? {
    let number = daemon.inventory.expect(successor, loaded)
    let name = successor.claim.name
    let missing = departures.filter { !$0.wait(until: deadline) }
    guard !missing.isEmpty else { return present(name, number, departures) }
    Departure.whenEnded(departures[...]) { [self] in
      daemon.changes.follow { presentLate(name, number, departures) }
    }
    let names = missing.map(\.claim.name).joined(separator: ", ")
    return "operations of the store \(names) do not end: \(name) is opened anew when they have"
  }

  private func present(_ name: String, _ number: UInt64, _ formers: [Departure]) -> String? {
    // Removed or changed once more since: what was opened for it closes.
    guard let expected = daemon.inventory.takeExpected(name, number) else { return nil }
    let successor = expected.successor
    for former in formers where former.claim.sharesMedium(with: successor.claim) {
      daemon.workshop.passLatch(of: former, to: successor.opened)
    }
    do throws(DaemonError) {
      let assembly = daemon.workshop.assembly(of: expected.loaded)
      let served = try daemon.workshop.units(of: [successor.opened], by: assembly)
      for former in formers where former.claim.sharesMedium(with: successor.claim) {
        guard let space = former.space else { continue }
        for unit in served { unit.unit.provisioning.adopt(space) }
      }
      return served.compactMap { add($0) }.first
    } catch {
      return "the store \(name) cannot be presented: \(error)"
    }
  }

  private func presentLate(_ name: String, _ number: UInt64, _ formers: [Departure]) {
    let sentence = present(name, number, formers)
    if let sentence { daemon.logger.error("\(sentence)") }
    // Also of one that is on its way: nobody else waits for its lock.
    guard let served = daemon.inventory.served(named: name) else { return }
    if sentence == nil {
      daemon.logger.notice("the store is opened anew", metadata: ["store": "\(name)"])
    }
    do throws(DaemonError) { try daemon.awaitLocks(of: [served.opened]) } catch {
      daemon.logger.error("\(error)", metadata: ["store": "\(name)"])
    }
    daemon.statusChanged()
  }
}
