import AdministrationClient
import AdministrationModel
import Reactor
import ServiceFixtures
import Testing

@testable import ISCSITarget
@testable import TargetDaemon

@Suite("Refused logins, as administrators see them", .serialized, .waiting)
struct RefusedLoginsTests {
  private let now = Timestamp(secondsSinceEpoch: 1_795_243_454)

  private func login(
    _ name: String, _ reason: LoginFailureReason = .notFound, host: UInt8 = 7, port: UInt16 = 1,
    detail: String = "why", from ip: IPAddress? = nil
  ) -> RefusedLogin {
    RefusedLogin(
      initiatorName: name, targetName: "iqn.t",
      address: SocketAddress(ip: ip ?? address(host), port: port), reason: reason, detail: detail)
  }

  private func address(_ host: UInt8) -> IPAddress { IPAddress(bytes: [192, 0, 2, host]) }

  @Test("Logins that are alike are one, whatever their port; the newest is first")
  func counts() {
    let logins = RefusedLogins()
    logins.add(login("a", port: 1), at: now)
    logins.add(login("b"), at: now)
    logins.add(login("a", port: 2, detail: "another"), at: now)
    logins.add(login("a", .authentication), at: now)
    let recent = logins.recent(at: now)
    #expect(recent.map(\.initiator) == ["a", "a", "b"])
    #expect(recent.map(\.reason) == ["authentication", "notFound", "notFound"])
    #expect(recent.map(\.count) == [1, 2, 1])
    #expect(recent[1].message == "no such target for it: another")
    #expect(recent[1].address == "192.0.2.7")
  }

  @Test("A flood of names keeps the newest sixteen, and a long reason is cut")
  func flood() {
    let logins = RefusedLogins()
    for number in 0..<10_000 { logins.add(login("n\(number)"), at: now) }
    let recent = logins.recent(at: now)
    #expect(recent.count == RefusedLogins.countMax)
    #expect(recent.first?.initiator == "n9999" && recent.last?.initiator == "n9984")
    logins.add(login("a", detail: String(repeating: "x", count: 8192)), at: now)
    #expect((logins.recent(at: now).first?.message.count ?? 0) < 300)
  }

  @Test("What is an hour old is not shown, nor what has logged in since")
  func forgets() {
    let logins = RefusedLogins()
    logins.add(login("a"), at: now)
    logins.add(login("b"), at: now)
    logins.forget(initiator: "a", target: "iqn.t", address: address(7))
    #expect(logins.recent(at: now).map(\.initiator) == ["b"])
    let later = Timestamp(
      millisecondsSinceEpoch: now.millisecondsSinceEpoch + RefusedLogins.shownMilliseconds + 1)
    #expect(logins.recent(at: later).isEmpty)
  }

  @Test("Who guesses under a name is not forgotten when its owner logs in from elsewhere")
  func guesses() {
    let logins = RefusedLogins()
    logins.add(login("a", .authentication, host: 66), at: now)
    logins.add(login("a", .authentication, host: 7), at: now)
    logins.forget(initiator: "a", target: "iqn.t", address: address(7))
    #expect(logins.recent(at: now).map(\.address) == ["192.0.2.66"])
  }

  @Test("Names that one address makes up leave the others their entries")
  func madeUpNames() {
    let logins = RefusedLogins()
    logins.add(login("a", .authentication), at: now)
    logins.add(login("b", .authentication), at: now)
    for number in 0..<1000 { logins.add(login("n\(number)", host: 66), at: now) }
    logins.add(login("c", .authentication, host: 8), at: now)
    let recent = logins.recent(at: now)
    #expect(recent.count == RefusedLogins.countMax)
    #expect(recent.map(\.initiator).filter { $0?.hasPrefix("n") == false } == ["c", "b", "a"])
    #expect(recent[1].initiator == "n999")
  }

  @Test("A hundred addresses of one IPv6 network leave another address its entry")
  func addressesOfOneHost() throws {
    let logins = RefusedLogins()
    logins.add(login("a", .authentication), at: now)
    for number in 0..<100 {
      let ip = try #require(IPAddress("2001:db8:0:1:\(number)::\(number)"))
      logins.add(login("n", from: ip), at: now)
    }
    let recent = logins.recent(at: now)
    #expect(recent.count == RefusedLogins.countMax)
    #expect(recent.last?.initiator == "a")
    #expect(recent.first?.address == "2001:db8:0:1:99::99")
  }

  @Test("Who comes again and again is not forgotten for many who come once; these are shown, too")
  func manyAddresses() {
    let logins = RefusedLogins()
    for _ in 0..<2 { logins.add(login("a", .authentication), at: now) }
    for host in 100..<200 { logins.add(login("n", host: UInt8(host)), at: now) }
    let recent = logins.recent(at: now)
    #expect(recent.count == RefusedLogins.countMax)
    #expect(recent.last?.initiator == "a" && recent.last?.count == 2)
    #expect(recent.first?.address == "192.0.2.199")
  }

  @Test("Those that are not shown any more, however often they came, leave their room to others")
  func oldOnes() {
    let logins = RefusedLogins()
    for host in 0..<16 {
      for _ in 0..<2 { logins.add(login("old", host: UInt8(host)), at: now) }
    }
    let later = Timestamp(
      millisecondsSinceEpoch: now.millisecondsSinceEpoch + RefusedLogins.shownMilliseconds + 1)
    for host in 100..<116 { logins.add(login("n", host: UInt8(host)), at: later) }
    #expect(logins.recent(at: later).count == RefusedLogins.countMax)
  }

  @Test("Status tells who was refused, where, from where and why, until it is let in")
  func status() async throws {
    let live = try await LiveDaemon.start()
    let (client, name) = (live.client, "iqn.2026-11.com.example:disk2")
    for _ in 0..<2 { _ = try Initiator(port: live.port).logIn(to: name) }
    var status = try await client.status()
    #expect(status.loginFailures == ["notFound": 2])
    let refused = try #require(status.refusedLogins.first)
    #expect(status.refusedLogins.count == 1 && refused.count == 2)
    #expect(refused.initiator == "iqn.2026-11.com.example:node1" && refused.target == name)
    #expect(refused.address == "127.0.0.1" && refused.reason == "notFound")
    #expect(refused.message.contains("no access entry matches this initiator"))
    var target = TargetSpecification(name: name)
    target.isOpenToAny = true
    try await live.change(.addTarget(target))
    #expect(try Initiator(port: live.port).logIn(to: name) == 0)
    status = try await client.status()
    #expect(status.refusedLogins.isEmpty)
    #expect(status.loginFailures == ["notFound": 2], "counters only grow")
  }
}
