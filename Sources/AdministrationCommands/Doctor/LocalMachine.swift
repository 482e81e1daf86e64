internal import CConsole
internal import FoundationEssentials
internal import Glibc
internal import TargetConfig

/// The machine that this process runs on.
struct LocalMachine: Machine {
  /// Of a file of proc(5): tables of very many sockets are as large.
  private static let byteCountMax = 16 << 20

  func text(of path: String) -> String? {
    guard let file = try? BoundedFile.read(path, byteCountMax: Self.byteCountMax) else {
      return nil
    }
    return String(decoding: file.bytes, as: UTF8.self)
  }

  func facts(of path: String) -> FileFacts? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return FileFacts(
      isDirectory: status.st_mode & mode_t(S_IFMT) == mode_t(S_IFDIR),
      mode: Int(status.st_mode & 0o7777), owner: Int(status.st_uid),
      inode: UInt64(status.st_ino))
  }

  func links(in directory: String) -> [String]? {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
      return nil
    }
    return names.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)")
    }
  }

  func names(in directory: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
  }

  var uringRefusal: Int32 { cconsole_uring_refusal() }

  var isClockSynchronized: Bool? {
    let answer = cconsole_clock_is_synchronized()
    return answer < 0 ? nil : answer == 1
  }

  var secondsSinceEpoch: Int64 { Int64(time(nil)) }
}
