internal import Reactor
internal import SCSIModel

// What concerns a logical unit as a whole reaches its part on every reactor by the Courier, for
// certain: a full mailbox delays it, and what was to follow follows later. Nothing is concluded
// from a silence. Only `claimRange` and `setAccess` say that a mailbox is full, to a caller
// that can ask again.

extension LogicalUnit {
  /// Runs `question` on every reactor's part of this logical unit, later here too; `completion` on
  /// `reactor`, which is the caller's, when all have called back, however long that takes them.
  func askEveryReactor(
    from reactor: Reactor,
    _ question: @escaping @Sendable (DeviceServer, @escaping () -> Void) -> Void,
    then completion: @escaping () -> Void
  ) {
    let servers = deviceServers
    // Withdrawn: there is nobody left whom it could matter to.
    guard !servers.isEmpty else { return completion() }
    let gathering = Gathering(count: servers.count, completion: completion)
    let answer = ReactorBound(gathering, on: reactor)
    for server in servers {
      reactor.courier.send(to: server) { server in
        question(server) { [courier = server.courier] in
          courier.send(to: answer) { $0.arrived() }
        }
      }
    }
  }
}

extension DeviceServer {
  /// A unit attention for every nexus of the unit but `nexus`; `body` follows on this reactor when
  /// all reactors have established it. Nobody who acts on the status that `body` sends finds one
  /// that does not know of the change.
  func establishEverywhere(
    _ attention: SenseData, except nexus: LogicalUnitNexus, then body: @escaping () -> Void
  ) {
    let origin = ObjectIdentifier(nexus)
    tellEverywhere({ $0.establishForAll(attention, except: origin) }, then: body)
  }

  /// Runs `news`, which is done when it returns, on every reactor's part of the unit, here at once;
  /// `body` follows on this reactor.
  func tellEverywhere(
    _ news: @escaping @Sendable (DeviceServer) -> Void, then body: @escaping () -> Void
  ) {
    let servers = unit.deviceServers
    // Withdrawn: there is nobody left whom it could matter to.
    guard !servers.isEmpty else { return body() }
    let gathering = Gathering(count: servers.count, completion: body)
    let answer = ReactorBound(gathering, on: reactor)
    for (index, server) in servers.enumerated() where index != share {
      courier.send(to: server) { server in
        news(server)
        server.courier.send(to: answer) { $0.arrived() }
      }
    }
    news(self)
    gathering.arrived()
  }

  /// GOOD for a change that every other nexus has been told of.
  func finish(_ task: SCSITask, _ nexus: LogicalUnitNexus, telling attention: SenseData) {
    establishEverywhere(attention, except: nexus) { [self] in end(task, .good) }
  }
}
