internal import AdministrationModel
internal import AdministrationServer
internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// A store whose size is the medium's own, and the medium has grown: a logical volume that was
/// extended, say. Its initiators are told. One that got smaller stays as it is presented.
struct StoreGrowth {
  private let daemon: Daemon
  private let served: Inventory.Served

  init(_ administration: Administration, _ served: Inventory.Served) {
    daemon = administration.daemon
    self.served = served
  }

  func follow() {
    guard hasGrown else { return }
    let isDone = Rendezvous()
    let isAccepted = daemon.changes.perform {
      adopt()
      isDone.done()
    }
    if isAccepted { _ = isDone.wait(atMost: Daemon.turnPatience) }
  }

  private var hasGrown: Bool {
    guard served.opened.configured.sizeBytes == nil, let store = served.opened.onDisk,
      store.readiness == .ready, let found = try? store.findSizeBytes()
    else { return false }
    return found > served.unit.geometry.capacityBytes
  }

  /// In turn.
  private func adopt() {
    guard daemon.inventory.served(named: served.name)?.unit === served.unit, hasGrown,
      let store = served.opened.onDisk
    else { return }
    let bytes: UInt64
    do throws(StoreError) { bytes = try store.adoptSize() } catch {
      return daemon.logger.error(
        "the store has grown, and cannot be presented so",
        metadata: ["store": "\(served.name)", "error": "\(error)"])
    }
    let outcome: UnitResize? = daemon.worker.wait(atMost: Daemon.patience) {
      [name = served.name] worker, answer in
      worker.resize(unitNamed: name, toBytes: bytes) { answer($0) }
    }
    // A wipe goes on: the next look tries again.
    guard outcome == .resized else { return }
    let size = ByteSize.description(bytes)
    daemon.logger.notice(
      "the store has grown", metadata: ["store": "\(served.name)", "size": "\(size)"])
    daemon.events.publish(
      Event(.configurationChanged, "store \(served.name) has grown to \(size)", store: served.name))
  }
}
