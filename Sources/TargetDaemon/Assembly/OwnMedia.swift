internal import BackingStore
internal import Synchronization
internal import TargetConfig

/// The daemon's own files as the disk knows them: behind links of either kind and loop devices,
/// which the paths of a configuration do not show.
///
/// They are looked up once, by the first store that is compared with them, on a thread that may
/// hang.
final class OwnMedia: Sendable {
  private struct Found: Sendable {
    /// By their paths behind all symbolic links.
    let files: OwnFiles
    let roles: [StoreIdentity: String]

    init(of loaded: LoadedConfiguration) {
      // A configuration that is a link is rewritten where it leads to.
      let file = loaded.filePath.map { OwnMedia.realPath($0) }
      files = OwnFiles(of: loaded.configuration, file: file).renamed { OwnMedia.realPath($0) }
      let found = files.roles.compactMap { path, role in
        StoreMedia.identity(of: path).map { ($0, role) }
      }
      roles = Dictionary(found, uniquingKeysWith: { first, _ in first })
    }
  }

  private let loaded: LoadedConfiguration
  private let found = Mutex<Found?>(nil)

  init(of loaded: LoadedConfiguration) { self.loaded = loaded }

  /// Refuses a path that leads to one of them, also where nothing is there yet. Before it is
  /// opened: whatever is opened may be made longer.
  func refuse(_ path: String) throws(StoreError) {
    let own = lookUp()
    let role =
      own.files.role(of: Self.realPath(path))
      ?? StoreMedia.identity(of: path).flatMap { own.roles[$0] }
    guard let role else { return }
    // By its own name it would have been refused with the configuration.
    throw StoreError(path, .reserved(OwnFiles.refusal(of: "\(role) under another name")))
  }

  private func lookUp() -> Found {
    found.withLock { found in
      if let found { return found }
      let new = Found(of: loaded)
      found = new
      return new
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
