internal import AdministrationModel
internal import CommandSupport

extension TgtadmCall {
  func performSession(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    guard operation == .stat else { throw try await refusal() }
    try await showStatistics(.session)
  }

  func performConnection(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    switch operation {
    case .show: try await showConnections()
    case .delete: try await deleteConnection()
    case .stat: try await showStatistics(.connection)
    default: throw try await refusal()
    }
  }

  /// With tgt it is the daemon that refuses: where none runs, that is told.
  private func refusal() async throws(TgtFailure) -> TgtFailure {
    _ = try await asking { daemon throws(AdministrationError) in try await daemon.status() }
    return .invalidRequest()
  }

  private func showConnections() async throws(TgtFailure) {
    let target = try await state().target(request.tid)
    var text = ""
    for session in try await sessions() where session.target == target.name {
      text += "Session: \(session.id)\n"
      for connection in session.connections {
        text += "    Connection: \(connection.cid)\n"
        text += "        Initiator: \(session.initiator.printable)\n"
        text += "        IP Address: \(connection.remoteHost.printable)\n"
      }
    }
    terminal.write(text)
  }

  /// The session ends with it: a connection is not ended alone here.
  private func deleteConnection() async throws(TgtFailure) {
    let session = try await session()
    guard session.connections.contains(where: { UInt64($0.cid) == request.cid ?? 0 }) else {
      throw .noConnection
    }
    do throws(AdministrationError) {
      try await daemon.endSession(session.id, by: .kill)
    } catch {
      // It may have gone by itself meanwhile.
      if error.code != .notFound { throw TgtFailure(error) }
    }
  }

  func session() async throws(TgtFailure) -> SessionResource {
    let target = try await state().target(request.tid)
    let session = try await sessions().first {
      $0.target == target.name && $0.id == request.sid ?? 0
    }
    guard let session else { throw .noSession }
    return session
  }
}
