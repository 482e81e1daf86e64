import AdministrationClient
import AdministrationModel
import ISCSITarget
import Reactor
import Testing

@testable import TargetDaemon

@Suite("Reactors that take no orders", .serialized)
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
