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
  private var presentedBytes: UInt64 { served.unit.geometry.capacityBytes }

  /// `configured`: as the store is by now.
  func follow(_ configured: TargetConfiguration.Store) {
    guard let store = served.opened.onDisk, store.readiness == .ready else { return }
    if let bytes = configured.sizeBytes {
      guard bytes > presentedBytes, bytes == store.geometry.capacityBytes else { return }
      followInTurn {
        if $0.sizeBytes == store.geometry.capacityBytes { present(store.geometry.capacityBytes) }
      }
    } else if served.opened.configured.sizeBytes == nil {
      lookLater(on: store.identity.fileSystem)
    }
  }

  /// On a thread that may hang with the medium. Until then nothing keeps the store.
  private func lookLater(on fileSystem: UInt64?) {
    guard let place = served.opened.configured.medium.place else { return }
    administration.watch.looks.perform(
      "growth \(served.name)", at: place, on: fileSystem
    ) { [administration, name = served.name, weak note = served.opened.danger] in
      guard let note, let served = administration.daemon.inventory.served(named: name),
        served.opened.danger === note, let store = served.opened.onDisk
      else { return }
      StoreGrowth(administration, served).look(store)
    }
  }

  /// What is found is presented in turn.
  private func look(_ store: DescriptorStore) {
    let watch = served.opened.watch
    guard watch.begin() else { return }
    let found = try? store.findSizeBytes()
    watch.end(nil)
    guard let found, found > presentedBytes else { return }
    followInTurn {
      if $0.sizeBytes == nil { adopt(store) }
    }
  }

  /// One at a time, with the store as it is configured then.
  private func followInTurn(
    _ body: @escaping @Sendable (TargetConfiguration.Store) -> Void
  ) {
    let watch = served.opened.watch
    guard watch.begin() else { return }
    let isAccepted = daemon.changes.perform {
      defer { watch.end(nil) }
      // A change may have been quicker.
      guard daemon.inventory.served(named: served.name)?.unit === served.unit,
        let configured = administration.configuration.store(named: served.name)
      else { return }
      body(configured)
    }
    if !isAccepted { watch.end(nil) }
  }

  /// In turn.
  private func adopt(_ store: DescriptorStore) {
    switch StoreSizing(daemon, served, store).adopt() {
    case .success(let bytes): present(bytes)
    case .failure(let error):
      daemon.logger.error(
        "the store has grown, and cannot be presented so",
        metadata: ["store": "\(served.name)", "error": "\(error)"])
    }
  }

  /// In turn.
  private func present(_ bytes: UInt64) {
    guard bytes > presentedBytes else { return }
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
