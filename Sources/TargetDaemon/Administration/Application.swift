internal import AdministrationModel
internal import AdministrationServer
internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget
internal import Synchronization
internal import TargetConfig

/// Brings a change that was prepared to the reactors. It cannot fail any more: where operations do
/// not end in time, what they hold up follows later, and a warning says so.
///
/// What is taken away is gone before anything new is given, so that nobody has at any moment what
/// neither the old nor the new configuration gives him:
///
/// 1. Portals that close accept nobody any more, and their connections end.
/// 2. Units that leave, or are to be another's, are taken from whoever has them. Units that no
///    directory has named yet are made known.
/// 3. The directory is published: access lists, users and LUN maps of the new configuration.
/// 4. Units that take the place of others are presented as soon as these have gone, to those whom
///    the new directory gives them.
/// 5. Portals open, and stores take their new sizes. Last, where that was asked for, sessions end
///    that the new directory would not let in.
struct Application {
  /// How long access states are tried to be set, which takes room in each reactor's mailbox.
  private static let accessPatience = Milliseconds.seconds(1)
  /// How long after the grace a portal's last connection may take to close.
  private static let closingPatience = Milliseconds.seconds(1)

  let daemon: Daemon
  let plan: ChangePlan
  let preparation: Preparation
  let directory: TargetDirectory
  let loaded: LoadedConfiguration

  private var configuration: TargetConfiguration { loaded.configuration }
  private var exchange: UnitExchange { UnitExchange(daemon: daemon) }

  /// Warnings.
  func carryOut(endingUnqualified: Bool) -> [String] {
    daemon.inventory.revise(loaded, without: plan.closedStores)
    var warnings = preparation.warnings + closePortals()
    let departures = plan.closedStores.compactMap { exchange.remove($0) }
    // The directory in force may still name a store whose unit was not there.
    let known = Set(plan.closedStores)
    let units = preparation.units
    warnings += units.filter { !known.contains($0.name) }.compactMap { exchange.add($0) }
    let publication = publish()
    let isInForce = publication.inForce.wait(atMost: Daemon.patience)
    warnings += units.filter { known.contains($0.name) }.compactMap { exchange.add($0) }
    let deadline = MonotonicTime.current + Daemon.patience
    warnings += bringSuccessors(departures, by: deadline)
    warnings += awaitEnd(of: publication, departures, by: deadline)
    warnings += setAccessStates()
    warnings += openPortals(isInForce)
    warnings += resizeUnits()
    if endingUnqualified { warnings += endUnqualifiedSessions() }
    warnings += awaitLocks()
    daemon.targetCount.store(configuration.targets.count, ordering: .relaxed)
    daemon.statusChanged()
    return warnings
  }

  // MARK: Units

  private func bringSuccessors(
    _ departures: [Departure], by deadline: MonotonicTime
  ) -> [String] {
    preparation.successors.compactMap { successor in
      let formers = departures.filter { successor.formers.contains($0.claim.name) }
      return exchange.bring(successor, after: formers, loaded, by: deadline)
    }
  }

  /// Those that nobody waits for by name.
  private func awaitEnd(
    of publication: Publication, _ departures: [Departure], by deadline: MonotonicTime
  ) -> [String] {
    let succeeded = Set(preparation.successors.flatMap(\.formers))
    let missing = departures.filter {
      !succeeded.contains($0.claim.name) && !$0.wait(until: deadline)
    }
    guard missing.isEmpty, publication.isDone.wait(until: deadline) else {
      let names =
        missing.isEmpty
        ? "what was taken away" : missing.map(\.claim.name).joined(separator: ", ")
      return ["operations of \(names) have not ended: the last of it goes when they have"]
    }
    return []
  }

  /// The lock of a medium that was ours comes as soon as its former store is closed. One that
  /// somebody else has is not waited for here.
  private func awaitLocks() -> [String] {
    let units =
      preparation.units
      + preparation.successors.map(\.opened.configured.name)
      .compactMap { daemon.inventory.served(named: $0) }
    do throws(DaemonError) { try daemon.awaitLocks(of: units.map(\.opened)) } catch {
      return ["\(error)"]
    }
    let stores = units.compactMap { unit in unit.opened.onDisk.map { (name: unit.name, $0) } }
    while stores.contains(where: { daemon.locks.isWaitingBriefly($1) }) {
      PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
    }
    return stores.filter { daemon.locks.isWaiting($1) }.map { name, _ in
      """
      the store \(name) waits for the lock of its medium, which somebody else holds: it serves as \
      soon as it has it
      """
    }
  }

  private func setAccessStates() -> [String] {
    let index = GroupAccessIndex(configuration)
    return plan.accessChanges.compactMap { name in
      guard let unit = daemon.inventory.served(named: name)?.unit else { return nil }
      let tags = Set(configuration.portals.map(\.group)).union(index[name].groups.keys)
      let groups = tags.map { ($0, index[name].groups[$0] ?? AsymmetricAccess.Group()) }
      let deadline = MonotonicTime.current + Self.accessPatience
      while !unit.setAccess(Dictionary(uniqueKeysWithValues: groups)) {
        guard MonotonicTime.current < deadline else {
          return "the reactors take no orders: the paths of the store \(name) keep their states"
        }
        PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
      }
      return nil
    }
  }

  // MARK: Portals

  private func closePortals() -> [String] {
    concealPortals()
    let closing = plan.closedPortals.compactMap { endpoint -> (SocketAddress, Rendezvous)? in
      guard let address = SocketAddress(endpoint) else { return nil }
      daemon.inventory.note(silent: address, because: nil)
      guard let portal = daemon.inventory.take(portalAt: address) else { return nil }
      let isClosed = Rendezvous()
      portal.listener.order { $0.stop(grace: Daemon.logoutGrace) { isClosed.done() } }
      return (address, isClosed)
    }
    // Where an initiator does not leave, its connection is closed after the grace.
    let deadline = MonotonicTime.current + Daemon.logoutGrace + Self.closingPatience
    return closing.compactMap { address, isClosed in
      guard isClosed.wait(until: deadline) else {
        return "connections through \(address) have not ended: they go when their I/O has"
      }
      daemon.logger.notice("portal closed", metadata: ["portal": "\(address)"])
      return nil
    }
  }

  /// As they close, discovery through the others leaves them out: the directory that does follows
  /// only when their initiators have left.
  private func concealPortals() {
    let addresses = plan.closedPortals.compactMap { SocketAddress($0) }
    guard !addresses.isEmpty else { return }
    daemon.worker.order { $0.conceal(portals: addresses) }
  }

  /// Not before whoever comes in is judged by the new directory on every reactor.
  private func openPortals(_ isInForce: Bool) -> [String] {
    guard isInForce else {
      for socket in preparation.sockets { socket.close() }
      return fail(
        preparation.sockets.map(\.portal), "the daemon had too much to do to open it in time")
    }
    return fail(daemon.listen(on: preparation.sockets), "its reactor has too much to do")
  }

  private func fail(_ portals: [PortalDefinition], _ reason: String) -> [String] {
    portals.map { portal in
      let sentence = "\(portal.address) does not listen: \(reason); remove it and add it again"
      daemon.inventory.note(silent: portal.address, because: reason)
      daemon.events.publish(Event(.portalFailed, sentence, address: "\(portal.address)"))
      return sentence
    }
  }

  // MARK: Directory

  private struct Publication {
    /// Every reactor judges and shows by it.
    let inForce = Rendezvous()
    /// Nothing is left of what it takes away.
    let isDone = Rendezvous()
  }

  private func publish() -> Publication {
    let publication = Publication()
    let (inForce, isDone) = (publication.inForce, publication.isDone)
    daemon.worker.order { [directory] worker in
      worker.publish(directory) {
        isDone.done()
      } whenInForce: {
        inForce.done()
      }
    }
    return publication
  }

  private func endUnqualifiedSessions() -> [String] {
    let count: Int? = daemon.worker.wait(atMost: Daemon.patience) { worker, answer in
      worker.endUnqualifiedSessions { answer($0) }
    }
    guard let count else {
      return ["sessions that do not qualify any more are closed, and some of their I/O goes on"]
    }
    guard count > 0 else { return [] }
    daemon.logger.notice("sessions without a right ended", metadata: ["sessions": "\(count)"])
    return []
  }
}
