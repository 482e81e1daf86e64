internal import Reactor

/// The identities of all stores that were ever served under one of ours, by name, in the file
/// `identities`:
///
///     swift-tgtd identities 1
///     6020c1f0a2d45b7e8c9d001122334455 quorum1
///     checksum 1b2c3d4e
///
/// A name that leaves the configuration keeps its line: should it return, it is the same disk. A
/// file that cannot be read as it was written stops the start: new identities would be other disks
/// to every initiator. One that is missing is the first start, unless there are records of logical
/// units, which are made for identities only: then it was lost, and no new ones are given out
/// either.
struct IdentityRegistry: Sendable {
  private static let header = "swift-tgtd identities 1"
  private static let bytesMax = 16 << 20

  private let state: StateDirectory
  private var identities: [String: GeneratedIdentity]
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
        state: state, identities: [:], isSaved: false, orphan: try state.anyRecord())
    }
    guard let identities = parse(content) else { throw damaged(path, "is damaged") }
    return IdentityRegistry(state: state, identities: identities, isSaved: true, orphan: nil)
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
  /// whomever.
  mutating func identities(
    of names: [String]
  ) throws(DaemonError) -> [String: GeneratedIdentity] {
    let unknown = names.filter { identities[StateName.encoded($0)] == nil }
    if let orphan, !unknown.isEmpty { throw lost(unknown, orphan) }
    for name in unknown { identities[StateName.encoded(name)] = .random() }
    if !unknown.isEmpty || !isSaved { try save() }
    return Dictionary(
      names.compactMap { name in identities[StateName.encoded(name)].map { (name, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// Whether a store of that name was ever served under one of our identities.
  func knows(_ name: String) -> Bool { identities[StateName.encoded(name)] != nil }

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
    do throws(StateFile.ReplaceError) {
      try StateFile.replace("identities", in: state.path, with: content)
      isSaved = true
    } catch {
      // Which of the two it holds now matters to nobody: no store was served under a new identity.
      throw DaemonError(.inputOutput, "cannot save \(state.identities): \(error.cause)")
    }
  }

  private var content: [UInt8] {
    var text = IdentityRegistry.header + "\n"
    for (name, identity) in identities.sorted(by: { $0.key < $1.key }) {
      text += "\(identity.hexadecimal) \(name)\n"
    }
    return ChecksummedText(text).content(.crc32c)
  }

  private static func parse(_ content: [UInt8]) -> [String: GeneratedIdentity]? {
    guard let text = ChecksummedText(content: content, .crc32c) else { return nil }
    var lines = text.lines[...]
    guard lines.popFirst() == Substring(header) else { return nil }
    var identities: [String: GeneratedIdentity] = [:]
    for line in lines {
      let words = line.split(separator: " ")
      guard words.count == 2, let identity = GeneratedIdentity(hexadecimal: words[0]),
        identities.updateValue(identity, forKey: String(words[1])) == nil
      else { return nil }
    }
    return identities
  }
}
