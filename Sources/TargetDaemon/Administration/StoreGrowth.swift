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

  /// Looks, on a thread that may hang with the medium; what is found is presented in turn.
  func follow() {
    let (store, place) = (served.opened.onDisk, served.opened.configured.medium.place)
    guard served.opened.configured.sizeBytes == nil, let store, let place,
      store.readiness == .ready, served.opened.watch.begin()
    else { return }
    daemon.workshop.media.perform(at: place) {
      defer { served.opened.watch.end(nil) }
      guard let found = try? store.findSizeBytes(), found > served.unit.geometry.capacityBytes
      else { return }
      daemon.changes.perform { adopt(store) }
    }
  }

  /// In turn.
  private func adopt(_ store: DescriptorStore) {
    // A change may have been quicker.
    guard daemon.inventory.served(named: served.name)?.unit === served.unit else { return }
    let bytes: UInt64
    switch StoreSizing(daemon, served, store).adopt() {
    case .success(let found): bytes = found
    case .failure(let error):
      return daemon.logger.error(
        "the store has grown, and cannot be presented so",
        metadata: ["store": "\(served.name)", "error": "\(error)"])
    }
    guard bytes > served.unit.geometry.capacityBytes else { return }
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
