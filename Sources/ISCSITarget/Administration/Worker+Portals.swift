internal import Reactor

// The connections of a portal that is closed.
extension Worker {
  /// Asks for a logout on every connection, on all reactors, that the listener of that number
  /// accepted, and closes it after `grace`; those that have not logged in at once. `completion`
  /// here when the last is gone.
  func dismissConnections(
    of listener: UInt64, grace: Milliseconds, completion: @escaping () -> Void
  ) {
    onEveryWorker(completion) { worker, done in
      worker.dismissOwnConnections(of: listener, grace: grace, completion: done)
    }
  }

  private func dismissOwnConnections(
    of listener: UInt64, grace: Milliseconds, completion: @escaping () -> Void
  ) {
    // One that is on its way here is refused when it comes.
    closedListeners.insert(listener)
    if closedListeners.count > Worker.closedListenersMax, let oldest = closedListeners.min() {
      closedListeners.remove(oldest)
    }
    portalWaits.append((listener, completion))
    let oldestFirst = connections.values.filter { $0.socket.listener == listener }
      .sorted { $0.socket.handle.rawValue < $1.socket.handle.rawValue }
    for connection in oldestFirst {
      connection.requestLogout(within: grace, else: .portalClosed)
    }
    finishPortalWaits()
  }

  /// Tells those who wait for the last connection of a listener, if it is gone.
  func finishPortalWaits() {
    guard !portalWaits.isEmpty else { return }
    let present = Set(connections.values.map(\.socket.listener))
    let done = portalWaits.filter { !present.contains($0.listener) }
    portalWaits.removeAll { !present.contains($0.listener) }
    for wait in done { wait.completion() }
  }
}
