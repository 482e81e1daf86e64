internal import AdministrationModel
internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// All of a change that can fail, done in advance and not seen by anybody: stores that are open,
/// sockets that are bound, files that have grown. What a change that fails later has prepared is
/// undone.
struct Preparation {
  /// A store that gets another size. Its file has it by now if it is to grow; nobody knows yet.
  struct Resized {
    let name: String
    let store: DescriptorStore
    /// Of the unit.
    let before: UInt64
    let after: UInt64
    /// What the store presented, and what its file had.
    let storeBytes: UInt64
    let fileBytes: UInt64
  }

  let daemon: Daemon
  let loaded: LoadedConfiguration
  /// Units of stores that were not served before.
  var units: [Inventory.Served] = []
  /// Stores that take the place of others: of the same name, identifier or medium. Their units are
  /// made when the former are gone, with the reservations that these had at the end.
  var successors: [UnitExchange.Successor] = []
  private(set) var sockets: [PortalSockets.Socket] = []
  private(set) var resized: [Resized] = []
  /// Files whose stores were opened.
  private var files: [DescriptorStore] = []

  private init(_ daemon: Daemon, _ loaded: LoadedConfiguration) {
    self.daemon = daemon
    self.loaded = loaded
  }

  static func make(
    _ plan: ChangePlan, _ loaded: LoadedConfiguration, _ directory: TargetDirectory,
    _ daemon: Daemon, allowsShrinking: Bool
  ) throws(AdministrationError) -> Preparation {
    var preparation = Preparation(daemon, loaded)
    do throws(AdministrationError) {
      try preparation.openStores(plan)
      try preparation.bindPortals(plan, directory)
      try preparation.resizeStores(plan, allowsShrinking: allowsShrinking)
    } catch {
      preparation.undo()
      throw error
    }
    return preparation
  }

  // MARK: Stores

  private mutating func openStores(_ plan: ChangePlan) throws(AdministrationError) {
    guard !plan.openedStores.isEmpty else { return }
    let overlaps = StoreMedia.overlaps(in: loaded)
    guard overlaps.isEmpty else { throw AdministrationError(overlaps) }
    let assembly = daemon.workshop.assembly(of: loaded)
    var stores: [StoreAssembly.Opened] = []
    for store in plan.openedStores { stores.append(try open(store, assembly, plan)) }
    try makeUnits(of: stores, by: assembly, plan)
  }

  private mutating func open(
    _ store: TargetConfiguration.Store, _ assembly: StoreAssembly, _ plan: ChangePlan
  ) throws(AdministrationError) -> StoreAssembly.Opened {
    guard !daemon.inventory.leaving.contains(store.name) else {
      throw AdministrationError(
        .unavailable, "the last operations of the former store \(store.name) have not ended",
        path: "stores.\(store.name)", remedy: "try again, or take another name")
    }
    // What is served already, whatever it is called, is not made anew.
    let isNew = !daemon.inventory.served.contains {
      $0.opened.configured.medium.path == store.medium.path
    }
    let opened: StoreAssembly.Opened
    do throws(StoreError) {
      opened = StoreAssembly.Opened(
        configured: store, store: try assembly.open(store, creating: isNew))
    } catch {
      // One that is missing stays so, whatever else is changed of it.
      let isAwaited = daemon.inventory.served(named: store.name)?.opened.awaited != nil
      guard isAwaited, error.mayPass else { throw AdministrationError(error, of: store) }
      return assembly.awaited(store, error)
    }
    if let onDisk = opened.onDisk {
      if onDisk.kind == .file { files.append(onDisk) }
      if isNew { try checkSize(onDisk, of: store) }
      try checkIdentity(onDisk, of: store, plan)
    }
    return opened
  }

  /// What an administrator brings is presented as it is, or not at all; only what is served already
  /// may be larger than it is presented.
  private func checkSize(
    _ opened: DescriptorStore, of store: TargetConfiguration.Store
  ) throws(AdministrationError) {
    guard opened.kind == .file, let configured = store.sizeBytes,
      opened.foundFileBytes > configured
    else { return }
    throw AdministrationError(
      StoreError(
        opened.path,
        .largerThanConfigured(actual: opened.foundFileBytes, configured: configured)), of: store)
  }

  /// Names may have changed their meaning since the paths were compared.
  private func checkIdentity(
    _ opened: DescriptorStore, of store: TargetConfiguration.Store, _ plan: ChangePlan
  ) throws(AdministrationError) {
    let other = daemon.inventory.served.first {
      $0.opened.onDisk?.identity == opened.identity && !plan.closedStores.contains($0.name)
    }
    guard let other else { return }
    throw AdministrationError(
      .conflict,
      "\(opened.path) is the medium of the store \"\(other.name)\" under another name: "
        + "two stores on it would destroy each other's data", path: store.mediumPath)
  }

  // MARK: Portals

  private mutating func bindPortals(
    _ plan: ChangePlan, _ directory: TargetDirectory
  ) throws(AdministrationError) {
    let closed = plan.closedPortals.compactMap { SocketAddress($0) }
    for portal in plan.openedPortals {
      let definition = zip(loaded.configuration.portals, directory.portals)
        .first { $0.0.endpoint == portal.endpoint }?.1
      guard let definition else { continue }
      // What closes has the address, or one that covers it, until the change is certain.
      let neighbors = daemon.inventory.portals.filter {
        closed.contains($0.portal.address) && $0.portal.address.port == definition.address.port
      }
      share(neighbors, true)
      defer { share(neighbors, false) }
      do throws(SocketError) {
        let handle = try PortalSockets.listen(
          on: definition.address, waitingAtMost: Milliseconds(0), isShared: !neighbors.isEmpty,
          daemon.logger)
        sockets.append(PortalSockets.Socket(portal: definition, handle: handle))
      } catch {
        throw AdministrationError(error, at: "portals[\(portal.endpoint)]")
      }
    }
  }

  private func share(_ portals: [Inventory.ListeningPortal], _ isShared: Bool) {
    for portal in portals {
      let isDone = Rendezvous()
      portal.listener.order {
        $0.shareAddress(isShared)
        isDone.done()
      }
      _ = isDone.wait(atMost: Daemon.patience)
    }
  }

  // MARK: Sizes

  private mutating func resizeStores(
    _ plan: ChangePlan, allowsShrinking: Bool
  ) throws(AdministrationError) {
    for resize in plan.resizes {
      guard let served = daemon.inventory.served(named: resize.store) else {
        throw AdministrationError(
          .unavailable, "the store is being opened anew", path: "stores.\(resize.store).size",
          remedy: "try again when its last operations have ended")
      }
      // One that is missing gets its size when it comes.
      if served.opened.awaited != nil { continue }
      try self.resize(served, to: resize.bytes, allowsShrinking: allowsShrinking)
    }
  }

  private mutating func resize(
    _ served: Inventory.Served, to bytes: UInt64, allowsShrinking: Bool
  ) throws(AdministrationError) {
    let path = "stores.\(served.name).size"
    guard let store = served.opened.onDisk, store.kind == .file else {
      throw AdministrationError(
        .invalid, "only a store in a file can be given another size while it serves", path: path,
        remedy: "remove it and add it anew: what is on it is lost unless it is a device")
    }
    let before = served.unit.geometry.capacityBytes
    guard bytes != before else { return }
    guard bytes > before || allowsShrinking else {
      throw AdministrationError(
        .inUse,
        "the store has \(ByteSize.description(before)): "
          + "\(ByteSize.description(bytes)) would cut off what lies behind", path: path,
        remedy: "--force cuts it off")
    }
    let outcome: UnitResize? = daemon.worker.wait(atMost: Daemon.patience) { worker, answer in
      answer(
        worker.judgeResize(
          unitNamed: served.name, toBytes: bytes, allowsShrinking: allowsShrinking))
    }
    guard outcome == .resized else { throw Self.refusal(outcome, path) }
    do throws(StoreError) {
      let storeBytes = store.geometry.capacityBytes
      resized.append(
        Resized(
          name: served.name, store: store, before: before, after: bytes, storeBytes: storeBytes,
          fileBytes: try store.findActualBytes()))
      if bytes > storeBytes { try store.resize(to: bytes) }
    } catch {
      throw AdministrationError(error, of: served.opened.configured)
    }
  }

  private static func refusal(_ outcome: UnitResize?, _ path: String) -> AdministrationError {
    switch outcome {
    case .refused(.wiping):
      AdministrationError(
        .inUse, "a FORMAT UNIT or SANITIZE works on all of it", path: path,
        remedy: "wait until it has ended")
    case .refused(.partialBlock):
      AdministrationError(.invalid, "is not a whole number of blocks", path: path)
    case .refused(let refusal):
      AdministrationError(.internal, "the unit refuses its size: \(refusal)", path: path)
    case .notFound, .resized: AdministrationError(.internal, "the unit is not there", path: path)
    case nil:
      AdministrationError(
        .unavailable, "the daemon has too much to do to answer in time", path: path,
        remedy: "try again")
    }
  }

  // MARK: Ends

  /// Of a change that was not made. What it takes away again nobody has ever reached.
  func undo() {
    for socket in sockets { socket.close() }
    daemon.workshop.release(units.map(\.claim))
    for resize in resized where resize.after > resize.storeBytes {
      undoGrowth(of: resize.store, to: resize.storeBytes, fileBytes: resize.fileBytes)
    }
    for file in files {
      if file.isMade {
        StoreMedia.removeFile(at: file.path, ifItIs: file.identity)
      } else {
        undoGrowth(of: file, to: file.geometry.capacityBytes, fileBytes: file.foundFileBytes)
      }
    }
    for unit in units { daemon.workshop.forget(unitNamed: unit.name) }
  }

  private func undoGrowth(of store: DescriptorStore, to bytes: UInt64, fileBytes: UInt64) {
    guard store.readiness == .ready, !store.capabilities.isReadOnly else { return }
    do throws(StoreError) { try store.undoGrowth(to: bytes, fileBytes: fileBytes) } catch {
      daemon.logger.warning("a file keeps the size it was given", metadata: ["error": "\(error)"])
    }
  }
}

extension SocketAddress {
  /// nil: it names an interface that this machine does not have.
  init?(_ endpoint: Endpoint) {
    guard let ip = IPAddress(endpoint.address) else { return nil }
    self.init(ip: ip, port: endpoint.port)
  }
}
