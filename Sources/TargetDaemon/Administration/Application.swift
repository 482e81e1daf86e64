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
/// The order: units that are opened anew, and new ones; portals; then the directory, which names
/// only units that are there; then the units that it does not name any more.
struct Application {
  /// How long it is waited for locks of media that were ours: their former stores close at once.
  private static let lockPatience = Milliseconds.seconds(2)
  /// How long access states are tried to be set, which takes room in each reactor's mailbox.
  private static let accessPatience = Milliseconds.seconds(1)
  /// How long after the grace a portal's last connection may take to close.
  private static let closingPatience = Milliseconds.seconds(1)

  let daemon: Daemon
  let plan: ChangePlan
  let preparation: Preparation
  let directory: TargetDirectory
  let loaded: LoadedConfiguration
  /// Whether what runs has a store so. To be asked by what follows later, in turn.
  let isWanted: @Sendable (TargetConfiguration.Store) -> Bool

  private var configuration: TargetConfiguration { loaded.configuration }

  /// Warnings.
  func carryOut(endingUnqualified: Bool) -> [String] {
    var warnings = reopenUnits()
    warnings += daemon.present(preparation.units)
    closePortals()
    warnings += openPortals()
    warnings += setAccessStates()
    warnings += publish()
    warnings += preparation.cut()
    if endingUnqualified { warnings += endUnqualifiedSessions() }
    let opened = preparation.units.map(\.opened) + preparation.reopened
    do throws(DaemonError) { try daemon.awaitLocks(of: opened) } catch {
      warnings.append("\(error)")
    }
    settle(preparation.reopened)
    daemon.targetCount.store(configuration.targets.count, ordering: .relaxed)
    daemon.statusChanged()
    return warnings
  }

  // MARK: Units

  private func reopenUnits() -> [String] {
    preparation.reopened.flatMap { opened in
      UnitReplacement(daemon: daemon, opened: opened, loaded: loaded, isWanted: isWanted)
        .carryOut()
    }
  }

  /// The lock of a medium that was ours before comes at once when its former store is closed.
  private func settle(_ reopened: [StoreAssembly.Opened]) {
    let deadline = MonotonicTime.current + Self.lockPatience
    while reopened.contains(where: { $0.store.readiness == .waitingForLock }),
      MonotonicTime.current < deadline
    {
      PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
    }
  }

  private func setAccessStates() -> [String] {
    let index = GroupAccessIndex(configuration)
    return plan.accessChanges.compactMap { name in
      guard let unit = daemon.inventory.served(named: name)?.unit else { return nil }
      let tags = Set(configuration.portals.map(\.group)).union(index[name].groups.keys)
      let states = tags.map { ($0, index[name].groups[$0]?.state ?? .activeOptimized) }
      let deadline = MonotonicTime.current + Self.accessPatience
      while !unit.setAccessStates(Dictionary(uniqueKeysWithValues: states)) {
        guard MonotonicTime.current < deadline else {
          return "the reactors take no orders: the paths of the store \(name) keep their states"
        }
        PlatformThread.pause(microseconds: Daemon.retryMicroseconds)
      }
      return nil
    }
  }

  // MARK: Portals

  private func closePortals() {
    for endpoint in plan.closedPortals {
      guard let address = SocketAddress(endpoint) else { continue }
      daemon.inventory.note(silent: address, because: nil)
      guard let portal = daemon.inventory.take(portalAt: address) else { continue }
      let isClosed = Rendezvous()
      portal.listener.post { $0.stop(grace: Daemon.logoutGrace) { isClosed.done() } }
      // Where an initiator does not leave, its connection is closed after the grace.
      _ = isClosed.wait(atMost: Daemon.logoutGrace + Self.closingPatience)
      daemon.logger.notice("portal closed", metadata: ["portal": "\(address)"])
    }
  }

  private func openPortals() -> [String] {
    daemon.listen(on: preparation.sockets)
    return preparation.laterPortals.compactMap { portal in
      do throws(SocketError) {
        let handle = try PortalSockets.listen(on: portal.address, daemon.logger)
        daemon.listen(on: [PortalSockets.Socket(portal: portal, handle: handle)])
        return nil
      } catch {
        daemon.inventory.note(silent: portal.address, because: "\(error)")
        daemon.events.publish(
          Event(.portalFailed, "\(error)", address: "\(portal.address)"))
        return "\(error)"
      }
    }
  }

  // MARK: Directory

  /// Publishes it, then removes the units that are not in it.
  private func publish() -> [String] {
    let reopened = Set(preparation.reopened.map(\.configured.name))
    let leaving = plan.closedStores.filter {
      !reopened.contains($0) && daemon.inventory.take(unitNamed: $0) != nil
    }
    let isDone = Rendezvous()
    let isAsked = daemon.worker.insist(until: .current + Daemon.patience) {
      [daemon, directory] worker in
      worker.publish(directory) {
        guard !leaving.isEmpty else { return isDone.done() }
        var missing = leaving.count
        for name in leaving {
          worker.remove(unitNamed: name, force: true) { _ in
            daemon.workshop.forget(unitNamed: name)
            daemon.inventory.hasLeft(name)
            missing -= 1
            if missing == 0 { isDone.done() }
          }
        }
      }
    }
    guard isAsked else { return ["the reactors take no orders: restart the daemon"] }
    guard isDone.wait(atMost: Daemon.patience) else {
      let names = leaving.isEmpty ? "what was taken away" : leaving.joined(separator: ", ")
      return ["operations of \(names) have not ended: the last of it goes when they have"]
    }
    return []
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
