internal import Reactor

/// A socket that was accepted and belongs to whoever has this value.
struct AcceptedSocket: Sendable {
  let handle: SocketHandle
  let peer: SocketAddress
  let local: SocketAddress
  let portalGroupTag: UInt16
  /// `PortalListener.number` of the one that accepted it.
  let listener: UInt64
}
