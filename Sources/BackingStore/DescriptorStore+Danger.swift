internal import Glibc
internal import Reactor

/// Plain system calls, for threads that may hang with the medium; never on a reactor.
extension DescriptorStore {
  /// What has befallen the medium while the store serves; nil: nothing that can be seen. What is
  /// told by descriptor and path is compared as both say now: a file system may number files anew
  /// as long as it does so for both. Throws where neither can be told.
  ///
  /// A file that is not at its path, because its file system is not mounted there any more, is in
  /// no danger: the next start makes none in its place. Nor is a device whose node is missing.
  public func findDanger() throws(StoreError) -> MediumDanger? {
    guard readiness == .ready || readiness == .latched else { return nil }
    let before = geometry.capacityBytes
    let own = try attempting("fstat") { () throws(SystemError) in try descriptor.status() }
    let bytes = kind == .file ? own.sizeBytes : try findActualBytes()
    // Of a size that is being changed the smaller one counts.
    let presented = min(before, geometry.capacityBytes)
    if let change = try change(of: own) { return danger(change) }
    // A device that vanished has none, which is found by those who use it.
    guard bytes < presented, bytes > 0 || kind == .file else { return nil }
    return danger(.cut(to: bytes, presented: presented))
  }

  private func danger(_ change: MediumDanger.Change) -> MediumDanger {
    MediumDanger(
      kind: kind, path: path, openPath: "/proc/\(getpid())/fd/\(descriptor.rawValue)", change)
  }

  /// Of what the path leads to.
  private func change(of own: FileStatus) throws(StoreError) -> MediumDanger.Change? {
    let found = try attempting("stat") { () throws(SystemError) in
      do throws(SystemError) { return try FileStatus.of(path, followsLink: true) } catch {
        // A file has taken the place of a directory.
        guard error == .notDirectory else { throw error }
        return nil
      }
    }
    guard kind == .file else {
      return found == nil || found?.identity == own.identity ? nil : .replaced(.elsewhere)
    }
    guard let found else { return (remains(of: own) ?? hidden(own)).map { .missing($0) } }
    return found.identity == own.identity ? nil : .replaced(remains(of: own) ?? .elsewhere)
  }

  /// Nil: no name of it can be seen from here, as when its file system was unmounted.
  private func remains(of own: FileStatus) -> MediumDanger.Remains? {
    guard own.linkCount > 0 else { return .nothing }
    guard let name = descriptor.currentPath else { return nil }
    if let found = try? FileStatus.of(name, followsLink: false), found.identity == own.identity {
      return Self.isDeleted(name) ? .nothing : .path(name)
    }
    // The name by which it was opened is gone, and it has others.
    return name.hasSuffix(" (deleted)") ? .elsewhere : nil
  }

  /// Whether its file system is where it was opened, and so was not unmounted: then it was given a
  /// name that cannot be seen from here, as in a /tmp where the daemon has one of its own.
  private func hidden(_ own: FileStatus) -> MediumDanger.Remains? {
    guard let slash = path.lastIndex(of: "/"),
      let directory = try? FileStatus.of(String(path[...slash]), followsLink: true)
    else { return nil }
    return directory.identity.fileSystem == own.identity.fileSystem ? .elsewhere : nil
  }

  /// Network and user file systems rename a file that is deleted while it is open, until it is
  /// closed.
  private static func isDeleted(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return name.hasPrefix(".nfs") || name.hasPrefix(".fuse_hidden")
  }
}
