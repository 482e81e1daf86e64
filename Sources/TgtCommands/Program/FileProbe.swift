internal import Glibc
internal import TargetConfig

/// What a path leads to.
enum FileKind: Sendable, Equatable {
  case regular, blockDevice, other, missing
}

/// The files of this machine, as far as these programs look at them.
protocol FileProbe: Sendable {
  func kind(of path: String) -> FileKind
  /// Somebody mounts it, swaps on it or made a part of something bigger of it.
  func isHeldBySystem(_ path: String) -> Bool
  /// From the current directory, where it does not begin at the root.
  func absolute(_ path: String) -> String
  var hostName: String { get }
  var isRoot: Bool { get }
}

struct LocalFiles: FileProbe {
  func kind(of path: String) -> FileKind {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return .missing }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: .regular
    case S_IFBLK: .blockDevice
    default: .other
    }
  }

  /// O_EXCL without O_CREAT: of block devices only (open(2)).
  func isHeldBySystem(_ path: String) -> Bool {
    guard kind(of: path) == .blockDevice else { return false }
    let descriptor = unsafe open(path, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return errno == EBUSY }
    close(descriptor)
    return false
  }

  func absolute(_ path: String) -> String {
    FilePath.resolve(path, against: FilePath.currentDirectory())
  }

  var hostName: String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  var isRoot: Bool { geteuid() == 0 }
}
