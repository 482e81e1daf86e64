internal import Reactor

/// The identities of all stores that were ever served under one of ours, by name, in the file
/// `identities`:
///
///     swift-tgtd identities 2
///     6020c1f0a2d45b7e8c9d001122334455 quorum1 %2Fsrv%2Fquorum.img
///     checksum 1b2c3d4e
///
/// In the order in which they came. The last word is the path of the medium that was served so
/// last, if there is one; identities 1 had none.
///
/// A name that leaves the configuration keeps its line: should it return, it is the same disk. Of
/// such names the oldest are forgotten when there are more than `formerCountMax`, but never one of
/// which there is a record. Stores that have all of their identity from the configuration are in it
/// too, as having been served.
///
/// A file that cannot be read as it was written stops the start: new identities would be other
/// disks to every initiator. One that is missing is the first start, unless there are records of
/// logical units, which are made for identities only: then it was lost, and no new ones are given
/// out either.
struct IdentityRegistry: Sendable {
  private static let header = "swift-tgtd identities 2"
  private static let formerHeader = "swift-tgtd identities 1"
  /// What is saved; more than that is read, for no file that was saved may stop a start.
  private static let savedBytesMax = 64 << 20
  private static let bytesMax = 2 * savedBytesMax
  /// Names that are not configured any more.
  static let formerCountMax = 16_384

  private let state: StateDirectory
  private var identities: [String: GeneratedIdentity]
  /// The names, as they are in the file.
  private var order: [String]
  /// Paths of media, encoded, by the names under which they were served last. Each is there once.
  private var media: [String: String] = [:]
  /// The same the other way round.
  private var mediumNames: [String: String] = [:]
  private var hasUnsavedMedia = false
  private var isSaved: Bool
  /// The path of a record that says that there were identities before; nil: there is none, or they
  /// are not lost.
  private let orphan: String?

  static func load(_ state: StateDirectory) throws(DaemonError) -> IdentityRegistry {
    let path = state.identities
    let content: [UInt8]?
    do throws(SystemError) {
      content = try KernelFileSystem().stableContent(of: path, bytesMax: bytesMax)
    } catch {
      throw damaged(path, "cannot be read: \(error)")
    }
    guard let content else {
      return IdentityRegistry(
        state: state, identities: [:], order: [], isSaved: false, orphan: try state.anyRecord())
    }
    guard let lines = parse(content) else { throw damaged(path, "is damaged") }
    var registry = IdentityRegistry(
      state: state,
      identities: Dictionary(uniqueKeysWithValues: lines.map { ($0.name, $0.identity) }),
      order: lines.map(\.name), isSaved: true, orphan: nil)
    for line in lines { if let medium = line.medium { registry.put(medium, under: line.name) } }
    return registry
  }

  private static func damaged(_ path: String, _ what: String) -> DaemonError {
    DaemonError(
      .inputOutput,
      "\(path) \(what). It holds the identifiers by which initiators know their disks. Restore it "
        + "from a backup; or give every store its former identifier with \"naa\" and \"serial\" in the "
        + "configuration, then move the file away")
  }

  /// The identities of `names`; those it does not know are made and saved first, if there is no
  /// sign that there were others. From then on the file says that identities were given out, to
  /// whomever. `others` are noted as served, and need no identity; of the names in `alive` none is
  /// forgotten, and without it none at all. `isTrial`: what is new is made up, and not kept.
  mutating func identities(
    of names: [String], noting others: [String] = [], alive: Set<String>? = nil,
    isTrial: Bool = false
  ) throws(DaemonError) -> [String: GeneratedIdentity] {
    let unknown = unknown(among: names)
    if let orphan, !unknown.isEmpty { throw lost(unknown, orphan) }
    let new = unknown + self.unknown(among: others)
    var changed = self
    for name in new { changed.add(StateName.encoded(name)) }
    if !isTrial, !new.isEmpty || !isSaved {
      if let alive { try changed.forget(allBut: alive.union(names).union(others)) }
      try changed.save()
      self = changed
    }
    return Dictionary(
      names.compactMap { name in changed.identities[StateName.encoded(name)].map { (name, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// Takes back what was added for these names, for a change that is not made: nobody was served
  /// under it. Counts at once, also where it cannot be saved; the next identity saves it then.
  mutating func withdraw(_ names: [String]) throws(DaemonError) {
    // Without the file nothing was added; and one that is lost is not to be made up.
    guard isSaved else { return }
    for name in names { drop(StateName.encoded(name)) }
    order.removeAll { identities[$0] == nil }
    // Not `isSaved`: who is on record already must not depend on the disk of the state.
    hasUnsavedMedia = true
    try save()
  }

  /// Those that no identity is on record of.
  func unknown(among names: [String]) -> [String] {
    names.filter { identities[StateName.encoded($0)] == nil }
  }

  /// The one that a store of that name gets, if there is one for it.
  func identity(of name: String) -> GeneratedIdentity? { identities[StateName.encoded(name)] }

  /// Whether a store of that name was served before. Where that is not known any more, all were.
  func hasServed(_ name: String) -> Bool {
    orphan != nil || identities[StateName.encoded(name)] != nil
  }

  /// Whether the medium at that path was served before, under whatever name. Of a store that was
  /// served before, and not known where, it is taken to be.
  func hasServed(_ name: String, at path: String) -> Bool {
    let (word, medium) = (StateName.encoded(name), StateName.word(path))
    return orphan != nil || media.values.contains(medium)
      || (identities[word] != nil && media[word] == nil)
  }

  // MARK: Media

  /// A store whose medium was another disk to its initiators.
  struct Renaming: Equatable {
    let store: String
    let former: String
    let identity: GeneratedIdentity
  }

  /// Those of the stores, with the paths of their media, that were served last under names that no
  /// store has any more.
  func renamings(_ stores: [String: String], configured: Set<String>) -> [Renaming] {
    let names = Set(configured.map { StateName.encoded($0) })
    return stores.sorted { $0.key < $1.key }.compactMap { store, path in
      guard let former = mediumNames[StateName.word(path)], !names.contains(former),
        let identity = identities[former]
      else { return nil }
      return Renaming(
        store: store, former: StateName.name(ofWord: former) ?? former, identity: identity)
    }
  }

  /// The media, paths by names, are served so from here on, and under no other names. Whether that
  /// is new, and so to be saved: by `saveMedia`, or with the next identity.
  mutating func note(_ stores: [String: String]) -> Bool {
    for (store, path) in stores {
      let (name, medium) = (StateName.encoded(store), StateName.word(path))
      guard identities[name] != nil, media[name] != medium else { continue }
      put(medium, under: name)
      hasUnsavedMedia = true
    }
    return hasUnsavedMedia
  }

  /// Saves which media are served, unless that was done. What fails is not tried again before more
  /// is new.
  mutating func saveMedia() throws(DaemonError) {
    guard hasUnsavedMedia else { return }
    hasUnsavedMedia = false
    try save()
  }

  private mutating func put(_ medium: String, under name: String) {
    if let former = mediumNames.updateValue(name, forKey: medium) { media[former] = nil }
    if let other = media.updateValue(medium, forKey: name) { mediumNames[other] = nil }
  }

  private mutating func add(_ word: String) {
    guard identities.updateValue(.random(), forKey: word) == nil else { return }
    order.append(word)
  }

  /// The oldest of those that nobody needs, as many as there are too many.
  private mutating func forget(allBut alive: Set<String>) throws(DaemonError) {
    let alive = Set(alive.map { StateName.encoded($0) })
    let former = order.filter { !alive.contains($0) }
    // By a quarter at once: to find out which have records takes a look into all of them.
    guard former.count > Self.formerCountMax else { return }
    let records = try state.recordNames()
    let excess = former.count - Self.formerCountMax * 3 / 4
    let unrecorded = former.lazy.filter { [identities] word in
      identities[word].map { !records.contains($0.hexadecimal) } ?? true
    }
    for word in Array(unrecorded.prefix(excess)) { drop(word) }
    order.removeAll { identities[$0] == nil }
  }

  /// All but its place in the order.
  private mutating func drop(_ word: String) {
    identities[word] = nil
    if let medium = media.removeValue(forKey: word) { mediumNames[medium] = nil }
  }

  private func lost(_ names: [String], _ orphan: String) -> DaemonError {
    let stores = names.map { "\"\($0)\"" }.joined(separator: ", ")
    let directories = state.recordDirectories.joined(separator: ", ")
    return DaemonError(
      .inputOutput,
      "\(state.identities) is missing, but \(orphan) is there, so stores were served before: the file "
        + "held the identifiers by which initiators know their disks, and under new ones these stores "
        + "would be other disks, without their reservations: \(stores). Restore it from a backup; or "
        + "give each of them its former identifier with \"naa\" and \"serial\" in the configuration, "
        + "for good (the files in \(directories) are each named by the \"naa\" of the store on their "
        + "line \"store\"; unless configured, \"serial\" was its last 16 digits); or to start anew "
        + "with other disks: make sure that every fenced node is off, and move all files in these "
        + "directories away")
  }

  private mutating func save() throws(DaemonError) {
    let content = content
    guard content.count <= Self.savedBytesMax else {
      throw DaemonError(
        .configuration,
        "\(state.identities) would have more than \(Self.savedBytesMax >> 20) MiB: it keeps the "
          + "names of all stores, and the paths of their media; configure fewer, or shorter ones")
    }
    do throws(StateFile.ReplaceError) {
      try StateFile.replace("identities", in: state.path, with: content)
      isSaved = true
      hasUnsavedMedia = false
    } catch {
      // Which of the two it holds now matters to nobody: no store was served yet under an identity
      // that is new, and the paths are for warnings alone.
      throw DaemonError(.inputOutput, "cannot save \(state.identities): \(error.cause)")
    }
  }

  private var content: [UInt8] {
    var text = IdentityRegistry.header + "\n"
    for name in order {
      guard let identity = identities[name] else { continue }
      text += identity.hexadecimal
      text += " "
      text += name
      if let medium = media[name] {
        text += " "
        text += medium
      }
      text += "\n"
    }
    return ChecksummedText(text).content(.crc32c)
  }

  private struct Line {
    let name: String
    let identity: GeneratedIdentity
    let medium: String?
  }

  private static func parse(_ content: [UInt8]) -> [Line]? {
    guard let text = ChecksummedText(content: content, .crc32c) else { return nil }
    var lines = text.lines[...]
    let first = lines.popFirst()
    guard first == Substring(header) || first == Substring(formerHeader) else { return nil }
    var found: [Line] = []
    var names: Set<Substring> = []
    for line in lines {
      let words = line.split(separator: " ")
      guard words.count == 2 || words.count == 3,
        let identity = GeneratedIdentity(hexadecimal: words[0]),
        names.insert(words[1]).inserted
      else { return nil }
      found.append(
        Line(
          name: String(words[1]), identity: identity,
          medium: words.count == 3 ? String(words[2]) : nil))
    }
    return found
  }
}
