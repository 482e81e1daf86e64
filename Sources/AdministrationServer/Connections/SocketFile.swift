internal import Glibc

/// A Unix socket that listens at a path, and the file that it is.
struct SocketFile: Sendable {
  var path: String
  /// For the server, which closes it.
  var descriptor: CInt
  /// Of the file, so that only our own is removed.
  private var identity: FileFacts.Identity

  /// Binds a socket that nobody but `group` and the daemon's user can connect to.
  ///
  /// A socket file that nobody listens on is replaced; one that somebody listens on, and any other
  /// file, is left alone.
  init(path: String, group: UInt32?) throws(AdministrationServerError) {
    let address = try Self.address(path)
    try Self.removeStale(path, address)
    let descriptor = Glibc.socket(
      AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Self.failure("socket", path) }
    self.path = path
    self.descriptor = descriptor
    do throws(AdministrationServerError) {
      // Before bind(2) this is the mode that the file is made with (unix(7)): nobody else can
      // connect even for a moment.
      guard fchmod(descriptor, 0o600) == 0 else { throw Self.failure("fchmod", path) }
      guard unsafe Self.withGeneric(address, { unsafe bind(descriptor, $0, $1) }) == 0 else {
        throw Self.failure("bind", path)
      }
      identity = try Self.identity(path)
    } catch {
      close(descriptor)
      throw error
    }
    do throws(AdministrationServerError) {
      try share(with: group)
    } catch {
      remove()
      close(descriptor)
      throw error
    }
  }

  private func share(with group: UInt32?) throws(AdministrationServerError) {
    guard let group else { return }
    guard unsafe lchown(path, uid_t.max, group) == 0 else { throw Self.failure("chown", path) }
    guard unsafe chmod(path, 0o660) == 0 else { throw Self.failure("chmod", path) }
  }

  /// Removes the file, unless it is another one by now.
  func remove() {
    guard let found = try? Self.identity(path), found == identity else { return }
    unsafe _ = unlink(path)
  }

  // MARK: Stale files

  private static func removeStale(
    _ path: String, _ address: sockaddr_un
  ) throws(AdministrationServerError) {
    // Without one, bind(2) will say what is wrong.
    guard let facts = FileFacts(path) else { return }
    guard facts.isSocket else {
      throw .socket(path: path, "there is another file, and no socket")
    }
    let probe = Glibc.socket(
      AF_UNIX,
      CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    guard probe >= 0 else { throw failure("socket", path) }
    defer { close(probe) }
    let result = unsafe withGeneric(address) { unsafe connect(probe, $0, $1) }
    let isRefused = result != 0 && (errno == ECONNREFUSED || errno == ENOENT)
    // Whatever else connect(2) says, EAGAIN of a full queue for one, somebody is there.
    guard isRefused else { throw .socketTaken(path: path) }
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("unlink", path) }
  }

  private static func identity(
    _ path: String
  ) throws(AdministrationServerError) -> FileFacts.Identity {
    guard let facts = FileFacts(path) else {
      throw .socket(path: path, "it cannot be found again")
    }
    return facts.identity
  }

  // MARK: Addresses

  /// unix(7): the path and its final zero have room for 108 bytes.
  private static func address(_ path: String) throws(AdministrationServerError) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    let room = MemoryLayout.size(ofValue: address.sun_path)
    guard !bytes.isEmpty, !bytes.contains(0), bytes.count < room else {
      throw .socket(path: path, "the path must have 1 to \(room - 1) bytes")
    }
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    return address
  }

  private static func withGeneric<Result>(
    _ address: sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    unsafe withUnsafePointer(to: address) { pointer in
      // A sockaddr_un begins as every sockaddr does, and the length says where it ends.
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  private static func failure(_ call: String, _ path: String) -> AdministrationServerError {
    .socket(path: path, "\(call): \(unsafe String(cString: strerror(errno)))")
  }
}
