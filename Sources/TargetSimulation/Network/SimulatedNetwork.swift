internal import Reactor

/// The target's listeners and sockets. Handles are never used twice, so that the use of one after
/// its `close` is found: in the kernel it would reach somebody else's connection.
final class SimulatedNetwork {
  private var listeners: [SocketHandle: SimulatedListener] = [:]
  private var connections: [SocketHandle: SimulatedConnection] = [:]
  private var nextHandle: Int32 = 1000
  private var nextPort = 40_000
  /// Every connection that was ever made, for cuts of the whole network.
  private(set) var peers: [SimulatedPeer] = []

  func makeHandle() -> SocketHandle {
    nextHandle += 1
    return SocketHandle(rawValue: nextHandle)
  }

  func makePeerAddress() -> String {
    nextPort += 1
    return "10.0.0.2:\(nextPort)"
  }

  func add(_ peer: SimulatedPeer) { peers.append(peer) }

  func add(_ listener: SimulatedListener) { listeners[listener.handle] = listener }

  func add(_ connection: SimulatedConnection, as handle: SocketHandle) {
    connections[handle] = connection
  }

  var openSocketCount: Int { connections.count }

  func listener(_ handle: SocketHandle) -> SimulatedListener {
    guard let listener = listeners[handle] else {
      preconditionFailure("socket \(handle.rawValue) is closed or no listener")
    }
    return listener
  }

  /// Who listens at `address`. Addresses are unique among the open listeners.
  func listener(at address: String) -> SimulatedListener? {
    listeners.values.first { $0.address == address && !$0.isShutDown }
  }

  func connection(_ handle: SocketHandle) -> SimulatedConnection {
    guard let connection = connections[handle] else {
      preconditionFailure("socket \(handle.rawValue) is closed or not connected")
    }
    return connection
  }

  func shutDown(_ handle: SocketHandle) {
    if let listener = listeners[handle] {
      listener.shutDown()
    } else {
      connection(handle).shutDownByTarget()
    }
  }

  func close(_ handle: SocketHandle) {
    if let listener = listeners.removeValue(forKey: handle) {
      listener.close()
    } else {
      connection(handle).closeByTarget()
      connections[handle] = nil
    }
  }

  /// The process ended: the kernel closes what it had open.
  func closeAll() {
    for listener in sortedListeners() { listener.abandonOperations() }
    for handle in connections.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
      connection(handle).abandonOperations()
      close(handle)
    }
    for listener in sortedListeners() { close(listener.handle) }
  }

  /// The machine ended: nobody says a word.
  func vanishAll() {
    for peer in peers { peer.cut() }
    for connection in connections.values { connection.vanish() }
    for listener in listeners.values { listener.vanish() }
    listeners.removeAll()
    connections.removeAll()
  }

  private func sortedListeners() -> [SimulatedListener] {
    listeners.values.sorted { $0.handle.rawValue < $1.handle.rawValue }
  }
}
