internal import AdministrationModel
internal import BackingStore
internal import ConfigurationChanges
internal import ISCSITarget
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
    let sizing: StoreSizing
    /// Of the unit.
    let before: UInt64
    let after: UInt64
    /// Nil: the file is as it was.
    let growth: StoreSizing.Growth?
  }

  let daemon: Daemon
  let loaded: LoadedConfiguration
  /// Units of stores that were not served before.
  var units: [Inventory.Served] = []
  /// Stores that take the place of others: of the same name, identifier or medium. Their units are
  /// made when the former are gone, with the reservations that these had at the end.
  var successors: [UnitExchange.Successor] = []
  /// Stores that this change gives the first identity of their names.
  var newNames: [String] = []
  private(set) var sockets: [PortalSockets.Socket] = []
  private(set) var resized: [Resized] = []
  private(set) var warnings: [String] = []
  /// Files whose stores were opened.
  private(set) var files: [DescriptorStore] = []
  /// Of stores that are waited for, because they do not answer.
  private(set) var watches: [MediumWatch] = []
  private let awaitsMedia: Bool
  /// Whether all is looked at and judged as for the change, and nothing is left made, locked or
  /// bound.
  let isTrial: Bool

  private init(
    _ daemon: Daemon, _ loaded: LoadedConfiguration, awaitsMedia: Bool, isTrial: Bool
  ) {
    self.daemon = daemon
    self.loaded = loaded
    self.awaitsMedia = awaitsMedia
    self.isTrial = isTrial
  }

  /// What a change that is not made would be refused for. Warnings.
  static func tryOut(
    _ plan: ChangePlan, _ loaded: LoadedConfiguration, _ directory: TargetDirectory,
    _ daemon: Daemon, allowsShrinking: Bool, awaitsMedia: Bool
  ) throws(AdministrationError) -> [String] {
    var trial = Preparation(daemon, loaded, awaitsMedia: awaitsMedia, isTrial: true)
    try trial.openStores(plan)
    try trial.bindPortals(plan, directory)
    try trial.resizeStores(plan, allowsShrinking: allowsShrinking)
    return trial.warnings
  }

  /// `awaitsMedia`: stores whose media are not there are waited for, as at the start.
  static func make(
    _ plan: ChangePlan, _ loaded: LoadedConfiguration, _ directory: TargetDirectory,
    _ daemon: Daemon, allowsShrinking: Bool, awaitsMedia: Bool
  ) throws(AdministrationError) -> Preparation {
    var preparation = Preparation(daemon, loaded, awaitsMedia: awaitsMedia, isTrial: false)
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
    let overlaps = overlaps(plan)
    guard overlaps.isEmpty else { throw AdministrationError(overlaps) }
    var assembly = daemon.workshop.assembly(of: loaded)
    assembly.isTrial = isTrial
    var stores: [StoreAssembly.Opened] = []
    for store in plan.openedStores { stores.append(try open(store, assembly, plan)) }
    try makeUnits(of: stores, by: assembly, plan)
  }

  /// Stores to be opened that are another, which serves or is opened too, under another name. What
  /// does not answer is no one's double, until it is opened.
  private func overlaps(_ plan: ChangePlan) -> [ConfigurationProblem] {
    let closed = Set(plan.closedStores)
    let onDisk = plan.openedStores.filter { $0.medium.place != nil }
    guard !onDisk.isEmpty else { return [] }
    let found = daemon.workshop.media.askAll(onDisk, at: { $0.medium.place ?? "" }) { store in
      store.medium.path.flatMap { StoreMedia.identity(of: $0) }.map { [$0] } ?? []
    }
    var identities = daemon.inventory.served.compactMap { served in
      closed.contains(served.name)
        ? nil : served.opened.onDisk.map { (name: served.name, identity: $0.medium) }
    }
    identities += daemon.inventory.expectedClaims.compactMap { claim in
      closed.contains(claim.name) ? nil : claim.medium.map { (name: claim.name, identity: $0) }
    }
    for (store, found) in zip(onDisk, found) {
      identities += (found ?? []).map { (name: store.name, identity: $0) }
    }
    return StoreOverlap.problems(among: identities, in: loaded)
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
    // One that is missing stays so, whatever else is changed of it.
    let mayBeAwaited =
      awaitsMedia || daemon.inventory.served(named: store.name)?.opened.awaited != nil
    var assembly = assembly
    assembly.keepsFiles = mayBeAwaited
    let watch = MediumWatch(isUnderWay: true)
    // Nor is what was served before: its file system may only not be mounted.
    let creates = isNew && daemon.workshop.mayMakeFile(of: store)
    let finding = ask(store, assembly, creating: creates) { [workshop = daemon.workshop] late in
      if mayBeAwaited, watch.end(late) { return }
      guard let file = late.file else { return }
      if file.isMade { workshop.noteUnserved([file.path]) }
      _ = Self.undo(file)
    }
    switch finding {
    case .success(let found)?:
      if let file = finding?.file { files.append(file) }
      let opened = StoreAssembly.Opened(configured: store, store: found)
      if let onDisk = opened.onDisk {
        if isNew { try checkSize(onDisk, of: store) }
        try checkIdentity(onDisk, of: store, plan)
        warnings += onDisk.extensionWarning.map { ["stores.\(store.name): \($0)"] } ?? []
      }
      return opened
    case .failure(let error)? where mayBeAwaited && error.mayPass:
      return awaited(store, error, MediumWatch(), assembly)
    case nil where mayBeAwaited: return awaited(store, store.unanswered, watch, assembly)
    case .failure(let error)?: throw AdministrationError(error, of: store)
    case nil: throw AdministrationError(store.unanswered, of: store)
    }
  }

  private mutating func awaited(
    _ store: TargetConfiguration.Store, _ error: StoreError, _ watch: MediumWatch,
    _ assembly: StoreAssembly
  ) -> StoreAssembly.Opened {
    warnings.append("stores.\(store.name) is offline until its medium is there: \(error)")
    watches.append(watch)
    return assembly.awaited(store, error, watch)
  }

  /// Nil: it does not answer, and `late` gets what comes of it.
  private func ask(
    _ store: TargetConfiguration.Store, _ assembly: StoreAssembly, creating: Bool,
    late: @escaping @Sendable (MediumWatch.Finding) -> Void
  ) -> MediumWatch.Finding? {
    guard let path = store.medium.path, let place = store.medium.place else {
      return assembly.finding(store)
    }
    let media = daemon.workshop.media
    guard media.claim(path) else { return .failure(store.unanswered) }
    let finding = media.ask(at: place) {
      assembly.finding(store, creating: creating)
    } late: { finding in
      late(finding)
      media.release(path)
    }
    if finding != nil { media.release(path) }
    return finding
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
      $0.opened.onDisk?.medium == opened.medium && !plan.closedStores.contains($0.name)
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
        guard !isTrial else {
          try ListeningSocket.check(address: definition.address, isShared: !neighbors.isEmpty)
          continue
        }
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
    // Also where the file seems large enough, and is to shrink: a change that was given up may be
    // under way, and make it smaller yet.
    let sizing = StoreSizing(daemon, served, store)
    var growth: StoreSizing.Growth?
    do throws(StoreError) {
      if isTrial {
        try sizing.checkGrowth(to: bytes).get()
      } else {
        growth = try sizing.grow(to: bytes).get()
      }
    } catch {
      throw AdministrationError(error, of: served.opened.configured)
    }
    resized.append(
      Resized(
        name: served.name, store: store, sizing: sizing, before: before, after: bytes,
        growth: growth))
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
    case nil: .tooBusy(at: path)
    }
  }

  mutating func note(_ warnings: [String]) { self.warnings += warnings }

  /// Of a change that is made: what was prepared is served from here on.
  func noteServed() { daemon.workshop.noteServed(files.map(\.path)) }
}

extension MediumWatch.Finding {
  /// The store in a file that was opened.
  var file: DescriptorStore? {
    guard case .success(let store) = self, let onDisk = store as? DescriptorStore else {
      return nil
    }
    return onDisk.kind == .file ? onDisk : nil
  }
}
