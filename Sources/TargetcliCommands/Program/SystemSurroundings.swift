internal import CConsole
internal import CommandSupport
internal import FoundationEssentials
internal import Glibc
internal import TargetConfig

/// The descriptors and files of the process.
final class SystemSurroundings: Surroundings {
  private let wantsColors: Bool
  let isInteractive = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1

  init(environment: [String: String]) {
    let isAsked = environment["NO_COLOR"]?.isEmpty ?? true
    wantsColors = isAsked && environment["TERM"] != "dumb"
    Descriptor.outliveReaders()
  }

  // MARK: The terminal

  func write(_ text: String) { Descriptor.write(text, to: STDOUT_FILENO) }
  func complain(_ text: String) { Descriptor.write(text, to: STDERR_FILENO) }

  func readLine(prompt: String) -> String? {
    isInteractive ? LineEditor.read(prompt: prompt) : Swift.readLine(strippingNewline: true)
  }

  var hasColors: Bool { wantsColors && isatty(STDOUT_FILENO) == 1 }

  var columns: Int? {
    let columns = Int(cconsole_terminal_columns(STDOUT_FILENO))
    return columns > 0 ? columns : nil
  }

  // MARK: The machine

  var hostName: String {
    let text = (try? BoundedFile.read("/proc/sys/kernel/hostname", byteCountMax: 4096))?.bytes
    return text.map { String(decoding: $0.prefix { $0 > 0x20 }, as: UTF8.self) } ?? "localhost"
  }

  var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "aarch64"
    #else
      "unknown"
    #endif
  }

  var currentDirectory: String { FilePath.currentDirectory() }

  func randomDigits(_ count: Int) -> String {
    String((0..<count).map { _ in Character(String(UInt8.random(in: 0..<16), radix: 16)) })
  }

  // MARK: Files

  func text(of path: String) throws(ExecutionError) -> String? {
    guard kind(of: path) != nil else { return nil }
    do throws(BoundedFile.ReadError) {
      let file = try BoundedFile.read(path, byteCountMax: ConfigurationImport.byteCountMax)
      return String(decoding: file.bytes, as: UTF8.self)
    } catch {
      throw ExecutionError("\(path) \(error.sentence)")
    }
  }

  func replace(_ path: String, by text: String) throws(ExecutionError) {
    let temporary = "\(path).\(getpid())"
    let directory = path.split(separator: "/").dropLast().joined(separator: "/")
    if kind(of: "/" + directory) == nil {
      try? FileManager.default.createDirectory(
        atPath: "/" + directory, withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    }
    remove(temporary)
    do throws(ConfigurationError) {
      try NewFile.create(temporary, text: text)
    } catch {
      throw ExecutionError("\(error)")
    }
    guard unsafe rename(temporary, path) == 0 else {
      let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? ""
      remove(temporary)
      throw ExecutionError("\(path) cannot be written: \(reason)")
    }
  }

  func remove(_ path: String) { unsafe _ = unlink(path) }

  func kind(of path: String) -> FileKind? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return switch status.st_mode & S_IFMT {
    case S_IFREG: .file(bytes: UInt64(clamping: status.st_size))
    case S_IFBLK: .device
    case S_IFDIR: .directory
    default: .other
    }
  }
}
