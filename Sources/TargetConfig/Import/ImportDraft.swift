/// A configuration in the making. What is added is judged by the rules of our own file; what breaks
/// one is left out with a note, so that the text loads whatever the source said.
struct ImportDraft {
  let fileName: String
  let format: ImportFormat
  private(set) var notes: [ImportNote] = []
  var stores: [TargetConfiguration.Store] = []
  var targets: [DraftTarget] = []
  var withheld: [WithheldAccess] = []
  var portals: [TargetConfiguration.Portal] = []
  /// Groups of portals whose numbers the source knows.
  var knownGroups: [Endpoint: UInt16] = [:]
  /// Whether a secret stands in a file of its own.
  var hasSecretFiles = false
  var discovery = TargetConfiguration.Discovery()
  /// A configuration of ours as a whole: nothing is left to settle.
  private(set) var isOwn = false

  private var namesTaken: [String: Int] = [:]
  private var storeOfPath: [String: String] = [:]
  private var storeOfNAA: [NAAIdentifier: String] = [:]
  private var storeOfSerial: [String: String] = [:]
  private var targetLines: [String: ImportPlace] = [:]

  init(fileName: String, format: ImportFormat) {
    self.fileName = fileName
    self.format = format
  }

  /// Secrets may stand in files that cannot be read here.
  mutating func take(_ own: TargetConfiguration) {
    portals = own.portals
    stores = own.stores
    targets = own.targets.map { DraftTarget(target: $0, endpoints: nil, place: place(nil)) }
    discovery = own.discovery
    hasSecretFiles = true
    isOwn = true
  }

  // MARK: Notes

  func place(_ line: Int?) -> ImportPlace { ImportPlace(file: fileName, line: line) }

  mutating func note(_ place: ImportPlace, _ sentence: String) {
    notes.append(ImportNote(file: place.file, line: place.line, sentence: sentence))
  }

  /// About the file as a whole.
  mutating func note(_ sentence: String) { note(place(nil), sentence) }

  mutating func take(_ more: [ImportNote]) { notes += more }

  /// General ones first, then by line, one file after the other as they came up.
  var orderedNotes: [ImportNote] {
    var ranks = [fileName: 0]
    for note in notes where ranks[note.file] == nil { ranks[note.file] = ranks.count }
    return notes.enumerated().sorted { a, b in
      let left = (ranks[a.element.file] ?? 0, a.element.line ?? 0, a.offset)
      let right = (ranks[b.element.file] ?? 0, b.element.line ?? 0, b.offset)
      return left < right
    }.map(\.element)
  }
}

/// What a source says about a logical unit, in its own words.
struct StoreWish {
  /// Made a store name of, and unique.
  var name: String
  var medium: TargetConfiguration.Medium
  var sizeBytes: UInt64?
  var blockSize: Int?
  var physicalBlockSize: Int?
  /// nil: as the medium has it.
  var cache: TargetConfiguration.CacheMode?
  var discard = TargetConfiguration.DiscardMode.unmap
  var readOnly = false
  var naa: String?
  var serial: String?
  var vendor: String?
  var product: String?
  /// As `TargetConfiguration.Store` has them.
  var removable = false
  var rotationRate: UInt16?

  init(name: String, medium: TargetConfiguration.Medium) {
    self.name = name
    self.medium = medium
  }
}

// MARK: Stores

extension ImportDraft {
  /// The name of the store, or nil when the LUN has to be left out, which a note then says.
  mutating func add(_ wish: StoreWish, _ place: ImportPlace) -> String? {
    guard let medium = located(wish, place) else { return nil }
    if let path = medium.path, let owner = storeOfPath[path] {
      note(
        place,
        "\(path.quoted) is the medium of the store \(owner.quoted) already. Here a medium is one "
          + "logical unit, whose identity and settings stand with the first: initiators that knew "
          + "it under this one's identity see another disk")
      return owner
    }
    var store = TargetConfiguration.Store(name: "", medium: medium)
    guard setLayout(&store, wish, place) else { return nil }
    store.name = uniqueName(wish.name)
    if let cache = wish.cache, medium.path != nil { store.cache = cache }
    store.discard = wish.discard
    store.readOnly = wish.readOnly
    setIdentity(&store, wish, place)
    if let path = medium.path { storeOfPath[path] = store.name }
    stores.append(store)
    return store.name
  }

  /// The medium with its path made plain; a file in /dev is a device.
  private mutating func located(
    _ wish: StoreWish, _ place: ImportPlace
  ) -> TargetConfiguration.Medium? {
    guard let given = wish.medium.path else { return wish.medium }
    guard given.hasPrefix("/") else {
      note(
        place,
        "\(given.quoted) is no absolute path, so it does not say where the blocks are: the LUN is "
          + "left out; add a store with the whole path")
      return nil
    }
    if let problem = TextFormat.path.problem(in: given) {
      note(place, "the path \(given.quoted) \(problem): the LUN is left out")
      return nil
    }
    let path = FilePath.resolve(given, against: "/")
    let isDevice = path.hasPrefix("/dev/") && !path.hasPrefix("/dev/shm/")
    return wish.medium.isBlock || isDevice ? .block(path: path) : .file(path: path)
  }

  private mutating func setLayout(
    _ store: inout TargetConfiguration.Store, _ wish: StoreWish, _ place: ImportPlace
  ) -> Bool {
    if let size = wish.blockSize {
      guard size == 512 || size == 4096 else {
        note(
          place,
          "the block size \(size) is not possible here (512 or 4096), and with another one "
            + "initiators cannot read the content: the LUN is left out")
        return false
      }
      store.blockSize = size
    }
    let block = store.blockSize ?? 512
    if let physical = wish.physicalBlockSize, physical != max(block, 4096) {
      if [512, 4096, 8192, 16384, 32768, 65536].contains(physical), physical >= block {
        store.physicalBlockSize = physical
      } else {
        note(place, "the physical block size \(physical) is not possible here: left out")
      }
    }
    guard store.medium.path == nil else { return true }
    let size = wish.sizeBytes ?? 0
    guard size >= UInt64(block), size <= ByteSize.bytesMax, size % UInt64(block) == 0 else {
      note(
        place,
        "a \(store.medium.keyword) store needs a size of whole blocks: the LUN is left out")
      return false
    }
    store.sizeBytes = size
    return true
  }

  private mutating func setIdentity(
    _ store: inout TargetConfiguration.Store, _ wish: StoreWish, _ place: ImportPlace
  ) {
    if let text = wish.naa {
      if let naa = NAAIdentifier(text) {
        if let owner = storeOfNAA[naa] {
          note(
            place,
            "the WWID \(naa) is also that of the store \(owner.quoted), and initiators would take "
              + "both for one disk: a new one is made for \(store.name.quoted)")
        } else {
          storeOfNAA[naa] = store.name
          store.naa = naa
        }
      } else {
        note(
          place,
          "the identifier \(text.quoted) is not one of 32 hexadecimal digits that begin with 6: "
            + "a new WWID is made, so initiators see \(store.name.quoted) as a new disk")
      }
    }
    if let serial = kept(wish.serial, .serial, "the serial number", place) {
      if let owner = storeOfSerial[serial] {
        note(
          place,
          "the serial number \(serial.quoted) is also that of the store \(owner.quoted): a new "
            + "one is made for \(store.name.quoted)")
      } else {
        storeOfSerial[serial] = store.name
        store.serial = serial
      }
    }
    store.removable = wish.removable
    store.rotationRate = wish.rotationRate
    store.vendor = kept(wish.vendor, .vendor, "the vendor", place) ?? store.vendor
    store.product = kept(wish.product, .product, "the product", place) ?? store.product
  }

  private mutating func kept(
    _ text: String?, _ format: TextFormat, _ what: String, _ place: ImportPlace
  ) -> String? {
    guard let text else { return nil }
    guard let problem = format.problem(in: text) else { return text }
    note(place, "\(what) \(text.quoted) \(problem): not kept")
    return nil
  }

  /// A store name like `wish` that is still free.
  private mutating func uniqueName(_ wish: String) -> String {
    let plain = wish.utf8.prefix(48).map { byte in
      let isAllowed =
        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
        || byte == 0x2E || byte == 0x5F
      return isAllowed ? byte : 0x2D
    }
    let trimmed = plain.drop { $0 == 0x2D || $0 == 0x2E }
    let base = trimmed.isEmpty ? "disk" : String(decoding: trimmed, as: UTF8.self)
    var name = base
    while namesTaken[name] != nil {
      let count = (namesTaken[base] ?? 1) + 1
      namesTaken[base] = count
      name = "\(base)_\(count)"
    }
    namesTaken[name] = 1
    return name
  }
}

// MARK: Targets

/// A target with what only the portals of all targets together decide.
struct DraftTarget {
  var target: TargetConfiguration.Target
  /// Where it is reached; nil: everywhere.
  var endpoints: [Endpoint]?
  var place: ImportPlace
}

extension ImportDraft {
  /// Adds a target unless its name is impossible or taken.
  mutating func add(_ draft: DraftTarget) {
    var draft = draft
    let given = draft.target.name
    if let problem = TextFormat.targetName.problem(in: given) {
      note(
        draft.place,
        "the target name \(given.quoted) \(problem). The target is left out: give it another name "
          + "here and on its initiators")
      return
    }
    let name = ISCSIName.normalized(given)
    if let first = targetLines[name] {
      note(
        draft.place,
        "the target \(given.quoted) stands already in line \(first.line ?? 0): this one is left out"
      )
      return
    }
    if draft.endpoints?.isEmpty ?? false {
      note(draft.place, "the target \(given.quoted) has no portal: it is left out")
      return
    }
    targetLines[name] = draft.place
    draft.target.name = name
    limitEndpoints(&draft)
    if let alias = draft.target.alias, let problem = TextFormat.alias.problem(in: alias) {
      note(draft.place, "the alias \(problem): not kept")
      draft.target.alias = nil
    }
    targets.append(draft)
  }
}
