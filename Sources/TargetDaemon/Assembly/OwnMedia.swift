internal import BackingStore
internal import Synchronization
internal import TargetConfig

/// The daemon's own files as the disk knows them: behind links of either kind and loop devices,
/// which the paths of a configuration do not show.
///
/// They are looked up once, when the first store is compared with them. Without the disks of those
/// that the daemon writes it does not start; those of secrets may be anywhere, and are looked up on
/// a thread that may hang: where one does not answer, stores are compared with the paths of these
/// alone, as they were with the configuration, for the disk of a secret must not hold up that of a
/// store.
///
/// Those without a path of their own in the configuration, such as the records of each store, are
/// many: only a store that has several names makes them be looked up. A bind mount gives a file
/// another name without a trace, so behind one they are not seen.
final class OwnMedia: Sendable {
  private struct Found: Sendable {
    /// By their paths behind all symbolic links.
    let files: OwnFiles
    let roles: [StoreIdentity: String]
    /// Files in them may be the daemon's, too.
    let directories: [String]

    init(of loaded: LoadedConfiguration) {
      // A configuration that is a link is rewritten where it leads to.
      let file = loaded.filePath.map { OwnMedia.realPath($0) }
      files = OwnFiles(of: loaded.configuration, file: file).kept { OwnMedia.realPath($0) }
      roles = OwnMedia.identities(of: files.keptRoles)
      directories =
        [OwnMedia.realPath(loaded.configuration.stateDirectory)]
        + (file.map { [FilePath.directory(of: $0)] } ?? [])
    }

    /// What is to be found in the directories alone. Those of the state have one more level.
    func lookUpUnlisted() -> [StoreIdentity: String] {
      var unlisted: [StoreIdentity: String] = [:]
      let own = directories.flatMap { OwnMedia.paths(in: $0) }.filter { files.role(of: $0) != nil }
      for path in own + own.flatMap({ OwnMedia.paths(in: $0) }) {
        guard let role = files.role(of: path), let identity = StoreMedia.identity(of: path) else {
          continue
        }
        unlisted[identity] = role
      }
      return unlisted
    }
  }

  /// Those that people give it.
  private struct Given: Sendable {
    let paths: [String: String]
    let roles: [StoreIdentity: String]

    init(of files: OwnFiles) {
      let real = files.givenRoles.map { (OwnMedia.realPath($0.key), $0.value) }
      paths = Dictionary(real, uniquingKeysWith: { first, _ in first })
      roles = OwnMedia.identities(of: paths)
    }
  }

  /// In a directory: more than there are records of as many stores as are ever served.
  private static let pathsMax = 1 << 16

  /// Of the threads: they hang as one.
  private static let place = "files of secrets"

  private let loaded: LoadedConfiguration
  private let media: MediaThreads
  private let found = Mutex<Found?>(nil)
  /// Nil: not looked up yet; or looked up, and some do not answer.
  private let given = Mutex<Given??>(nil)
  private let unlisted = Mutex<[StoreIdentity: String]?>(nil)

  /// `media`: not those of stores, which wait for these.
  init(of loaded: LoadedConfiguration, _ media: MediaThreads) {
    self.loaded = loaded
    self.media = media
  }

  /// Refuses a path that leads to one of them, also where nothing is there yet. Before it is
  /// opened: whatever is opened may be made longer.
  func refuse(_ path: String) throws(StoreError) {
    let real = Self.realPath(path)
    let identity = StoreMedia.identity(of: path)
    guard let role = keptRole(of: path, real, identity) ?? givenRole(of: real, identity) else {
      return
    }
    // By its own name it would have been refused with the configuration.
    throw StoreError(path, .reserved(OwnFiles.refusal(of: "\(role) under another name")))
  }

  private func keptRole(of path: String, _ real: String, _ identity: StoreIdentity?) -> String? {
    let own = lookUp()
    if let role = own.files.role(of: real) { return role }
    guard let identity else { return nil }
    if let role = own.roles[identity] { return role }
    return StoreMedia.hasOtherNames(path) ? lookUpUnlisted(own)[identity] : nil
  }

  private func givenRole(of real: String, _ identity: StoreIdentity?) -> String? {
    guard let given = lookUpGiven() else { return nil }
    return given.paths[real] ?? identity.flatMap { given.roles[$0] }
  }

  private func lookUp() -> Found {
    found.withLock { found in
      if let found { return found }
      let new = Found(of: loaded)
      found = new
      return new
    }
  }

  private func lookUpGiven() -> Given? {
    given.withLock { given in
      if let given { return given }
      let files = OwnFiles(of: loaded.configuration, file: nil)
      let new: Given? =
        media.isHeldUp(at: Self.place)
        ? nil : media.ask(at: Self.place) { Given(of: files) }
      given = .some(new)
      return new
    }
  }

  private func lookUpUnlisted(_ own: Found) -> [StoreIdentity: String] {
    unlisted.withLock { unlisted in
      if let unlisted { return unlisted }
      let new = own.lookUpUnlisted()
      unlisted = new
      return new
    }
  }

  private static func identities(of roles: [String: String]) -> [StoreIdentity: String] {
    let found = roles.compactMap { path, role in StoreMedia.identity(of: path).map { ($0, role) } }
    return Dictionary(found, uniquingKeysWith: { first, _ in first })
  }

  /// Of all in it; of what is no directory, or cannot be looked into, none.
  private static func paths(in directory: String) -> [String] {
    let names = (try? StateFile.names(in: directory, countMax: pathsMax)) ?? []
    // A spare becomes a record.
    return (names + [SpareFile.name, SpareFile.formerName]).map {
      FilePath.resolve($0, against: directory)
    }
  }

  /// Behind every symbolic link; of what is not there, where it would be made.
  private static func realPath(_ path: String) -> String {
    if let found = FilePath.real(path) { return found }
    guard let name = path.split(separator: "/").last,
      let directory = FilePath.real(FilePath.directory(of: path))
    else { return path }
    return FilePath.resolve(String(name), against: directory)
  }
}
