import AdministrationModel
import Foundation
import Testing

@testable import AdministrationCommands

@Suite("What a change takes from whom")
struct LossTests {
  private static let user = "\(Samples.node) from 192.0.2.7:50000 (session 3): has LUN 1 of iqn.t"
  private static let removal = [
    Difference(.removed, "targets[iqn.t].luns[1]", application: .reopen),
    Difference(.changed, "stores.b.size", old: "30MiB", new: "20MiB", application: .reopen),
  ]

  private static func losing(
    _ users: [String]?, _ reservations: [ReservationResource]? = nil
  ) -> FakeDaemon {
    FakeDaemon {
      $0.differences = removal
      $0.users = users
      $0.lost = reservations
    }
  }

  @Test("A dry run names who uses what would go, who holds it and who is registered")
  func dryRun() async {
    let daemon = Self.losing([Self.user], [Samples.reservation])
    let run = await run("lun remove --target iqn.t 1 --force --dry-run", daemon)
    #expect(
      run.output == """
        Nothing was done; it would change:
        - targets[iqn.t].luns[1]
        ~ stores.b.size           30MiB -> 20MiB  (cuts off 10MiB)
        used by 1 session:
          \(Self.user)
        store a is reserved: Write Exclusive – Registrants Only, registered: 1
          \(Samples.node) (holds it)

        """)
  }

  @Test("What nobody uses interrupts nobody; where that is not known, it may")
  func unused() async {
    let line = "lun remove --target iqn.t 1 --dry-run"
    let output = await run(line, Self.losing([])).output
    #expect(!output.contains("users") && !output.contains("used by"))
    #expect(await run(line, Self.losing(nil)).output.contains("(interrupts its users)\n"))
  }

  @Test("A change that is made says from whom it took what, and what stays on record")
  func done() async {
    let daemon = Self.losing([Self.user, "iqn.m"], [Samples.reservation])
    let run = await run("lun remove --target iqn.t 1 --force", daemon)
    #expect(
      run.output == """
        LUN 1 of iqn.t removed
        taken from 2 sessions:
          \(Self.user)
          iqn.m
        store a is reserved: Write Exclusive – Registrants Only, registered: 1
          \(Samples.node) (holds it)

        """)
  }

  @Test("A refusal names the reservation with the users, in JSON too")
  func refusal() async throws {
    let error = AdministrationError(
      .inUse, "a session uses it", remedy: "log out", users: [Self.user],
      reservations: [Samples.reservation])
    let daemon = FakeDaemon { $0.failure = error }
    #expect(
      await run("target remove iqn.t", daemon).errors == """
        swift-tgtadm: a session uses it
          \(Self.user)
          store a is reserved: Write Exclusive – Registrants Only, registered: 1
            \(Samples.node) (holds it)
          what to do: log out

        """)
    let json = await run("target remove iqn.t --json", daemon).errors
    let document = try JSONDecoder().decode(ErrorDocument.self, from: Data(json.utf8))
    #expect(document.error == error)
  }

  @Test("Registrants without a reservation, old reservations and unknown ones are told, too")
  func kinds() {
    var registered = Samples.reservation
    registered.reservation = nil
    #expect(
      LossText.reservations([registered]) == [
        "store a is not reserved, registered: 1", "  \(Samples.node)",
      ])
    var old = ReservationResource(store: "b\u{1B}")
    old.reservation = HeldReservation(type: "RESERVE(6)", holders: ["iqn.n"])
    #expect(
      LossText.reservations([old]) == [
        "store b\\u{1b} is reserved: RESERVE(6), registered: 0", "  iqn.n (holds it)",
      ])
    var unknown = ReservationResource(store: "c")
    unknown.problem = "it is not known"
    #expect(LossText.reservations([unknown]) == ["it is not known"])
  }

  @Test("Long lists end with how many more there are")
  func many() {
    var resource = ReservationResource(store: "a")
    resource.registrants = (1...10).map {
      RegistrantResource(key: "0x1", initiator: "iqn.\($0)", target: "iqn.t")
    }
    #expect(LossText.reservations([resource]).last == "  and 2 more")
    let all = LossText.reservations([ReservationResource](repeating: resource, count: 9))
    #expect(all.last == "and 1 more store with reservations")
  }

  @Test("A store that LUNs present is not removed, and its reservation is told before --force is")
  func store() async {
    let daemon = FakeDaemon {
      $0.refusal = AdministrationError(
        .conflict, "is presented by LUN 1", reservations: [Samples.reservation])
    }
    let run = await run("store remove a", daemon)
    #expect(run.code == 1)
    #expect(run.errors.contains("\n  store a is reserved: Write Exclusive – Registrants Only, "))
    #expect(run.errors.contains("--force removes them, too"))
    #expect(run.daemon.calls == ["change"])
  }
}
