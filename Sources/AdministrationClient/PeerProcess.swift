internal import FoundationEssentials
internal import Glibc
internal import NIOCore

/// The process that listens at a socket, and whether it gets to run.
struct PeerProcess: Equatable {
  enum State {
    /// By SIGSTOP or a debugger.
    case stopped
    /// In the kernel, where no signal reaches it.
    case waiting
    case other
  }

  var id: Int32
  var state: State

  init(_ id: Int32) {
    self.id = id
    state = Self.state(in: (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? "")
  }

  /// Of a text of proc_pid_stat(5): the letter after the name, which may have any brackets in it.
  static func state(in text: String) -> State {
    guard let bracket = text.lastIndex(of: ")") else { return .other }
    return switch text[bracket...].dropFirst(2).first {
    case "T", "t": .stopped
    case "D": .waiting
    default: .other
    }
  }
}

/// struct ucred, unix(7).
private struct PeerCredentials: Sendable {
  var processID: Int32
  var user: UInt32
  var group: UInt32
}

extension Channel {
  /// Of a Unix socket (SO_PEERCRED); nil: the kernel does not say, as of another container.
  func peerProcessID() async throws -> Int32? {
    guard let options = self as? any SocketOptionProvider else { return nil }
    let credentials: PeerCredentials = try await options.unsafeGetSocketOption(
      level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
    ).get()
    return credentials.processID > 0 ? credentials.processID : nil
  }
}
