import CLinux
import CTestSupport
import Glibc
import Reactor
import Synchronization
import TargetConfig

@testable import TargetDaemon

/// A directory of its own for each test, gone with it.
final class Scratch: Sendable {
  let path: String

  /// What a thread that hangs in a test keeps goes with the process.
  private static let left = Mutex<Set<String>>([])
  private static let isRemovedAtEnd =
    atexit { for path in Scratch.left.withLock({ $0 }) { Scratch.remove(path) } } == 0

  init() throws {
    var template = Array("/tmp/swift-tgtd-test-XXXXXX".utf8CString)
    guard Self.isRemovedAtEnd, mkdtemp(&template) != nil else { throw ScratchError() }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    self.path = path
    Self.left.withLock { _ = $0.insert(path) }
  }

  struct ScratchError: Error {}

  deinit {
    Scratch.remove(path)
    Self.left.withLock { _ = $0.remove(path) }
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

/// TCP on 127.0.0.1.
final class Loopback: Sendable {
  let descriptor: Int32
  let port: UInt16

  private init(descriptor: Int32, port: UInt16) {
    self.descriptor = descriptor
    self.port = port
  }

  deinit { close(descriptor) }

  /// Listens on a free port, which is free again when this ends. It is below those that the kernel
  /// gives to whoever connects, and nobody else here is given the same.
  static func listening() -> Loopback {
    while true {
      let port = UInt16(20_000 + nextPort.wrappingAdd(1, ordering: .relaxed).oldValue % 12_000)
      if let loopback = listening(on: port) { return loopback }
    }
  }

  /// Processes begin at places of their own.
  private static let nextPort = Atomic<UInt32>(UInt32(getpid()) &* 97)

  private static func listening(on port: UInt16) -> Loopback? {
    let result = Loopback(descriptor: clinux_tcp_socket(0), port: port)
    _ = clinux_set_option(result.descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    var address = sockaddr_storage()
    let length = clinux_address_store(&address, 0, [127, 0, 0, 1], port, 0)
    guard clinux_bind(result.descriptor, &address, length) == 0, listen(result.descriptor, 1) == 0
    else { return nil }
    return result
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

  /// Whether the other side closes within half a minute.
  func isClosedByPeer() -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&wanted, 1, 30_000) == 1 else { return false }
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, 0) <= 0
  }
}

/// Some claims need what only root may do.
let isRoot = geteuid() == 0

/// Looks again and again, for half a minute: on a busy machine all takes its time.
func eventually(_ condition: () -> Bool) -> Bool {
  for _ in 0..<1500 {
    if condition() { return true }
    usleep(20_000)
  }
  return condition()
}
