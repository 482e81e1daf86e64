import AdministrationClient
import AdministrationModel
import BackingStore
import Glibc
import ISCSITarget
import Reactor
import ServiceFixtures
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Reactors that take no orders", .serialized, .waiting)
struct BusyReactorTests {
  @Test("Nobody is told that a session ended or reservations are cleared when nobody was asked")
  func saysThatItDidNothing() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, LiveDaemon.target)
    #expect(try node.register(7, lun: 1).status == 0)
    let session = try #require(try await live.client.sessions().first).id
    let client = live.client
    let asks: [@Sendable () async throws -> Void] = [
      { try await client.endSession(session, by: .kill) },
      { try await client.endSession(session, by: .logout) },
      { try await client.endSession(999_999, by: .kill) },
      { try await client.clearReservations(store: "disk") },
    ]
    let stopped = StoppedReactors(live.daemon, fillingMailboxes: true)
    for ask in asks {
      let error = await #expect(throws: AdministrationError.self) { try await ask() }
      #expect(error == .tooBusy)
    }
    stopped.goOn()
    #expect(!live.book.contains("a session was ended") && !live.book.contains("asked to log out"))
    #expect(try node.testUnitReady(1).status == 0, "it goes on")
    #expect(try await live.client.reservations().first?.registrants.count == 1)
  }

  @Test("A clearing of reservations that is still to come is not told as one that was not made")
  func clearsLater() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, LiveDaemon.target)
    #expect(try node.register(7, lun: 1).status == 0)
    let administration = live.service.administration
    let stopped = StoppedReactors(live.daemon, fillingMailboxes: false)
    let error = await #expect(throws: AdministrationError.self) {
      try await administration.clearReservations(store: "disk", within: .milliseconds(20))
    }
    stopped.goOn()
    #expect(error?.code == .unanswered)
    #expect(error?.message.hasSuffix("its reservations are cleared when they have") == true)
    var left = 1
    for _ in 0..<1200 where left > 0 {
      left = (try? await live.client.reservations().count) ?? left
      try await Task.sleep(for: .milliseconds(25))
    }
    #expect(left == 0)
  }

  @Test("The lock of a store that comes late is waited for, though the reactors are late, too")
  func lateLock() async throws {
    let live = try await LiveDaemon.start()
    let daemon = live.daemon
    let loaded = live.service.administration.running.current
    try live.scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "late.img")
    let holder = open(live.scratch("late.img"), O_RDWR)
    #expect(holder >= 0 && flock(holder, LOCK_EX | LOCK_NB) == 0)
    var configured = try #require(loaded.configuration.store(named: "disk"))
    configured.name = "late"
    configured.medium = .file(path: live.scratch("late.img"))
    let store = try daemon.workshop.assembly(of: loaded).finding(configured).get()
    #expect(store.readiness == .waitingForLock)
    let opened = StoreAssembly.Opened(configured: configured, store: store)
    let claim = UnitClaim(of: opened, naa: [0x60] + [UInt8](repeating: 7, count: 15))
    let departure = Departure(claim)
    let successor = UnitExchange.Successor(opened: opened, claim: claim, formers: ["late"])
    let sentence = UnitExchange(daemon: daemon).bring(
      successor, after: [departure], loaded, by: .current)
    #expect(sentence?.contains("is opened anew when they have") == true)
    let stopped = StoppedReactors(daemon, fillingMailboxes: false)
    departure.ended(isLatched: false)
    #expect(eventually { live.book.contains("the unit of the store late is on its way") })
    stopped.goOn()
    close(holder)
    #expect(eventually { store.readiness == .ready })
  }

  @Test("A question that nobody was asked is told from one that is not answered yet")
  func timelyAnswers() async {
    let answered = await withinTime(.seconds(60)) { answer in
      answer(7)
      return true
    }
    #expect(answered.value == 7)
    let pending: TimelyAnswer<Int> = await withinTime(.milliseconds(1)) { _ in true }
    if case .pending = pending {} else { Issue.record("it was asked, and not answered") }
    let refused: TimelyAnswer<Int> = await withinTime(.seconds(60)) { _ in false }
    if case .notAsked = refused {} else { Issue.record("it was not asked") }
  }
}
