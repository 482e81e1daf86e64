internal import Reactor

/// Counts the answers to a question that several were asked, on the reactor that asked: those of a
/// unit's reactors, or of a nexus' units. `completion` follows the last of them.
public final class Gathering {
  private var missing: Int
  private var outcome = ManagementOutcome.complete
  private let completion: (ManagementOutcome) -> Void

  public init(count: Int, completion: @escaping (ManagementOutcome) -> Void) {
    precondition(count > 0, "where nobody is asked nobody answers")
    missing = count
    self.completion = completion
  }

  public func arrived(_ part: ManagementOutcome) {
    precondition(missing > 0, "each answers once")
    if part == .incomplete { outcome = .incomplete }
    missing -= 1
    if missing == 0 { completion(outcome) }
  }
}

extension LogicalUnit {
  /// Runs `message` on every reactor's part of this logical unit, for certain; `completion` on
  /// `reactor`, which is the caller's, when all have called back.
  func tellEveryReactor(
    from reactor: Reactor,
    _ message: @escaping @Sendable (DeviceServer, @escaping () -> Void) -> Void,
    then completion: @escaping () -> Void
  ) {
    let servers = deviceServers
    // Withdrawn: there is nobody left whom it could matter to.
    guard !servers.isEmpty else { return completion() }
    let gathering = Gathering(count: servers.count) { _ in completion() }
    let answer = ReactorBound(gathering, on: reactor)
    for server in servers {
      reactor.courier.send(to: server) { server in
        message(server) { [courier = server.courier] in
          courier.send(to: answer) { $0.arrived(.complete) }
        }
      }
    }
  }
}
