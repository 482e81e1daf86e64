import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Many registrants")
struct ManyRegistrantsTests {
  /// REGISTER with SPEC_I_PT and APTPL, for ports that no session has.
  private func register(_ key: UInt64, others count: Int) -> (cdb: [UInt8], out: [UInt8]) {
    let ports = (0..<count).flatMap {
      TransportID.port(InitiatorPort(name: "n", isid: UInt64($0))).encoded
    }
    let list =
      CDB.bytes(0, 8) + CDB.bytes(key, 8) + [0, 0, 0, 0, 0x09, 0, 0, 0]
      + CDB.bytes(UInt64(ports.count), 4) + ports
    return ([0x5F, 0, 0, 0, 0] + CDB.bytes(UInt64(list.count), 4) + [0], list)
  }

  private func registerItself() -> (cdb: [UInt8], out: [UInt8]) {
    var command = Reserve.register(7)
    command.out[20] = 0x01
    return command
  }

  /// ADDITIONAL LENGTH of READ KEYS, in keys.
  private func keyCount(_ node: Node) -> Int {
    let data = node.report(0)
    guard data.count >= 8 else { return -1 }
    return data[4..<8].reduce(0) { $0 << 8 | Int($1) } / 8
  }

  /// T-PR-2.
  @Test(
    "As many registrants as there may be are handed over whole to be saved, and in force from that",
    arguments: [1, 15, 16, 17, 255, 1000, ReservationState.registrationsMax])
  func saved(count: Int) throws {
    let cluster = Cluster()
    let node = cluster.node("a")
    let others = min(count - 1, 900)
    #expect(node.run(register(7, others: others)) == "good")
    for index in 0..<count - 1 - others {
      #expect(cluster.node("m\(index)", on: index % 2).run(registerItself()) == "good")
    }
    let state = cluster.unit.reservationState
    #expect(state.registrations.count == count && state.persistsThroughPowerLoss)
    let saved = try #require(cluster.persistence.saved.last)
    #expect(saved == state)
    let next = Cluster(reservations: .intact(saved))
    #expect(keyCount(next.node("a")) == count)
    #expect(keyCount(next.node("new", on: 1)) == count)
  }

  /// T-PR-2.
  @Test("One registrant more than there may be is answered 05/55/04, and nothing is saved")
  func limit() throws {
    var state = ReservationState()
    state.registrations = (0..<ReservationState.registrationsMax).map {
      Registration(
        nexus: NexusIdentity(
          initiator: InitiatorPort(name: "n", isid: UInt64($0)),
          target: TargetPort(name: "iqn.2026-01.example:t", portalGroupTag: 1)), key: 7)
    }
    let cluster = Cluster(reservations: .intact(state))
    let node = cluster.node("a", on: 1)
    for command in [registerItself(), Reserve.out(6, new: 7), register(7, others: 3)] {
      #expect(node.run(command) == "05/55/04")
    }
    #expect(cluster.unit.reservationState == state)
    #expect(cluster.persistence.saved.isEmpty)
    #expect(keyCount(node) == ReservationState.registrationsMax)
  }

  /// T-PR-1.
  @Test("Ten thousand TransportIDs are refused before there is memory for them; nobody registers")
  func tenThousand() {
    let cluster = Cluster()
    let node = cluster.node("a")
    #expect(node.run(register(7, others: 2700)) == "05/55/04")
    let list = register(7, others: 10_000)
    #expect(list.out.count > PersistentReserveOut.parameterListBytesMax)
    #expect(node.run(list) == "05/1A/00")
    #expect(keyCount(node) == 0)
    #expect(node.run(register(7, others: 0)) == "good")
    #expect(keyCount(node) == 1)
  }
}
