internal import Reactor

/// The identities of all stores that were ever served, by name, in the file `identities`:
///
///     swift-tgtd identities 1
///     6020c1f0a2d45b7e8c9d001122334455 quorum1
///     checksum 1b2c3d4e
///
/// A name that leaves the configuration keeps its line: should it return, it is the same disk. A file
/// that cannot be read as it was written stops the start: new identities would be other disks to
/// every initiator.
struct IdentityRegistry: Sendable {
  private static let fileName = "identities"
  private static let header = "swift-tgtd identities 1"
  private static let bytesMax = 16 << 20

  private let directory: String
  private var identities: [String: GeneratedIdentity]

  static func load(_ state: StateDirectory) throws(DaemonError) -> IdentityRegistry {
    let path = "\(state.path)/\(fileName)"
    let content: [UInt8]?
    do throws(SystemError) {
      content = try KernelFileSystem().stableContent(of: path, bytesMax: bytesMax)
    } catch {
      throw damaged(path, "cannot be read: \(error)")
    }
    guard let content else { return IdentityRegistry(directory: state.path, identities: [:]) }
    guard let identities = parse(content) else { throw damaged(path, "is damaged") }
    return IdentityRegistry(directory: state.path, identities: identities)
  }

  private static func damaged(_ path: String, _ what: String) -> DaemonError {
    DaemonError(
      .inputOutput,
      "\(path) \(what). It holds the identifiers by which initiators know their disks. Restore it "
        + "from a backup; or give every store its former identifier with \"naa\" and \"serial\" in the "
        + "configuration, then move the file away")
  }

  /// The identities of `names`; those it does not know are made and saved first.
  mutating func identities(
    of names: [String]
  ) throws(DaemonError) -> [String: GeneratedIdentity] {
    let unknown = names.filter { identities[StateFile.encoded($0)] == nil }
    for name in unknown { identities[StateFile.encoded(name)] = .random() }
    if !unknown.isEmpty { try save() }
    return Dictionary(
      names.compactMap { name in identities[StateFile.encoded(name)].map { (name, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  private func save() throws(DaemonError) {
    do throws(StateFile.ReplaceError) {
      try StateFile.replace(IdentityRegistry.fileName, in: directory, with: content)
    } catch {
      // Which of the two it holds now matters to nobody: no store was served under a new identity.
      throw DaemonError(
        .inputOutput, "cannot save \(directory)/\(IdentityRegistry.fileName): \(error.cause)")
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
