internal import Reactor

/// A listening socket: connections that arrived and accepts that wait, one of the two empty.
final class SimulatedListener {
  let address: String
  let handle: SocketHandle
  /// Like listen(2)'s backlog; a request that finds it full is refused.
  private let backlog: Int
  private(set) var isShutDown = false
  private unowned let world: SimulatedWorld
  private var arrived = Queue<SimulatedConnection>()
  private var accepts = Queue<(engine: SimulatedEngine, id: OperationID)>()
  private var failures = Queue<SystemError>()

  init(world: SimulatedWorld, address: String, handle: SocketHandle, backlog: Int) {
    self.world = world
    self.address = address
    self.handle = handle
    self.backlog = backlog
  }

  func accept(for engine: SimulatedEngine, _ id: OperationID) {
    accepts.append((engine, id))
    serve()
  }

  /// Makes the next accept that has a connection to take fail; the connection waits on.
  func failNextAccept(with error: SystemError) { failures.append(error) }

  /// False: refused.
  func connectionArrived(_ connection: SimulatedConnection) -> Bool {
    guard !isShutDown, arrived.count < backlog else { return false }
    arrived.append(connection)
    serve()
    return true
  }

  func shutDown() {
    isShutDown = true
    serve()
  }

  /// Connections that nobody accepted are reset.
  func close() {
    precondition(accepts.isEmpty, "an accept is pending on a listener that is closed")
    while let connection = arrived.popFirst() { connection.closeByTarget() }
  }

  func vanish() {
    while let connection = arrived.popFirst() { connection.vanish() }
  }

  func abandonOperations() { accepts.removeAll() }

  private func serve() {
    while let (engine, id) = accepts.first {
      let result: OperationResult
      if isShutDown {
        result = .failure(.invalidArgument)
      } else if arrived.isEmpty {
        return
      } else if let failure = failures.popFirst() {
        result = .failure(failure)
      } else if let connection = arrived.popFirst() {
        let socket = world.network.makeHandle()
        world.network.add(connection, as: socket)
        result = OperationResult(rawValue: socket.rawValue)
      } else {
        return
      }
      _ = accepts.popFirst()
      world.complete(engine, id, result)
    }
  }
}
