internal import Glibc
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import TargetConfig

/// The listening sockets of the portals, opened before the reactors so that a port in use is told
/// at once. Connections wait in the kernel's queue until the reactors accept.
struct PortalSockets {
  struct Socket: Sendable {
    let portal: PortalDefinition
    let handle: SocketHandle

    /// Of a socket that nobody has come to.
    func close() { _ = Glibc.close(handle.rawValue) }
  }

  /// A standard portal that this machine cannot have.
  struct Missing: Sendable {
    let address: SocketAddress
    let reason: String
  }

  private(set) var sockets: [Socket] = []
  private(set) var missing: [Missing] = []

  /// All of them, or every reason why not.
  static func open(
    _ portals: [PortalDefinition], in loaded: LoadedConfiguration, _ logger: Logger
  ) throws(DaemonError) -> PortalSockets {
    let areStandard = loaded.configuration.portals == TargetConfiguration.Portal.standard
    var result = PortalSockets()
    var problems: [String] = []
    for (index, portal) in portals.enumerated() {
      do throws(SocketError) {
        let handle = try listen(on: portal.address, logger)
        result.sockets.append(Socket(portal: portal, handle: handle))
      } catch {
        if areStandard, portal.address.ip.isIPv6, error.isLackOfIPv6 {
          logger.notice("IPv6 is not available: listening on IPv4 only")
          result.missing.append(
            Missing(address: portal.address, reason: "IPv6 is not available"))
          continue
        }
        problems.append(loaded.problem(at: "portals[\(index)]", "\(error)").description)
      }
    }
    guard problems.isEmpty else {
      result.closeAll()
      throw DaemonError(.unavailable, problems)
    }
    return result
  }

  /// How long a port may still belong to a process that was killed: the kernel keeps its sockets
  /// until the last of its operations has ended.
  static let waitMax = Milliseconds.seconds(5)

  /// A socket that listens; where another has the port, once it is free within `waitMax`.
  /// `isShared`: beside sockets of ours that share their addresses just now.
  static func listen(
    on address: SocketAddress, waitingAtMost waitMax: Milliseconds = waitMax,
    isShared: Bool = false, _ logger: Logger
  ) throws(SocketError) -> SocketHandle {
    let deadline = MonotonicTime.current + waitMax
    var hasSaid = false
    while true {
      do throws(SocketError) {
        return try ListeningSocket.open(address: address, isShared: isShared)
      } catch {
        guard error.error == .addressInUse, MonotonicTime.current < deadline else { throw error }
        if !hasSaid {
          logger.notice(
            "the port is in use, waiting for up to 5 s", metadata: ["address": "\(address)"])
        }
        hasSaid = true
        usleep(100_000)
      }
    }
  }

  /// For a start that fails later on.
  func closeAll() {
    for socket in sockets { socket.close() }
  }
}

extension SocketError {
  /// Nobody asked for the standard portal on [::], so where there is no IPv6 nothing is missed.
  fileprivate var isLackOfIPv6: Bool {
    error.rawValue == EAFNOSUPPORT || error.rawValue == EADDRNOTAVAIL
  }
}
