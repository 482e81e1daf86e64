internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// A medium that was missing, did not answer, or is a device that vanished, on its way back: it is
/// opened on a thread that may hang, and then taken in turn.
struct StoreReturn {
  private let administration: Administration
  private let served: Inventory.Served
  private let watch: StoreWatch
  private var daemon: Daemon { administration.daemon }
  private var opening: MediumWatch { served.opened.watch }

  init(_ administration: Administration, _ served: Inventory.Served, _ watch: StoreWatch) {
    self.administration = administration
    self.served = served
    self.watch = watch
  }

  /// One step; it waits for no medium.
  func advance() {
    switch opening.take() {
    case .success(let store)?: take(store)
    case .failure(let error)?: complain("\(error)")
    case nil: begin()
    }
  }

  private func begin() {
    // What is the daemon's own stays so: an old copy of it would come back when it is rewritten.
    if case .reserved? = served.opened.absence?.reason { return }
    let loaded = administration.running.current
    let media = daemon.workshop.media
    guard let configured = loaded.configuration.store(named: served.name),
      let path = configured.medium.path, let place = configured.medium.place, opening.begin()
    else { return }
    guard media.claim(path) else {
      opening.end(nil)
      return
    }
    let assembly = daemon.workshop.assembly(of: loaded)
    media.perform(at: place) { [opening, watch] in
      defer { media.release(path) }
      // Never made anew here, whatever the configuration says of its size: it is what was to come
      // back.
      guard StoreMedia.exists(path) else {
        opening.end(nil)
        return
      }
      opening.end(assembly.finding(configured))
      watch.look()
    }
  }

  private func complain(_ reason: String) {
    guard watch.complain(of: served.name, reason) else { return }
    daemon.logger.error(
      "the store's medium cannot be used: its logical unit stays offline",
      metadata: ["store": "\(served.name)", "error": "\(reason)"])
  }

  private func take(_ store: any Store) {
    let onDisk = store as? DescriptorStore
    let other = daemon.inventory.served.first {
      $0.name != served.name && onDisk != nil && $0.opened.onDisk?.medium == onDisk?.medium
    }
    if let other {
      return complain("\(onDisk?.path ?? "it") is the medium of the store \"\(other.name)\"")
    }
    let isDone = Rendezvous()
    let isAccepted = daemon.changes.perform {
      install(store)
      isDone.done()
    }
    if isAccepted { _ = isDone.wait(atMost: Daemon.turnPatience) }
  }

  /// In turn.
  private func install(_ store: any Store) {
    let name = served.name
    let loaded = administration.running.current
    // It may have been removed or opened anew since.
    guard daemon.inventory.served(named: name)?.unit === served.unit,
      let configured = loaded.configuration.store(named: name)
    else { return }
    // It was given another size since: the next look opens it with that.
    if let onDisk = store as? DescriptorStore, onDisk.configuredSizeBytes != configured.sizeBytes {
      return
    }
    var opened = served.opened
    if !isInstalled(store) {
      // With blocks of another size it is another unit to its initiators; and what a device that
      // vanished had in its cache is lost, so it is another one, too.
      opened = StoreAssembly.Opened(configured: configured, store: store)
      if let sentence = replace(by: opened, loaded) {
        complain(sentence)
        // On its way, perhaps: then nobody else waits for its lock.
        guard daemon.inventory.served(named: name)?.opened.store === store else { return }
        return awaitLock(of: opened)
      }
    } else {
      daemon.workshop.noteMedia(of: [opened])
    }
    _ = watch.complain(of: name, nil)
    daemon.logger.notice("the store's medium is there", metadata: ["store": "\(name)"])
    awaitLock(of: opened)
  }

  private func awaitLock(of opened: StoreAssembly.Opened) {
    do throws(DaemonError) { try daemon.awaitLocks(of: [opened]) } catch { complain("\(error)") }
  }

  /// A sentence if the unit is not there: it may come yet.
  private func replace(
    by opened: StoreAssembly.Opened, _ loaded: LoadedConfiguration
  ) -> String? {
    let exchange = UnitExchange(daemon: daemon)
    guard let former = exchange.remove(served.name) else { return nil }
    let successor = UnitExchange.Successor(
      opened: opened, claim: UnitClaim(of: opened, naa: former.claim.naa),
      formers: [former.claim.name])
    let deadline = MonotonicTime.current + Daemon.patience
    return exchange.bring(successor, after: [former], loaded, by: deadline)
  }

  /// False: its unit waits for none, or not for this one.
  private func isInstalled(_ store: any Store) -> Bool {
    guard served.opened.awaited != nil else { return false }
    let arrival: StoreArrival? = daemon.worker.wait(atMost: Daemon.patience) {
      [name = served.name] worker, answer in
      worker.storeArrived(forUnitNamed: name, store) { answer($0) }
    }
    return arrival == .installed
  }
}
