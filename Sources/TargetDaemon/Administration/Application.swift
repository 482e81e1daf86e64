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
  /// How long initiators behind a portal that closes have for their logout.
  static let logoutGrace = Milliseconds.seconds(3)

  let daemon: Daemon
  let plan: ChangePlan
  let preparation: Preparation
  let directory: TargetDirectory
  let loaded: LoadedConfiguration

  private var configuration: TargetConfiguration { loaded.configuration }

  /// Warnings.
  func carryOut(endingUnqualified: Bool) -> [String] {
    let units = UnitReplacement(daemon: daemon, loaded: loaded)
    var warnings = preparation.warnings
    warnings += preparation.reopened.compactMap { units.replace(by: $0) }
    warnings += units.add(preparation.units)
    closePortals()
    warnings += openPortals()
    setAccessStates()
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

  /// The lock of a medium that was ours before comes at once when its former store is closed.
  private func settle(_ reopened: [StoreAssembly.Opened]) {
    let deadline = MonotonicTime.current + .seconds(2)
    while reopened.contains(where: { $0.store.readiness == .waitingForLock }),
      MonotonicTime.current < deadline
    {
      _ = Semaphore().wait(until: .current + Milliseconds(2))
    }
  }

  private func setAccessStates() {
    let index = GroupAccessIndex(configuration)
    for name in plan.accessChanges {
      guard let unit = daemon.inventory.served(named: name)?.unit else { continue }
      let tags = Set(configuration.portals.map(\.group)).union(index[name].groups.keys)
      let states = tags.map { ($0, index[name].groups[$0]?.state ?? .activeOptimized) }
      let deadline = MonotonicTime.current + .seconds(1)
      while !unit.setAccessStates(Dictionary(uniqueKeysWithValues: states)),
        MonotonicTime.current < deadline
      {
        _ = Semaphore().wait(until: .current + Milliseconds(1))
      }
    }
  }

  // MARK: Portals

  private func closePortals() {
    for endpoint in plan.closedPortals {
      guard let address = SocketAddress(endpoint) else { continue }
      daemon.inventory.note(silent: address, because: nil)
      guard let portal = daemon.inventory.take(portalAt: address) else { continue }
      let isClosed = Rendezvous()
      portal.listener.post { $0.stop(grace: Self.logoutGrace) { isClosed.done() } }
      // Where an initiator does not leave, its connection is closed after the grace.
      _ = isClosed.wait(atMost: Self.logoutGrace + .seconds(1))
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
