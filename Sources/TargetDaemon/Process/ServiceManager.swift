internal import Glibc

/// Tells the service manager how far we are: the datagrams of sd_notify(3).
struct ServiceManager: Sendable {
  /// A path, or "@" and an abstract name; nil when nobody listens.
  private let socket: String?

  /// Takes the variable out of the environment: it is meant for this process alone.
  static func fromEnvironment() -> ServiceManager {
    let value = unsafe getenv("NOTIFY_SOCKET").map { unsafe String(cString: $0) }
    unsafe _ = unsetenv("NOTIFY_SOCKET")
    return ServiceManager(socket: value)
  }

  init(socket: String?) { self.socket = socket }

  func ready(_ status: String) { send("READY=1\nSTATUS=\(ServiceManager.line(status))") }

  func stopping() { send("STOPPING=1\nSTATUS=stopping") }

  func status(_ text: String) { send("STATUS=\(ServiceManager.line(text))") }

  /// A line end would begin another assignment.
  private static func line(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }

  /// False: nobody was told. Nothing depends on it.
  @discardableResult
  func send(_ message: String) -> Bool {
    guard let socket, let (address, length) = ServiceManager.address(socket) else { return false }
    let descriptor = Glibc.socket(
      AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { _ = close(descriptor) }
    let bytes = Array(message.utf8)
    let sent = unsafe withUnsafePointer(to: address) { address in
      // A sockaddr_un begins as every sockaddr does; `length` says how much of it counts.
      unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
      }
    }
    return sent == bytes.count
  }

  /// Unix socket address of a path or, after "@", of an abstract name (unix(7)): the latter begins
  /// with a NUL and is as long as it is, the former ends with one.
  private static func address(_ name: String) -> (sockaddr_un, socklen_t)? {
    var path = Array(name.utf8)
    guard let first = path.first, !path.contains(0) else { return nil }
    let isAbstract = first == UInt8(ascii: "@")
    guard isAbstract || first == UInt8(ascii: "/") else { return nil }
    if isAbstract { path[0] = 0 } else { path.append(0) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      guard path.count <= room.count else { return false }
      unsafe room.copyBytes(from: path)
      return true
    }
    guard fits else { return nil }
    let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
    return (address, socklen_t(start + path.count))
  }
}
