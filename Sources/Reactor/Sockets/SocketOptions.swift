internal import CLinux
internal import Glibc

/// The TCP options of every connection.
///
/// An initiator that lost power says nothing, and its sessions hold reservations' nexuses, buffers
/// and a place in the session table until someone notices. Keep-alive notices on an idle
/// connection, the user time-out on one with unacknowledged data, both well within the usual
/// fencing time-outs.
public enum SocketOptions {
  public static let keepAliveIdleSeconds: Int32 = 10
  public static let keepAliveIntervalSeconds: Int32 = 5
  public static let keepAliveProbes: Int32 = 3
  public static let userTimeoutMilliseconds: Int32 = 30_000

  /// Sets all of them. Fails on what is no TCP socket or was reset just now.
  public static func apply(to socket: SocketHandle) throws(SocketError) {
    let tcp = Int32(IPPROTO_TCP)
    // Answers are sent whole, with a turn's other answers: waiting for more only adds latency.
    try set(socket, tcp, TCP_NODELAY, 1, "TCP_NODELAY")
    try set(socket, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE")
    try set(socket, tcp, TCP_KEEPIDLE, keepAliveIdleSeconds, "TCP_KEEPIDLE")
    try set(socket, tcp, TCP_KEEPINTVL, keepAliveIntervalSeconds, "TCP_KEEPINTVL")
    try set(socket, tcp, TCP_KEEPCNT, keepAliveProbes, "TCP_KEEPCNT")
    try set(socket, tcp, TCP_USER_TIMEOUT, userTimeoutMilliseconds, "TCP_USER_TIMEOUT")
  }

  private static func set(
    _ socket: SocketHandle, _ level: Int32, _ option: Int32, _ value: Int32, _ name: String
  ) throws(SocketError) {
    guard clinux_set_option(socket.rawValue, level, option, value) != 0 else { return }
    let error = SystemError.last
    throw SocketError(
      action: "set \(name) of the connection to", address: SocketAddress(peerOf: socket),
      error: error)
  }
}
