import CLinux
import CTestSupport
import Glibc
import Logging
import Reactor
import Synchronization
import TargetConfig

@testable import TargetDaemon

/// A directory of its own for each test, gone with it.
final class Scratch: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/swift-tgtd-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw ScratchError() }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  struct ScratchError: Error {}

  deinit {
    Scratch.remove(path)
  }

  private static func remove(_ path: String) {
    if Glibc.remove(path) == 0 { return }
    guard let directory = opendir(path) else { return }
    defer {
      closedir(directory)
      rmdir(path)
    }
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { remove("\(path)/\(name)") }
    }
  }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = try FileDescriptor.openState(self(name), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    try file.write(bytes)
  }

  func read(_ name: String) throws -> [UInt8] {
    try StateFile.content(of: self(name), bytesMax: 1 << 20) ?? []
  }

  /// A configuration whose state and relative paths are here.
  func load(_ text: String) throws -> LoadedConfiguration {
    try ConfigurationLoader.load(
      text: "{\"state\": \"\(path)/state\", \"reactors\": 2, \"memory\": \"32MiB\",\n" + text + "}",
      directory: path, permissions: .unchecked)
  }
}

/// Remembers what was logged.
final class LogBook: Sendable {
  private let entries = Mutex<[String]>([])

  var lines: [String] { entries.withLock { $0 } }

  func contains(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

  var logger: Logger { Logger(label: "test") { _ in Handler(book: self) } }

  private struct Handler: LogHandler {
    let book: LogBook
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]
    init(book: LogBook) { self.book = book }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
      book.entries.withLock { $0.append(line) }
    }
  }
}

/// TCP on 127.0.0.1.
final class Loopback: Sendable {
  let descriptor: Int32
  let port: UInt16

  private init(descriptor: Int32, port: UInt16) {
    self.descriptor = descriptor
    self.port = port
  }

  deinit { close(descriptor) }

  /// Listens on a free port, which is free again when this ends.
  static func listening() -> Loopback {
    let descriptor = clinux_tcp_socket(0)
    _ = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    var address = sockaddr_storage()
    let length = clinux_address_store(&address, 0, [127, 0, 0, 1], 0, 0)
    precondition(clinux_bind(descriptor, &address, length) == 0)
    precondition(listen(descriptor, 1) == 0)
    var port: UInt16 = 0
    var bytes = [UInt8](repeating: 0, count: 16)
    var scope: UInt32 = 0
    precondition(clinux_socket_name(descriptor, 0, &address) == 0)
    _ = clinux_address_load(&address, &bytes, &port, &scope)
    return Loopback(descriptor: descriptor, port: port)
  }

  static func freePort() -> UInt16 { listening().port }

  /// Nil: nobody listens there.
  static func connected(to port: UInt16) -> Loopback? {
    let result = Loopback(descriptor: clinux_tcp_socket(0), port: port)
    var address = sockaddr_storage()
    let length = clinux_address_store(&address, 0, [127, 0, 0, 1], port, 0)
    guard clinux_connect(result.descriptor, &address, length) == 0 else { return nil }
    return result
  }

  /// Whether the other side closes within some seconds.
  func isClosedByPeer() -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&wanted, 1, 8000) == 1 else { return false }
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, 0) <= 0
  }
}

/// Some claims need what only root may do.
let isRoot = geteuid() == 0

/// Looks again and again, at most `seconds`.
func eventually(within seconds: Int = 5, _ condition: () -> Bool) -> Bool {
  for _ in 0..<seconds * 50 {
    if condition() { return true }
    usleep(20_000)
  }
  return condition()
}
