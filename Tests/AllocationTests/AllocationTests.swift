import AllocationCounter
import Glibc
import Reactor
import Testing

@Suite("Allocations in steady state", .enabled(if: allocation_counter_works()))
struct AllocationTests {
  /// A table that grows now and then may; a command may not.
  static let allocationsPerCommandMax = 0.01

  private final class Something {
    var value = 1
  }

  /// Not seen through by the optimiser, which would do without the heap.
  @inline(never)
  private func makeSomethings(_ count: Int) -> [Something] { (0..<count).map { _ in Something() } }

  @Test("The counter sees what the Swift runtime allocates")
  func counterCounts() {
    allocation_counter_start()
    let kept = makeSomethings(10)
    let count = allocation_counter_stop()
    // Ten objects and their array.
    #expect(count >= 11)
    let more = makeSomethings(kept.count)
    #expect(allocation_counter_stop() == count)
    withExtendedLifetime((kept, more)) {}
  }

  @Test(
    "A command in steady state allocates nothing",
    arguments: [EngineKind.uring, .aio], LoopbackInitiator.Command.allCases)
  func steadyState(engine: EngineKind, command: LoopbackInitiator.Command) throws {
    let server = try LoopbackServer(engine: engine)
    defer { server.stop() }
    let initiator = try LoopbackInitiator(port: server.port)
    try initiator.logIn(to: LoopbackServer.targetName)
    try initiator.run(command, count: 2_000, depth: 16)
    server.onReactor { allocation_counter_start() }
    try initiator.run(command, count: 2_000, depth: 16)
    let found = server.onReactor { Allocations.stopCounting() }
    let perCommand = Double(found.count) / 2_000
    #expect(perCommand <= AllocationTests.allocationsPerCommandMax, "\(found)")
  }
}

/// What a thread allocated, and where it did so first.
struct Allocations: Sendable, CustomStringConvertible {
  let count: UInt64
  /// Call stacks, innermost first.
  let origins: [[String]]

  /// Ends the count of the calling thread.
  static func stopCounting() -> Allocations {
    let count = allocation_counter_stop()
    let origins = (0..<allocation_counter_origins_max).map { number -> [String] in
      var depth: Int32 = 0
      guard let frames = allocation_counter_origin(Int32(number), &depth) else { return [] }
      defer { free(frames) }
      return (0..<Int(depth)).compactMap { frames[$0].map { String(cString: $0) } }
    }
    return Allocations(count: count, origins: origins.filter { !$0.isEmpty })
  }

  var description: String {
    let stacks = origins.map { $0.joined(separator: "\n  ") }
    return "\(count) allocations, the first at\n  " + stacks.joined(separator: "\nand at\n  ")
  }
}
