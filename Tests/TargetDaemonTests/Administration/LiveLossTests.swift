import AdministrationClient
import AdministrationModel
import Reactor
import SCSITarget
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("What a change takes from whom, as the daemon says it", .serialized, .waiting)
struct LiveLossTests {
  private static let target = LiveDaemon.target
  private static let node = "iqn.2026-11.com.example:node1"
  private let removal = Change.removeLUN(Change.LUNName(target: target, lun: 1))

  /// The disk is reserved by the node.
  private func reserved(_ live: LiveDaemon) throws -> Initiator {
    let node = try Initiator.session(port: live.port, Self.target, name: Self.node)
    #expect(try node.register(7, lun: 1).status == 0)
    #expect(try node.reserve(7, lun: 1).status == 0)
    return node
  }

  private func expectReserved(
    _ reservations: [ReservationResource]?, location: SourceLocation = #_sourceLocation
  ) {
    let resource = reservations?.first
    #expect(reservations?.map(\.store) == ["disk"], sourceLocation: location)
    #expect(
      resource?.reservation?.type == "Write Exclusive – Registrants Only",
      sourceLocation: location)
    #expect(resource?.reservation?.holders == [Self.node], sourceLocation: location)
    #expect(resource?.registrants.map(\.initiator) == [Self.node], sourceLocation: location)
  }

  @Test("A LUN or target in use is refused with the reservation on it, and its dry run says both")
  func use() async throws {
    let live = try await LiveDaemon.start()
    try await live.addLUN("other")
    let node = try reserved(live)
    let ofTarget = Change.removeTarget(Change.TargetName(Self.target))
    for change in [removal, ofTarget] {
      let error = try await live.refusal([change])
      #expect(error.code == .inUse && error.users?.count == 1)
      #expect(error.message.contains("a session uses it: nothing was changed"))
      expectReserved(error.reservations)
      let trial = try await live.change(change, options: ChangeOptions(force: true, dryRun: true))
      #expect(trial.users == error.users)
      expectReserved(trial.reservations)
    }
    let other = Change.removeLUN(Change.LUNName(target: Self.target, lun: 2))
    #expect(try await live.refusal([other]).reservations == nil, "of another store")
    do {
      let second = try Initiator.session(port: live.port, Self.target, name: Self.node + "b")
      let error = try await live.refusal([removal], isForeseen: false)
      #expect(error.message.contains("2 sessions use it"))
      _ = second
    }
    let made = try await live.change(removal, options: ChangeOptions(force: true))
    #expect(made.users?.contains { $0.hasPrefix("\(Self.node) ") } == true)
    expectReserved(made.reservations)
    _ = node
  }

  @Test("A store that LUNs present is refused with the reservation on it, and no other store's")
  func presented() async throws {
    let live = try await LiveDaemon.start()
    try await live.addLUN("other")
    let node = try reserved(live)
    let removal = Change.removeStore(Change.StoreName("disk"))
    let error = try await live.refusal([removal])
    #expect(error.code == .conflict && error.message.hasPrefix("is presented by "))
    expectReserved(error.reservations)
    let ofOther = Change.removeStore(Change.StoreName("other"))
    #expect(try await live.refusal([ofOther]).reservations == nil)
    let afterwards = try await live.refusal([self.removal, removal, ofOther])
    #expect(afterwards.change == 2 && afterwards.reservations == nil)
    _ = node
  }

  @Test("Of a disk that nobody is logged in to, the reservation is told all the same")
  func registered() async throws {
    let live = try await LiveDaemon.start()
    do { _ = try reserved(live) }
    try await live.noSession()
    let trial = try await live.change(removal, options: ChangeOptions(dryRun: true))
    #expect(trial.users == [])
    expectReserved(trial.reservations)
    let made = try await live.change(removal)
    expectReserved(made.reservations)
    let store = try await live.change(.removeStore(Change.StoreName("disk")))
    expectReserved(store.reservations)
  }

  @Test("When the time is over no unit is asked any more, and each is told to be not known")
  func late() async throws {
    let live = try await LiveDaemon.start()
    let units = live.daemon.units + live.daemon.units
    var askedCount = 0
    let answers = Interruption.reservations(of: units, until: .current) { _, _ in
      askedCount += 1
      return true
    }
    #expect(askedCount == 0)
    #expect(answers.map(\.store) == ["disk", "disk"])
    #expect(answers.allSatisfy { $0.problem?.contains("is not known") == true })
  }

  @Test("A change that takes nothing says so")
  func nothing() async throws {
    let live = try await LiveDaemon.start()
    let node = try reserved(live)
    let result = try await live.addLUN("other")
    #expect(result.users == [] && result.reservations == nil)
    _ = node
  }
}

extension LiveDaemon {
  /// Bounded: returns when nobody is logged in any more.
  fileprivate func noSession() async throws {
    for _ in 0..<1000 {
      if try await client.status().sessionCount == 0 { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("a session does not end")
  }
}
