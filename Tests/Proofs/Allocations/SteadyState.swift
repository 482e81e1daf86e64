import AllocationCounter
import Reactor

/// What so many commands of one kind allocate when as many have gone before them.
enum SteadyState {
  private static let commandCount = 2_000
  /// A table that grows now and then may; a command may not.
  static let allocationsMax = UInt64(commandCount / 100)

  static func allocations(
    of command: LoopbackInitiator.Command, _ engine: EngineKind
  ) throws -> Allocations {
    let server = try LoopbackServer(engine: engine)
    defer { server.stop() }
    let initiator = try LoopbackInitiator(port: server.port)
    try initiator.logIn(to: LoopbackServer.targetName)
    // Pools have what twice as many at once took, also where the reactor never lags behind.
    server.holdReactor(milliseconds: 100)
    try initiator.run(command, count: commandCount, depth: 32)
    server.onReactor { allocation_counter_start() }
    try initiator.run(command, count: commandCount, depth: 16)
    return server.onReactor { Allocations.stopCounting() }
  }

  // MARK: The counter

  private final class Something {
    var value = 1
  }

  /// Whether it sees what the Swift runtime allocates.
  static func counterCounts() -> Bool {
    allocation_counter_start()
    let kept = makeSomethings(10)
    let count = allocation_counter_stop()
    // Ten objects and their array.
    guard count >= 11 else { return false }
    let more = makeSomethings(kept.count)
    return withExtendedLifetime((kept, more)) { allocation_counter_stop() == count }
  }

  /// Not seen through by the optimiser, which would do without the heap.
  @inline(never)
  private static func makeSomethings(_ count: Int) -> [Something] {
    (0..<count).map { _ in Something() }
  }
}
