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
///
/// So are those of a store that was given a size while its unit could not take one.
struct StoreGrowth {
  private let administration: Administration
  private let served: Inventory.Served

  init(_ administration: Administration, _ served: Inventory.Served) {
    self.administration = administration
    self.served = served
  }

  private var daemon: Daemon { administration.daemon }

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
    guard let store = served.opened.onDisk, store.readiness == .ready,
      let configured = administration.configuration.store(named: served.name)
    else { return false }
    let presented = served.unit.geometry.capacityBytes
    if let bytes = configured.sizeBytes {
      return bytes > presented && bytes == store.geometry.capacityBytes
    }
    guard served.opened.configured.sizeBytes == nil, let found = try? store.findSizeBytes() else {
      return false
    }
    return found > presented
  }

  /// In turn.
  private func adopt() {
    guard daemon.inventory.served(named: served.name)?.unit === served.unit, hasGrown,
      let store = served.opened.onDisk
    else { return }
    let bytes: UInt64
    do throws(StoreError) {
      if let configured = administration.configuration.store(named: served.name)?.sizeBytes {
        bytes = configured
      } else {
        bytes = try store.adoptSize()
      }
    } catch {
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
