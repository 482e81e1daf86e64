/// What doctor and the hints for nodes look at, besides the daemon. Tests have one of paper.
protocol Machine: Sendable {
  /// A small file, as those of proc(5); nil where it cannot be read.
  func text(of path: String) -> String?
  /// nil: there is nothing, or it may not be looked at.
  func facts(of path: String) -> FileFacts?
  /// Where the links in a directory point to, by name; nil where it may not be looked at.
  func links(in directory: String) -> [String]?
  func names(in directory: String) -> [String]

  /// 0 where io_uring works for this process, else errno.
  var uringRefusal: Int32 { get }
  /// nil: the kernel does not say.
  var isClockSynchronized: Bool? { get }
  var secondsSinceEpoch: Int64 { get }
}

/// What a path leads to.
struct FileFacts: Equatable {
  var isDirectory: Bool
  /// Permissions alone.
  var mode: Int
  var owner: Int
  var inode: UInt64 = 0
}

extension Machine {
  /// The addresses of this machine that nodes can have use for, as text without brackets.
  func addresses(isV6: Bool) -> [String] {
    isV6
      ? ProcText.globalAddresses(text(of: "/proc/net/if_inet6") ?? "")
      : ProcText.localAddresses(text(of: "/proc/net/fib_trie") ?? "")
  }

  /// Who holds the lock of a file that a daemon serves; nil: nobody, or the kernel does not say.
  func lockOwner(of path: String) -> Listener? {
    guard let facts = facts(of: path), let locks = text(of: "/proc/locks"),
      let process = ProcText.lockOwner(in: locks, inode: facts.inode)
    else { return nil }
    return Listener(process: process, name: name(of: "\(process)"))
  }

  private func name(of process: String) -> String? {
    text(of: "/proc/\(process)/comm")?.split(separator: "\n").first.map(String.init)
  }

  /// Who listens on a TCP port; nil: nobody. Without rights over that process it has no name.
  func listener(port: UInt16) -> Listener? {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].compactMap { text(of: $0) }
    let inodes = tables.flatMap { ProcText.listeningInodes($0, port: port) }
    guard !inodes.isEmpty else { return nil }
    let sockets = Set(inodes.map { "socket:[\($0)]" })
    for process in names(in: "/proc") {
      guard let number = Int32(process) else { continue }
      guard links(in: "/proc/\(process)/fd")?.contains(where: sockets.contains) == true else {
        continue
      }
      return Listener(process: number, name: name(of: process))
    }
    return Listener()
  }
}

/// A process with a listening socket.
struct Listener: Equatable {
  /// nil: not known, or the kernel itself.
  var process: Int32?
  var name: String?

  var words: String {
    guard let process else { return "another process, or the kernel (LIO)" }
    return "process \(process)" + (name.map { " (\($0))" } ?? "")
  }
}
