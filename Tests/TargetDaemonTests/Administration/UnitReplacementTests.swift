import AdministrationModel
import Reactor
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Units whose former operations do not end", .serialized)
struct UnitReplacementTests {
  private static func replace(_ live: LiveDaemon, isWanted: Bool) async throws -> [String] {
    let opened = try #require(live.daemon.inventory.served(named: "disk")).opened
    let replacement = UnitReplacement(
      daemon: live.daemon, opened: opened, loaded: live.service.administration.running.current,
      isWanted: { _ in isWanted }, patience: Milliseconds(20))
    return try await onThread { replacement.carryOut() }
  }

  @Test("A unit that is replaced late is there when they have ended, and the log says so")
  func comesLate() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, LiveDaemon.target)
    let stopped = StoppedReactors(live.daemon, fillingMailboxes: false)
    let warnings = try await Self.replace(live, isWanted: true)
    #expect(warnings.count == 1 && warnings.first?.contains("opened anew when they have") == true)
    #expect(live.daemon.inventory.served.isEmpty)
    stopped.goOn()
    #expect(eventually { live.book.contains("the store is opened anew") })
    #expect(live.daemon.inventory.served.map(\.name) == ["disk"])
    #expect(live.daemon.inventory.leaving.isEmpty)
    _ = node
  }

  @Test("One that was changed again meanwhile is not brought back, and the log says so")
  func comesTooLate() async throws {
    let live = try await LiveDaemon.start()
    let stopped = StoppedReactors(live.daemon, fillingMailboxes: false)
    _ = try await Self.replace(live, isWanted: false)
    stopped.goOn()
    #expect(eventually { live.book.contains("is another by now") })
    #expect(live.daemon.inventory.served.isEmpty)
  }

  @Test("Where the reactors take no orders, it is said that the store is not served")
  func takesNoOrders() async throws {
    let live = try await LiveDaemon.start()
    let stopped = StoppedReactors(live.daemon, fillingMailboxes: true)
    let warnings = try await Self.replace(live, isWanted: true)
    #expect(warnings.first?.contains("take no orders: the store disk is not served") == true)
    stopped.goOn()
  }
}
