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
  /// A file as it was before its store was opened.
  private struct Medium: Sendable {
    let store: DescriptorStore
    let path: String
    /// Nil: there was none.
    let bytes: UInt64?
  }

  /// What opening a store came to.
  private struct Opening: Sendable {
    let finding: MediumWatch.Finding
    let medium: Medium?
  }

  /// A store that has another size by now; its initiators know it if it was to grow.
  struct Resized {
    let name: String
    let sizing: StoreSizing
    let before: UInt64
    let after: UInt64
  }

  private let daemon: Daemon
  private let loaded: LoadedConfiguration
  /// Units of stores that were not served before.
  private(set) var units: [Inventory.Served] = []
  /// Stores that take the place of others of the same name. Their units are made when the former
  /// are gone, with the reservations that these had at the end.
  private(set) var reopened: [StoreAssembly.Opened] = []
  private(set) var sockets: [PortalSockets.Socket] = []
  /// Portals whose addresses are free only once others have closed.
  private(set) var laterPortals: [PortalDefinition] = []
  private(set) var resized: [Resized] = []
  private(set) var warnings: [String] = []
  private var media: [Medium] = []
  private let awaitsMedia: Bool

  private init(_ daemon: Daemon, _ loaded: LoadedConfiguration, awaitsMedia: Bool) {
    self.daemon = daemon
    self.loaded = loaded
    self.awaitsMedia = awaitsMedia
  }

  /// `awaitsMedia`: stores whose media are not there are waited for, as at the start.
  static func make(
    _ plan: ChangePlan, _ loaded: LoadedConfiguration, _ directory: TargetDirectory,
    _ daemon: Daemon, allowsShrinking: Bool, awaitsMedia: Bool
  ) throws(AdministrationError) -> Preparation {
    var preparation = Preparation(daemon, loaded, awaitsMedia: awaitsMedia)
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
    let assembly = daemon.workshop.assembly(of: loaded)
    var stores: [StoreAssembly.Opened] = []
    for store in plan.openedStores { stores.append(try open(store, assembly, plan)) }
    let closed = Set(plan.closedStores)
    do throws(DaemonError) {
      stores = try assembly.withFaults(stores)
      reopened = stores.filter { closed.contains($0.configured.name) }
      try daemon.workshop.ensureIdentities(of: reopened)
      units = try daemon.workshop.units(
        of: stores.filter { !closed.contains($0.configured.name) }, by: assembly)
    } catch {
      throw AdministrationError(error)
    }
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
        ? nil : served.opened.onDisk.map { (name: served.name, identity: $0.identity) }
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
    // One that is missing stays so, whatever else is changed of it.
    let mayBeAwaited =
      awaitsMedia || daemon.inventory.served(named: store.name)?.opened.awaited != nil
    let watch = MediumWatch(isUnderWay: true)
    let opening = ask(store, assembly) { late in
      if mayBeAwaited { return watch.end(late.finding) }
      if let medium = late.medium { Self.undo(medium) }
    }
    switch opening?.finding {
    case .success(let found)?:
      if let medium = opening?.medium { media.append(medium) }
      let opened = StoreAssembly.Opened(configured: store, store: found)
      if let onDisk = opened.onDisk { try checkIdentity(onDisk, of: store, plan) }
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
    return assembly.awaited(store, error, watch)
  }

  /// Nil: it does not answer, and `late` gets what comes of it.
  private func ask(
    _ store: TargetConfiguration.Store, _ assembly: StoreAssembly,
    late: @escaping @Sendable (Opening) -> Void
  ) -> Opening? {
    let open: @Sendable () -> Opening = {
      let before = store.medium.path.flatMap { StoreMedia.fileBytes(of: $0) }
      let finding = assembly.finding(store)
      guard let onDisk = try? finding.get() as? DescriptorStore, onDisk.kind == .file else {
        return Opening(finding: finding, medium: nil)
      }
      return Opening(
        finding: finding, medium: Medium(store: onDisk, path: onDisk.path, bytes: before))
    }
    guard let path = store.medium.path, let place = store.medium.place else { return open() }
    let media = daemon.workshop.media
    guard media.claim(path) else {
      return Opening(finding: .failure(store.unanswered), medium: nil)
    }
    let opening = media.ask(at: place, open) { opening in
      late(opening)
      media.release(path)
    }
    if opening != nil { media.release(path) }
    return opening
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
      if closed.contains(where: { $0.port == definition.address.port }) {
        laterPortals.append(definition)
        continue
      }
      do throws(SocketError) {
        let handle = try PortalSockets.listen(
          on: definition.address, waitingAtMost: Milliseconds(0), daemon.logger)
        sockets.append(PortalSockets.Socket(portal: definition, handle: handle))
      } catch {
        throw AdministrationError(error, at: "portals[\(portal.endpoint)]")
      }
    }
  }

  // MARK: Sizes

  private mutating func resizeStores(
    _ plan: ChangePlan, allowsShrinking: Bool
  ) throws(AdministrationError) {
    for resize in plan.resizes {
      guard let served = daemon.inventory.served(named: resize.store) else { continue }
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
    let before = store.geometry.capacityBytes
    guard bytes != before else { return }
    guard bytes > before || allowsShrinking else {
      throw AdministrationError(
        .inUse,
        "the store has \(ByteSize.description(before)): "
          + "\(ByteSize.description(bytes)) would cut off what lies behind", path: path,
        remedy: "--force cuts it off")
    }
    if bytes > before {
      let error = StoreSizing(daemon, served, store).set(bytes, orBackTo: before)
      if let error { throw AdministrationError(error, of: served.opened.configured) }
    }
    resized.append(
      Resized(
        name: served.name, sizing: StoreSizing(daemon, served, store), before: before, after: bytes)
    )
    let outcome: UnitResize? = daemon.worker.wait(atMost: Daemon.patience) { worker, answer in
      worker.resize(unitNamed: served.name, toBytes: bytes, allowsShrinking: allowsShrinking) {
        answer($0)
      }
    }
    guard outcome == .resized else { throw Self.refusal(outcome, path) }
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
        .unavailable, "operations behind the new end do not end", path: path, remedy: "try again")
    }
  }

  // MARK: Ends

  /// Of a change that was not made.
  func undo() {
    for socket in sockets { socket.close() }
    for resize in resized {
      let _: UnitResize? = daemon.worker.wait(atMost: Daemon.patience) { worker, answer in
        worker.resize(
          unitNamed: resize.name, toBytes: resize.before, allowsShrinking: true
        ) { answer($0) }
      }
      if resize.after > resize.before {
        warn(resize.sizing.set(resize.before, allowsShrinking: true))
      }
    }
    for medium in media {
      let place = TargetConfiguration.Medium.file(path: medium.path).place ?? medium.path
      let threads = daemon.workshop.media
      // Somebody has found it by now, and keeps it.
      guard threads.claim(medium.path) else { continue }
      let done = threads.ask(at: place) {
        let error = Self.undo(medium)
        threads.release(medium.path)
        return error
      }
      warn(done ?? StoreError(medium.path, .unanswered))
    }
  }

  /// Nobody has written to it.
  @discardableResult
  private static func undo(_ medium: Medium) -> StoreError? {
    guard let bytes = medium.bytes else {
      StoreMedia.removeFile(at: medium.path, ifItIs: medium.store.identity)
      return nil
    }
    guard medium.store.geometry.capacityBytes > bytes, medium.store.readiness == .ready else {
      return nil
    }
    return StoreSizing.resize(medium.store, to: bytes, allowsShrinking: true)
  }

  private func warn(_ error: StoreError?) {
    guard let error else { return }
    daemon.logger.warning("a file keeps the size it was given", metadata: ["error": "\(error)"])
  }

  /// Of a change that is made: cuts off what is behind the new end of stores, which nobody can
  /// reach any more. A warning for each that cannot be cut.
  func cut() -> [String] {
    resized.filter { $0.after < $0.before }.compactMap { resize in
      resize.sizing.set(resize.after, allowsShrinking: true).map { error in
        "\(error): it is presented with its new size, and the file keeps the old one"
      }
    }
  }
}

extension SocketAddress {
  /// Nil: it names an interface that this machine does not have.
  init?(_ endpoint: Endpoint) {
    guard let ip = IPAddress(endpoint.address) else { return nil }
    self.init(ip: ip, port: endpoint.port)
  }
}
