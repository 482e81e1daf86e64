internal import AdministrationModel
internal import TargetConfig

extension TgtadmCall {
  func performLogicalUnit(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    switch operation {
    case .new: try await newLogicalUnit()
    case .delete: try await deleteLogicalUnit()
    case .update: try await updateLogicalUnit()
    case .stat: try await showStatistics(.logicalUnit)
    default: throw .unsupported()
    }
  }

  // MARK: Making

  private func newLogicalUnit() async throws(TgtFailure) {
    guard let tid = request.tid, let number = request.lun else { throw .invalidRequest() }
    let state = try await state()
    let target = try state.target(tid)
    // Number 0 is the controller's.
    guard number > 0, target.lun(number) == nil else { throw .logicalUnitExists }
    guard let lun = UInt16(exactly: number), lun <= TargetConfiguration.LUN.numberMax else {
      throw .invalidRequest(
        "LUN \(number): the highest number is \(TargetConfiguration.LUN.numberMax)")
    }
    let plan = try storePlan(StoreOrigin(tid: tid, lun: number), state)
    let specification = LUNSpecification(lun: lun, store: plan.name)
    try await change(
      plan.changes + [.addLUN(Change.LUNAddition(target: target.name, specification))],
      conflict: .logicalUnitExists, conflictPlace: "luns")
  }

  private struct StorePlan {
    var name: String
    /// None where the store is there already.
    var changes: [Change]
  }

  /// A path is one store, however many LUNs present it: reservations and caches of two would not
  /// know of each other.
  private func storePlan(
    _ origin: StoreOrigin, _ state: TgtState
  ) throws(TgtFailure) -> StorePlan {
    guard request.deviceType == "disk" else {
      throw .invalidRequest("device type \(request.deviceType): here are only disks")
    }
    let type = request.backingStoreType ?? "rdwr"
    guard let flags = TgtCache.Flags(given: request.backingStoreFlags) else {
      throw .invalidRequest("--bsoflags takes sync, direct or sync:direct")
    }
    if type == "null" { return nullPlan(origin) }
    guard type == "rdwr" || type == "aio" else {
      throw .invalidRequest("bstype \(type): here are rdwr, aio and null")
    }
    guard let given = request.backingStore else {
      throw .invalidRequest("a disk without medium: here each has a file or device")
    }
    let path = files.absolute(given)
    if let present = state.stores.values.first(where: { $0.path == path }) {
      try compare(present, type, flags)
      return StorePlan(name: present.name, changes: [])
    }
    return try newPlan(path, type, flags, origin, state)
  }

  /// One store is one disk under each of its numbers: what was asked for otherwise is told.
  private func compare(
    _ store: StoreResource, _ type: String, _ flags: TgtCache.Flags
  ) throws(TgtFailure) {
    let path = store.path ?? store.name
    if let text = request.blockSize, let size = store.blockSize, Int(text) != size {
      throw .invalidRequest("\(path) is served already, with blocks of \(size) bytes")
    }
    remark(
      "\(path) is served already: it is the same disk here, with one SCSI ID and serial number")
    guard request.backingStoreType != nil || request.backingStoreFlags != nil else { return }
    if TgtCache.mode(flags, type: type, isDevice: store.kind == .block).rawValue != store.cache {
      remark("its flags and type stay as they are (cache \(store.cache))")
    }
  }

  private func newPlan(
    _ path: String, _ type: String, _ flags: TgtCache.Flags, _ origin: StoreOrigin,
    _ state: TgtState
  ) throws(TgtFailure) -> StorePlan {
    let kind = files.kind(of: path)
    guard kind == .regular || kind == .blockDevice else {
      throw .invalidRequest("\(path): " + (kind == .missing ? "is not there" : "is no disk"))
    }
    let isDevice = kind == .blockDevice
    var store = StoreSpecification(
      name: Self.name(path, state), kind: isDevice ? .block : .file, path: path)
    store.cache = TgtCache.mode(flags, type: type, isDevice: isDevice).rawValue
    store.discard = "ignore"
    return StorePlan(name: store.name, changes: try making(store, origin, type))
  }

  /// A store of that name that was given another path keeps the name.
  private static func name(_ path: String, _ state: TgtState) -> String {
    let name = TgtIdentity.storeName(path)
    guard state.stores[name] != nil else { return name }
    let number = (2...).first { state.stores["\(name)-\($0)"] == nil } ?? 2
    return "\(name)-\(number)"
  }

  /// As large as tgt's.
  private func nullPlan(_ origin: StoreOrigin) -> StorePlan {
    let name = "tgt_null-\(origin.tid)-\(origin.lun)"
    let store = StoreSpecification(name: name, kind: .null, sizeBytes: 1 << 40)
    let path = TgtNotes.set(.path, of: name, request.backingStore)
    return StorePlan(name: name, changes: identified(store, origin) + [path])
  }

  private func making(
    _ store: StoreSpecification, _ origin: StoreOrigin, _ type: String
  ) throws(TgtFailure) -> [Change] {
    var store = store
    if let text = request.blockSize {
      guard let size = Int(text), size == 512 || size == 4096 else {
        throw .invalidRequest("--blocksize takes 512 or 4096")
      }
      store.blockSize = size
    }
    if request.backingStoreOptions != nil { remark("--bsopts says nothing to rdwr and aio") }
    let note = type == "rdwr" ? [] : [TgtNotes.set(.bstype, of: store.name, type)]
    return identified(store, origin) + note
  }

  private func identified(_ store: StoreSpecification, _ origin: StoreOrigin) -> [Change] {
    var store = store
    store.naa = TgtIdentity.naa(TgtIdentity.scsiID(tid: origin.tid, lun: origin.lun))
    store.serial = TgtIdentity.serial(tid: origin.tid, lun: origin.lun)
    store.vendor = TgtIdentity.vendor
    store.product = TgtIdentity.product
    return [.addStore(store), TgtNotes.set(.origin, of: store.name, origin.text)]
  }

  // MARK: Removing

  /// tgt takes a LUN away from whoever sees it, as long as no command runs; here those that run end
  /// first.
  private func deleteLogicalUnit() async throws(TgtFailure) {
    let state = try await state()
    let found: TargetResource?
    do throws(TgtFailure) { found = try state.target(request.tid) } catch { found = nil }
    guard let target = found else { throw .noLogicalUnit }
    guard let lun = target.lun(request.lun) else {
      throw request.lun == 0 ? .invalidRequest() : .noLogicalUnit
    }
    let removal =
      state.offlineUnit(target, lun.lun)?.erasure
      ?? .removeLUN(Change.LUNName(target: target.name, lun: lun.lun))
    let store = state.removal(ofStore: lun.store) {
      $0 == PresentationResource(target: target.name, lun: lun.lun)
    }
    try await change([removal] + store, force: true, inUse: .logicalUnitActive)
  }

  // MARK: Changing

  private func updateLogicalUnit() async throws(TgtFailure) {
    let state = try await state()
    let target = try state.target(request.tid)
    guard let lun = target.lun(request.lun) else {
      guard request.lun == 0 else { throw .noLogicalUnit }
      return remark("the controller, LUN 0, stays as it is")
    }
    guard let store = state.stores[lun.store] else { throw .noLogicalUnit }
    if request.blockSize != nil || request.backingStoreFlags != nil {
      remark("block size and open flags are chosen with --op new")
    }
    let update = try StoreUpdate(request.parameters ?? "", of: store)
    for sentence in update.remarks { remark(sentence) }
    // Initiators know a unit by its identity: it is closed and opened again.
    try await change(
      update.changes + presence(update.isOnline, lun, of: target, state), force: true,
      inUse: .logicalUnitActive)
  }

  /// Nobody sees a unit that is offline. Its number stays taken.
  private func presence(
    _ isOnline: Bool?, _ lun: LUNResource, of target: TargetResource, _ state: TgtState
  ) -> [Change] {
    let offline = state.offlineUnit(target, lun.lun)
    switch (isOnline, offline) {
    case (false, nil):
      return [
        .removeLUN(Change.LUNName(target: target.name, lun: lun.lun)),
        OfflineUnit(target: target.name, lun).note,
      ]
    case (true, let offline?):
      let specification = LUNSpecification(
        lun: lun.lun, store: lun.store, readOnly: lun.readOnly ? true : nil)
      return [
        .addLUN(Change.LUNAddition(target: target.name, specification)), offline.erasure,
      ]
    default: return []
    }
  }
}

extension TgtCache.Flags {
  /// None given is none wanted.
  fileprivate init?(given text: String?) {
    guard let text else {
      self.init()
      return
    }
    self.init(text)
  }
}
