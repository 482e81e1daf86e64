import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

@Suite("Several reactors")
struct ReactorsTests {
  @Test("Sessions are spread over the reactors, and all of them work at once")
  func spread() throws {
    let target = try SimulatedTarget(
      seed: 61, targets: [Example.open(units: 2)], reactorCount: 4, diskBytes: 4 << 20)
    let initiators = try (1...8).map {
      try ScriptedInitiator.loggedIn(target, number: $0, luns: 2)
    }
    // Two connections on each: a receive in flight per connection, and one accept.
    #expect(target.reactors.map(\.operationsInFlight) == [3, 2, 2, 2])
    let data = (0..<8).map { Example.pattern(64 * 512, seed: UInt64($0)) }
    let tags = initiators.enumerated().map { index, initiator in
      initiator.startWrite(
        UInt64(index * 64), data[index], style: WriteStyle(immediate: 512),
        lun: UInt64(index % 2) << 48)
    }
    for (index, initiator) in initiators.enumerated() {
      #expect(initiator.completeWrite(tags[index], data[index]).outcome == 0)
    }
    for (index, initiator) in initiators.enumerated() {
      let other = (index + 2) % 8
      let outcome = initiator.read(UInt64(other * 64), 64, lun: UInt64(other % 2) << 48)
      let isSame = outcome?.data == data[other]
      #expect(isSame)
    }
    #expect(target.isIdle(after: initiators))
  }

  @Test("A new connection goes to the reactor with the fewest")
  func leastLoaded() throws {
    let target = try SimulatedTarget(seed: 62, targets: [Example.open()], reactorCount: 2)
    let initiators = try (1...4).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    #expect(target.reactors.map(\.operationsInFlight) == [3, 2])
    // The second and fourth live on reactor 1.
    initiators[1].peer.close()
    initiators[3].peer.close()
    target.pass(milliseconds: 100)
    #expect(target.reactors.map(\.operationsInFlight) == [3, 0])
    let more = try (5...6).map { try ScriptedInitiator.loggedIn(target, number: $0) }
    #expect(target.reactors.map(\.operationsInFlight) == [3, 2])
    #expect(target.isIdle(after: initiators + more))
  }

  private static let secondAddress = "10.0.0.1:3261"

  /// A portal at `secondAddress`, and the socket that it listens on.
  private func secondPortal(
    of target: SimulatedTarget
  ) throws -> (PortalListener, SocketHandle) {
    let socket = target.world.listen(Self.secondAddress)
    let address = try #require(SocketAddress(Self.secondAddress))
    let listener = PortalListener(
      portal: PortalDefinition(address: address, groupTag: 1), socket: socket,
      worker: target.workers[0])
    listener.start()
    return (listener, socket)
  }

  @Test(
    "When an accept fails the listener tries again, and who waits is served",
    arguments: [SystemError.tooManyFiles, .connectionAborted, .outOfMemory])
  func failedAccept(error: SystemError) throws {
    let target = try SimulatedTarget(seed: 63, targets: [Example.open()])
    let (listener, socket) = try secondPortal(of: target)
    for _ in 0..<3 { target.world.failNextAccept(on: socket, with: error) }
    let initiator = ScriptedInitiator(target, to: Self.secondAddress)
    #expect(initiator.login(to: Example.name) == 0)
    listener.close()
    target.pass(milliseconds: 10)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("A listener closed while it waits after a failed accept stays closed")
  func closedAfterFailedAccept() throws {
    let target = try SimulatedTarget(seed: 64, targets: [Example.open()])
    let (listener, socket) = try secondPortal(of: target)
    target.world.failNextAccept(on: socket, with: .outOfMemory)
    let initiator = ScriptedInitiator(target, to: Self.secondAddress)
    target.pass(milliseconds: 20)
    listener.close()
    target.pass(milliseconds: 1_000)
    #expect(initiator.isClosed)
    #expect(target.isIdle(after: [initiator]))
  }

  // MARK: Determinism

  /// Everything at once: several sessions and reactors, writes in all styles, aborts, resets,
  /// reinstatement, lost connections, a stop.
  static func mixedRun(seed: UInt64, observe: ((TraceEntry) -> Void)? = nil) throws -> UInt64 {
    let target = try SimulatedTarget(
      seed: seed, targets: [Example.open(units: 2)], reactorCount: 3)
    target.world.traceObserver = observe
    var options = ConnectionOptions()
    options.toTarget = .random(upTo: 2000)
    options.shortensSends = true
    let initiators = try (1...5).map {
      try ScriptedInitiator.loggedIn(target, number: $0, options: options, luns: 2)
    }
    try target.disk().inject(DiskFault(.delay(Milliseconds(30)), on: .write, count: 20))
    for round in 0..<4 {
      for (index, initiator) in initiators.enumerated() {
        for number in 0..<6 {
          let data = Example.pattern(8 * 512, seed: UInt64(number))
          _ = initiator.startWrite(
            UInt64(index * 100 + number * 8), data,
            style: WriteStyle(immediate: 512 * number), lun: UInt64(number % 2) << 48)
          initiator.sendCommand(
            ScriptedInitiator.read16(UInt64(number * 8), 16), expected: 8192, isRead: true)
        }
      }
      target.pass(milliseconds: UInt32(5 * round))
      if round == 1 { initiators[0].sendManagement(.logicalUnitReset) }
      if round == 2 { initiators[1].sendManagement(.clearTaskSet, lun: 1 << 48) }
      target.pass(milliseconds: 5)
    }
    initiators[2].peer.reset()
    let successor = SessionTests.successor(of: initiators[3], target)
    SessionTests.sendLogin(successor)
    target.pass(milliseconds: 50)
    initiators[4].sendManagement(.targetColdReset)
    target.pass(milliseconds: 100)
    for worker in target.workers { worker.stop(grace: .seconds(1)) {} }
    target.pass(milliseconds: 5_000)
    #expect(target.isIdle)
    withExtendedLifetime((initiators, successor)) {}
    return target.world.traceDigest
  }

  @Test("The same seed gives the same events, another seed others")
  func determinism() throws {
    var entries: [TraceEntry] = []
    let first = try ReactorsTests.mixedRun(seed: 7) { entries.append($0) }
    var index = 0
    var difference: Int?
    for _ in 0..<3 {
      index = 0
      let digest = try ReactorsTests.mixedRun(seed: 7) { entry in
        if difference == nil, index >= entries.count || "\(entries[index])" != "\(entry)" {
          difference = index
        }
        index += 1
      }
      #expect(digest == first)
    }
    #expect(difference == nil)
    #expect(try ReactorsTests.mixedRun(seed: 8) != first)
  }
}
