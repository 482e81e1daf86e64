internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Makes room for a unit of the same name, and presents it when the former is gone: with the
/// reservations that this one had at the end. In turn.
struct UnitReplacement {
  let daemon: Daemon
  let loaded: LoadedConfiguration

  /// Why it is not there yet; nil: it is.
  func replace(by opened: StoreAssembly.Opened) -> String? {
    let name = opened.configured.name
    let isGone = Rendezvous()
    remove(name) { isGone.done() }
    let add: @Sendable () -> String? = { [self] in
      guard
        let served = try? daemon.workshop.units(
          of: [opened], by: daemon.workshop.assembly(of: loaded))
      else { return "the store \(name) cannot be presented: restart the daemon" }
      return self.add(served).first
    }
    guard isGone.wait(atMost: Daemon.patience) else {
      isGone.afterwards { [daemon] in daemon.changes.perform { _ = add() } }
      return "operations of the store \(name) do not end: it is opened anew when they have"
    }
    return add()
  }

  /// Warnings.
  func add(_ served: [Inventory.Served]) -> [String] {
    served.compactMap { served in
      daemon.inventory.add(served)
      let isThere: Bool? = daemon.worker.wait(atMost: Daemon.patience) { worker, answer in
        worker.add(served.unit) { answer($0) }
      }
      return isThere == nil ? "the unit of the store \(served.name) is on its way" : nil
    }
  }

  /// Takes a unit away from whoever has it; `completion` when its store is not used any more.
  private func remove(_ name: String, completion: @escaping @Sendable () -> Void) {
    guard daemon.inventory.take(unitNamed: name) != nil else { return completion() }
    let isAsked = daemon.worker.insist(until: .current + Daemon.patience) { [daemon] worker in
      worker.remove(unitNamed: name, force: true) { _ in
        daemon.inventory.hasLeft(name)
        completion()
      }
    }
    if !isAsked {
      daemon.logger.error("the reactors take no orders", metadata: ["store": "\(name)"])
    }
  }
}
