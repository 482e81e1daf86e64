internal import CLinux
internal import Glibc

/// Opens TCP sockets that wait for initiators. Start-up only: plain blocking calls.
public enum ListeningSocket {
  /// Listens on `address`; port 0 lets the kernel choose one (`SocketAddress(of:)` tells which).
  ///
  /// Closed on exec. Whether it blocks is the engine's affair: io_uring waits only for blocking
  /// sockets, `AIOEngine` makes it non-blocking.
  ///
  /// `isShared`: beside sockets of this user that share their addresses just now; no other may come
  /// beside it.
  public static func open(
    address: SocketAddress, backlog: Int32 = 1024, isShared: Bool = false
  ) throws(SocketError) -> SocketHandle {
    let descriptor = clinux_tcp_socket(address.ip.isIPv6 ? 1 : 0)
    guard descriptor >= 0 else {
      throw SocketError(action: "make a socket for", address: address, error: .last)
    }
    do throws(SocketError) {
      if isShared { shareAddress(of: SocketHandle(rawValue: descriptor), true) }
      try listen(descriptor, on: address, backlog: backlog)
      if isShared { shareAddress(of: SocketHandle(rawValue: descriptor), false) }
    } catch {
      _ = close(descriptor)
      throw error
    }
    return SocketHandle(rawValue: descriptor)
  }

  /// Throws what `open` would, and lets nobody in: a port that others listen on is not bound again.
  public static func check(address: SocketAddress, isShared: Bool = false) throws(SocketError) {
    let descriptor = clinux_tcp_socket(address.ip.isIPv6 ? 1 : 0)
    guard descriptor >= 0 else {
      throw SocketError(action: "make a socket for", address: address, error: .last)
    }
    defer { _ = close(descriptor) }
    if isShared { shareAddress(of: SocketHandle(rawValue: descriptor), true) }
    guard bind(descriptor, to: address) == 0 else {
      throw SocketError(action: "listen on", address: address, error: .last)
    }
  }

  /// SO_REUSEPORT. Where it cannot be set, the other socket's `bind` says so.
  public static func shareAddress(of socket: SocketHandle, _ isShared: Bool) {
    _ = clinux_set_option(socket.rawValue, SOL_SOCKET, SO_REUSEPORT, isShared ? 1 : 0)
  }

  private static func listen(
    _ descriptor: Int32, on address: SocketAddress, backlog: Int32
  ) throws(SocketError) {
    var status = bind(descriptor, to: address)
    if status == 0 { status = Glibc.listen(descriptor, backlog) }
    guard status == 0 else {
      throw SocketError(action: "listen on", address: address, error: .last)
    }
  }

  /// As bind(2).
  private static func bind(_ descriptor: Int32, to address: SocketAddress) -> Int32 {
    // A restart must not wait for the old connections' TIME_WAIT.
    var status = clinux_set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
    if status == 0, address.ip.isIPv6 {
      // Each address of the configuration is its own listener: [::] leaves 0.0.0.0 free.
      status = clinux_set_option(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1)
    }
    if status == 0 {
      status = unsafe address.withStorage { unsafe clinux_bind(descriptor, $0, $1) }
    }
    return status
  }
}

/// Why a socket could not be opened or configured: what was tried, on which address, and what to
/// do.
public struct SocketError: Error, Sendable, CustomStringConvertible {
  /// Completes "cannot … <address>".
  public let action: String
  public let address: SocketAddress?
  public let error: SystemError

  public var description: String {
    let subject = address.map { " \($0)" } ?? ""
    let advice = self.advice
    return "cannot \(action)\(subject): \(error)" + (advice.isEmpty ? "" : " (\(advice))")
  }

  private var advice: String {
    let port = address.map { "\($0.port)" } ?? "?"
    return switch error.rawValue {
    case EADDRINUSE:
      "another process has port \(port), perhaps another target such as tgt or LIO; "
        + "`ss -ltnp 'sport = :\(port)'` names it"
    case EADDRNOTAVAIL:
      "no interface of this machine has this address; add it, or listen on 0.0.0.0 or [::]"
    case EACCES, EPERM:
      "ports below 1024 need CAP_NET_BIND_SERVICE; a security module may forbid others"
    case EAFNOSUPPORT: "the kernel does not know this address family; is IPv6 switched off?"
    case EINVAL where address?.ip.isIPv6 == true:
      "a link-local address needs its interface, as in [fe80::1%eth0]"
    case EMFILE, ENFILE: "raise the limit of open files (LimitNOFILE=)"
    default: ""
    }
  }
}
