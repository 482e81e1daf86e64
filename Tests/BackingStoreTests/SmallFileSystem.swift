import Glibc

/// A file system of 1 MiB, for as long as it is held.
final class SmallFileSystem {
  let path: String

  init?(_ path: String) {
    guard mkdir(path, 0o700) == 0 else { return nil }
    guard mount("tmpfs", path, "tmpfs", 0, "size=1m") == 0 else {
      rmdir(path)
      return nil
    }
    self.path = path
  }

  deinit {
    umount2(path, Int32(MNT_DETACH))
    rmdir(path)
  }

  static let isPossible: Bool = {
    guard let scratch = try? Scratch() else { return false }
    return SmallFileSystem(scratch("probe")) != nil
  }()
}
