internal import CLinux
internal import Glibc
internal import Reactor

/// A descriptor of this process, closed with its owner. Plain blocking calls, for start-up and helper
/// threads.
struct StateDescriptor: ~Copyable {
  let rawValue: Int32

  private init(rawValue: Int32) { self.rawValue = rawValue }

  deinit { close(rawValue) }

  static func open(
    _ path: String, _ flags: Int32, mode: mode_t = 0
  ) throws(SystemError) -> StateDescriptor {
    while true {
      let descriptor = unsafe clinux_open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode)
      if descriptor >= 0 { return StateDescriptor(rawValue: descriptor) }
      let error = SystemError.last
      guard error == .interrupted else { throw error }
    }
  }

  /// Everything, at most `bytesMax` bytes; more than that throws `.invalidArgument`.
  func read(bytesMax: Int) throws(SystemError) -> [UInt8] {
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe Glibc.read(rawValue, &chunk, chunk.count)
      guard count >= 0 else {
        let error = SystemError.last
        guard error == .interrupted else { throw error }
        continue
      }
      guard count > 0 else { return content }
      content += chunk.prefix(count)
      guard content.count <= bytesMax else { throw .invalidArgument }
    }
  }

  func write(_ content: [UInt8]) throws(SystemError) {
    var rest = content[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(rawValue, $0.baseAddress, $0.count)
      }
      guard count < 0 else {
        // No kernel writes nothing of something; to ask it for ever would be worse than to say so.
        guard count > 0 else { throw .inputOutput }
        rest = rest.dropFirst(count)
        continue
      }
      let error = SystemError.last
      guard error == .interrupted else { throw error }
    }
  }

  func synchronize() throws(SystemError) {
    guard fsync(rawValue) == 0 else { throw .last }
  }
}

/// Files that are old or new after a crash, never torn.
enum StateFile {
  /// Why a file was not replaced.
  enum ReplaceError: Error, Equatable {
    /// It holds what it held before.
    case unchanged(SystemError)
    /// It may hold the one or the other, and after a loss of power the one again or the other.
    case uncertain(SystemError)

    var cause: SystemError {
      switch self {
      case .unchanged(let error), .uncertain(let error): error
      }
    }
  }

  /// Replaces the content of `directory`/`name`: a new file (0600), fsync, rename, and fsync of the
  /// directory, in this order.
  static func replace(
    _ name: String, in directory: String, with content: [UInt8],
    on fileSystem: some StateFileSystem = KernelFileSystem()
  ) throws(ReplaceError) {
    let path = "\(directory)/\(name)"
    let temporary = path + ".new"
    do throws(SystemError) {
      try make(temporary, with: content, on: fileSystem)
    } catch {
      throw .unchanged(error)
    }
    do throws(SystemError) {
      // A rename that failed may have happened all the same, on a file system behind a network.
      try fileSystem.rename(temporary, to: path)
      try fileSystem.synchronizeDirectory(directory)
    } catch {
      throw .uncertain(error)
    }
  }

  /// Removes `directory`/`name`, if it is there, to last.
  static func remove(
    _ name: String, in directory: String, on fileSystem: some StateFileSystem = KernelFileSystem()
  ) throws(ReplaceError) {
    do throws(SystemError) {
      do throws(SystemError) { try fileSystem.remove("\(directory)/\(name)") } catch {
        guard error == .noSuchFile else { throw error }
      }
      try fileSystem.synchronizeDirectory(directory)
    } catch {
      throw .uncertain(error)
    }
  }

  private static func make(
    _ path: String, with content: [UInt8], on fileSystem: some StateFileSystem
  ) throws(SystemError) {
    // One that a crash left behind; the lock of the state directory says it is nobody's.
    try? fileSystem.remove(path)
    let file = try fileSystem.create(path)
    do throws(SystemError) {
      try file.write(content)
      try file.synchronize()
    } catch {
      try? fileSystem.remove(path)
      throw error
    }
  }

  /// Nil: there is no such file. For what is never written, such as the files of /proc.
  static func content(of path: String, bytesMax: Int) throws(SystemError) -> [UInt8]? {
    do throws(SystemError) {
      return try StateDescriptor.open(path, O_RDONLY).read(bytesMax: bytesMax)
    } catch {
      guard error == .noSuchFile else { throw error }
      return nil
    }
  }

  static func synchronizeDirectory(_ path: String) throws(SystemError) {
    try KernelFileSystem().synchronizeDirectory(path)
  }

  /// A name of the configuration as a file name or a word: everything but letters, digits, "-" and
  /// "_" as %XX, so that distinct names stay distinct and none is a path.
  static func encoded(_ name: String) -> String {
    name.utf8.map(encoded).joined()
  }

  static func encoded(_ byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      String(Unicode.Scalar(byte))
    default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }

  /// Leaves room for suffixes within the 255 bytes of a file name.
  static let nameBytesMax = 200

  /// `encoded`, shortened where it is too long for a file name; "%%" occurs in no other.
  static func fileName(of name: String) -> String {
    let text = encoded(name)
    guard text.utf8.count > nameBytesMax else { return text }
    return text.prefix(nameBytesMax) + "%%" + ChecksummedText.crc32c(name)
  }
}
