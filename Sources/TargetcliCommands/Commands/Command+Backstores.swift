internal import AdministrationModel
internal import TargetConfig

// Backstores are stores, which may be presented or not.

extension Command {
  mutating func createStore(_ plugin: Plugin, _ arguments: Arguments) async throws {
    let name = try arguments.required("name")
    if let present = state.store(name) {
      throw ExecutionError("Storage object \(present.storageObject) exists")
    }
    var store: StoreSpecification
    switch plugin {
    case .block: store = try blockStore(name, arguments)
    case .fileio: store = try fileStore(name, arguments)
    case .ramdisk: store = try memoryStore(name, arguments)
    }
    identify(&store, wwn: arguments["wwn"])
    try await commit([.addStore(store)])
    announce(store, arguments)
    try created(at: NodePath(names: ["backstores", Plugin(store.kind).rawValue, name]))
  }

  private func announce(_ store: StoreSpecification, _ arguments: Arguments) {
    switch store.kind {
    case .block: say("Created block storage object \(store.name) using \(store.path ?? "").")
    case .file:
      let size = state.store(store.name)?.sizeBytes ?? store.sizeBytes
      say("Created fileio \(store.name) with size \(size.map { "\($0)" } ?? "unknown")")
    case .memory, .null:
      say("Created ramdisk \(store.name) with size \(arguments["size"] ?? "").")
    }
  }

  /// LIO makes identity out of the serial number; so it is here, where one is given.
  private func identify(_ store: inout StoreSpecification, wwn: String?) {
    if let wwn {
      store.serial = wwn
      store.naa = LIOIdentity.naa(serial: wwn)
    }
    if preferences.isSet("export_backstore_name_as_model") {
      store.product = String(decoding: store.name.utf8.prefix(16), as: UTF8.self)
    }
  }

  private func blockStore(
    _ name: String, _ arguments: Arguments
  ) throws(ExecutionError) -> StoreSpecification {
    let device = absolute(try arguments.required("dev"))
    if case .file = surroundings.kind(of: device) {
      throw ExecutionError(
        "Device is not a TYPE_DISK block device: create \(device) in /backstores/fileio.")
    }
    var store = StoreSpecification(name: name, kind: .block, path: device)
    store.readOnly = try arguments.boolean("readonly")
    if let isWriteBack = try arguments.boolean("write_back") {
      store.cache = isWriteBack ? "none" : "directsync"
    }
    if try arguments.boolean("exclusive") == false {
      remark("Note: exclusive=false: a device that something else has open is refused here.")
    }
    return store
  }

  private func fileStore(
    _ name: String, _ arguments: Arguments
  ) throws(ExecutionError) -> StoreSpecification {
    let path = absolute(try arguments.required("file_or_dev"))
    let size = try arguments["size"].map { text throws(ExecutionError) in
      try ByteCount.parse(text)
    }
    if try arguments.boolean("sparse") == false {
      remark("Note: sparse=false: a new file is sparse here; fallocate(1) reserves its room.")
    }
    var store = StoreSpecification(name: name, kind: .file, path: path)
    switch surroundings.kind(of: path) {
    case .device:
      if size != nil { say("Block device, size parameter ignored") }
      remark("Note: a device becomes a block backstore: /backstores/block/\(name)")
      store.kind = .block
      return store
    case .file(let bytes):
      if size != nil { say("\(path) exists, using its size (\(bytes) bytes) instead") }
    case .directory, .other:
      throw ExecutionError("Path \(path) exists but is not a file")
    case nil:
      guard let size else {
        throw ExecutionError("Attempting to create file for new fileio backstore, need a size")
      }
      store.sizeBytes = size
    }
    if let isWriteBack = try arguments.boolean("write_back") {
      store.cache = isWriteBack ? "writeback" : "writethrough"
    }
    return store
  }

  private func memoryStore(
    _ name: String, _ arguments: Arguments
  ) throws(ExecutionError) -> StoreSpecification {
    let isNull = try arguments.boolean("nullio") ?? false
    return StoreSpecification(
      name: name, kind: isNull ? .null : .memory,
      sizeBytes: try ByteCount.parse(try arguments.required("size")))
  }

  mutating func deleteStore(_ plugin: Plugin, _ arguments: Arguments) async throws {
    let name = try arguments.required("name")
    guard let store = state.store(name), store.plugin == plugin else {
      throw ExecutionError("No storage object named \(name).")
    }
    try await removeStores([store])
    say("Deleted storage object \(name).")
  }

  /// With every LUN of theirs, also those of initiators that wait.
  private mutating func removeStores(_ stores: [StoreResource]) async throws {
    var changes: [Change] = []
    for store in stores {
      for place in store.presentedBy {
        let entry = place.initiator.map { initiator in
          state.target(place.target)?.acl.first { $0.initiator == initiator }
            .map { NodeACL($0, waiting: nil).key } ?? EntryKey(initiator: initiator)
        }
        changes.append(
          .removeLUN(Change.LUNName(target: place.target, entry: entry, lun: place.lun)))
      }
      changes.append(.removeStore(Change.StoreName(store.name)))
    }
    let kept = Set(state.stores.map(\.name)).subtracting(stores.map(\.name))
    try await commit(changes, notes: state.notes.keeping(stores: kept), force: true)
  }

  /// A backstore for a LUN: by its path in the tree, else of a file or device that exists, for
  /// which one is made.
  mutating func storageObject(_ text: String) async throws -> StoreResource {
    if let store = state.storageObject(at: try session.resolvePath(text, from: path))
      ?? state.storageObject(at: NodePath(text))
    {
      return store
    }
    let wrong = ExecutionError("storage object or path not valid")
    var store: StoreSpecification
    let name = text.split(separator: "/").joined(separator: "-")
    switch surroundings.kind(of: text) {
    case .file: store = StoreSpecification(name: name, kind: .file, path: text)
    case .device: store = StoreSpecification(name: name, kind: .block, path: text)
    default: throw wrong
    }
    guard text.hasPrefix("/") else { throw wrong }
    if let present = state.stores.first(where: { $0.path == text }) { return present }
    identify(&store, wwn: nil)
    try await commit([.addStore(store)])
    say("Created storage object \(name).")
    guard let made = state.store(name) else { throw wrong }
    return made
  }
}
