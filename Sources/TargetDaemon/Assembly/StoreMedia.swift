internal import BackingStore
internal import CLinux
internal import Glibc
internal import TargetConfig

/// What is known of the media without opening anything for writing.
enum StoreMedia {
  /// Stores that are one and the same behind links, mounts or device aliases, before the first of
  /// them is touched. What is missing is no one's double.
  static func overlaps(in loaded: LoadedConfiguration) -> [ConfigurationProblem] {
    let found = loaded.configuration.stores.compactMap { store in
      store.medium.path.flatMap { identity(of: $0) }.map { (name: store.name, identity: $0) }
    }
    return StoreOverlap.problems(among: found, in: loaded)
  }

  /// Nil: there is nothing that could be one.
  static func identity(of path: String) -> StoreIdentity? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    switch Int32(status.st_mode & mode_t(Glibc.S_IFMT)) {
    case S_IFREG:
      return .file(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    case S_IFBLK:
      return StoreIdentity.blockDevice(number: UInt64(status.st_rdev)).resolved(at: path)
    default: return nil
    }
  }

  /// Whether it is a file that is to be found elsewhere, too: by a hard link, or as a loop device.
  static func hasOtherNames(_ path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    if Int32(status.st_mode & mode_t(Glibc.S_IFMT)) == S_IFREG { return status.st_nlink > 1 }
    if case .file? = identity(of: path) { return true }
    return false
  }

  /// The size of a regular file; nil: there is none.
  static func fileBytes(of path: String) -> UInt64? {
    var status = stat()
    guard unsafe stat(path, &status) == 0, Int32(status.st_mode & mode_t(Glibc.S_IFMT)) == S_IFREG
    else { return nil }
    return UInt64(clamping: status.st_size)
  }

  static func exists(_ path: String) -> Bool {
    unsafe faccessat(AT_FDCWD, path, F_OK, 0) == 0
  }

  /// The logical sector size of a block device; nil when it does not tell.
  static func sectorBytes(of path: String) -> UInt32? {
    let descriptor = unsafe clinux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    var bytes: Int32 = 0
    guard unsafe clinux_block_logical_sector_bytes(descriptor, &bytes) == 0 else { return nil }
    return UInt32(exactly: bytes)
  }

  /// Who holds the lock of a file, as /proc/locks tells; nil when it does not, which is the case
  /// for processes of other containers.
  static func lockOwner(of path: String) -> Int32? {
    var status = stat()
    guard unsafe stat(path, &status) == 0,
      let content = try? StateFile.content(of: "/proc/locks", bytesMax: 4 << 20)
    else { return nil }
    // "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"
    let suffix = ":\(status.st_ino)"
    for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK", words[5].hasSuffix(suffix) else { continue }
      return Int32(words[4]).flatMap { $0 > 0 ? $0 : nil }
    }
    return nil
  }
}
