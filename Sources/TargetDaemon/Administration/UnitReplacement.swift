internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Puts a unit that was opened anew in the place of the one that has its name. Where operations of
/// the former do not end in time it follows when they have, and the log tells how that went.
struct UnitReplacement: Sendable {
  let daemon: Daemon
  let opened: StoreAssembly.Opened
  let loaded: LoadedConfiguration
  /// Whether a store is still to be served so; asked, in turn, where the replacement comes late.
  let isWanted: @Sendable (TargetConfiguration.Store) -> Bool
  var patience = Daemon.patience

  private var name: String { opened.configured.name }

  /// Warnings. In turn.
  func carryOut() -> [String] {
    let isGone = Rendezvous()
    guard removeFormer(completion: { isGone.done() }) else {
      return ["the reactors take no orders: the store \(name) is not served; restart the daemon"]
    }
    guard isGone.wait(atMost: patience) else {
      isGone.afterwards { [self] in followLater() }
      return ["operations of the store \(name) do not end: it is opened anew when they have"]
    }
    do throws(DaemonError) { return try add() } catch { return [sentence(error)] }
  }

  /// False: nobody could be asked. `completion` when the former's store is not used any more.
  private func removeFormer(completion: @escaping @Sendable () -> Void) -> Bool {
    guard daemon.inventory.take(unitNamed: name) != nil else {
      completion()
      return true
    }
    return daemon.worker.insist(until: .current + patience) { [daemon, name] worker in
      worker.remove(unitNamed: name, force: true) { _ in
        daemon.inventory.hasLeft(name)
        completion()
      }
    }
  }

  private func add() throws(DaemonError) -> [String] {
    daemon.present(
      try daemon.workshop.units(of: [opened], by: daemon.workshop.assembly(of: loaded)))
  }

  // MARK: Late

  /// On the reactor where the last operation has ended.
  private func followLater() {
    guard daemon.changes.perform({ follow() }) else {
      return complain("too many changes wait: restart the daemon")
    }
  }

  /// In turn. Other changes came in between.
  private func follow() {
    guard isWanted(opened.configured), daemon.inventory.served(named: name) == nil else {
      return daemon.logger.notice(
        "a store that was to be opened anew is another by now", metadata: ["store": "\(name)"])
    }
    do throws(DaemonError) {
      for warning in try add() { daemon.logger.warning("\(warning)") }
      daemon.logger.notice(
        "the store is opened anew: its operations have ended", metadata: ["store": "\(name)"])
      daemon.statusChanged()
    } catch {
      complain(sentence(error))
    }
  }

  private func sentence(_ error: DaemonError) -> String {
    "the store \(name) cannot be presented: \(error); restart the daemon"
  }

  private func complain(_ sentence: String) {
    daemon.logger.error(
      "the store is not served", metadata: ["store": "\(name)", "error": "\(sentence)"])
  }
}

extension Daemon {
  /// Gives units to the reactors, for the next directory to name them. Warnings.
  func present(_ served: [Inventory.Served]) -> [String] {
    served.compactMap { served in
      inventory.add(served)
      let isThere: Bool? = worker.wait(atMost: Daemon.patience) { worker, answer in
        worker.add(served.unit) { answer($0) }
      }
      return isThere == nil ? "the unit of the store \(served.name) is on its way" : nil
    }
  }
}
