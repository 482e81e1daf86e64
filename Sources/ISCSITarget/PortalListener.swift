internal import Logging
public import Reactor

/// Accepts the connections of one portal and hands each to the reactor with the fewest.
public final class PortalListener: OperationHandler, TimerHandler {
  private let portal: PortalDefinition
  private let socket: SocketHandle
  private let worker: Worker
  /// Unlike every other of the process.
  let number: UInt64
  private var whenClosed: (() -> Void)?
  private var isClosed = false
  private var isAccepting = false

  /// `socket` listens on the portal's address. Belongs to `worker`'s reactor.
  public init(portal: PortalDefinition, socket: SocketHandle, worker: Worker) {
    self.portal = portal
    self.socket = socket
    self.worker = worker
    number = worker.context.nextNumber()
  }

  public func start() { accept() }

  /// Whether another socket of this user that asks for it, too, may listen on the same address or
  /// one that covers it: for the moment in which its successor is opened.
  public func shareAddress(_ isShared: Bool) {
    if !isClosed { ListeningSocket.shareAddress(of: socket, isShared) }
  }

  /// Stops accepting. Connections accepted before live on.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    worker.reactor.engine.shutDown(socket)
    if !isAccepting { closeSocket() }
  }

  private func closeSocket() {
    worker.reactor.engine.close(socket)
    let completion = whenClosed
    whenClosed = nil
    completion?()
  }

  /// Stops accepting for good; asks the initiators behind the connections that came in here to log
  /// out, and closes what is left after `grace`. `completion` when the address is free and the last
  /// of these connections is gone. Once; on the listener's reactor. After `close`, which a server
  /// that stops may have been quicker with, it waits for the connections alone.
  public func stop(grace: Milliseconds, completion: @escaping () -> Void) {
    let countdown = Countdown(completion)
    if !isClosed {
      countdown.enter()
      whenClosed = { countdown.leave() }
    }
    countdown.enter()
    worker.dismissConnections(of: number, grace: grace) { countdown.leave() }
    close()
    countdown.arm()
  }

  private func accept() {
    isAccepting = true
    worker.reactor.accept(on: socket, for: self)
  }

  public func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    isAccepting = false
    if let value = result.value { place(SocketHandle(rawValue: Int32(value))) }
    guard !isClosed else { return closeSocket() }
    guard let error = result.error else { return accept() }
    acceptFailed(error)
  }

  /// Out of descriptors or memory: waiting a moment is all that can be done, and better than asking
  /// again at once for ever.
  private func acceptFailed(_ error: SystemError) {
    switch error {
    case .connectionAborted, .interrupted, .tryAgain:
      accept()
    default:
      worker.context.logger.error(
        "cannot accept connections", metadata: ["portal": "\(portal.address)", "error": "\(error)"])
      _ = worker.reactor.startTimer(after: Milliseconds(100), for: self)
    }
  }

  public func timerFired(_ timer: TimerID) {
    if !isClosed { accept() }
  }

  private var hasRoom: Bool {
    if worker.context.loads.total < worker.context.limits.connectionsMax { return true }
    worker.limitReached("limits.connections")
    return false
  }

  private func place(_ handle: SocketHandle) {
    let engine = worker.reactor.engine
    let context = worker.context
    guard !isClosed, hasRoom, let ends = engine.prepare(handle) else {
      engine.shutDown(handle)
      return engine.close(handle)
    }
    let socket = AcceptedSocket(
      handle: handle, peer: ends.peer, local: ends.local,
      portalGroupTag: portal.groupTag, listener: number)
    let target = context.loads.least
    context.loads.change(target, by: 1)
    if target == worker.reactor.index { return worker.adopt(socket) }
    if worker.workers[target].post({ $0.adopt(socket) }) { return }
    context.loads.change(target, by: -1)
    engine.shutDown(handle)
    engine.close(handle)
  }
}
