import Reactor
import SCSIModel
import SCSITarget
import ServiceFixtures
import Testing

@testable import TargetDaemon

/// Tables of reservations that initiators make, through the state file and the next start.
@Suite("Many registrants and a restart", .serialized, .waiting)
struct ManyRegistrantsTests {
  private static let target = "iqn.2026-11.com.example:t"
  private static let naa = "60205a5a5a5a5a5a5a5a5a5a5a5a5a5a"
  private static let key: UInt8 = 7

  let scratch: Scratch
  let book = LogBook()
  init() throws { scratch = try Scratch() }

  /// The first node answers no pings while the others register.
  private func start(_ port: UInt16) throws -> Daemon {
    let text = """
      "portals": ["127.0.0.1:\(port)"],
      "stores": {"disk": {"memory": true, "size": "1MiB", "naa": "\(Self.naa)"}},
      "targets": [{"name": "\(Self.target)", "luns": [{"lun": 1, "store": "disk"}],
                   "initiators": "any", "iscsi": {"nopInterval": 0}}]
      """
    return try Daemon(try scratch.load(text), logger: book.logger)
  }

  private func node(_ name: String, _ port: UInt16) throws -> Initiator {
    try .session(port: port, Self.target, name: "iqn.2026-11.com.example:\(name)")
  }

  /// REGISTER with APTPL; with SPEC_I_PT for ports that no session has, numbered from `first`.
  private func register(_ node: Initiator, others count: Int, from first: Int) throws -> UInt8 {
    let ports = (0..<count).flatMap {
      TransportID.port(InitiatorPort(name: "n", isid: UInt64(first + $0))).encoded
    }
    let key = [UInt8](repeating: 0, count: 15) + [Self.key]
    let flags: UInt8 = ports.isEmpty ? 0x01 : 0x09
    let length = [0, 0, UInt8(ports.count >> 8), UInt8(ports.count & 0xFF)]
    let list = key + [0, 0, 0, 0, flags, 0, 0, 0] + (ports.isEmpty ? [] : length + ports)
    let cdb = [0x5F, 0, 0, 0, 0, 0, 0, UInt8(list.count >> 8), UInt8(list.count & 0xFF), 0]
    return try node.execute(cdb, lun: 1, writing: list).status
  }

  /// READ KEYS: ADDITIONAL LENGTH in keys, and whether each is the one that all have.
  private func keys(_ node: Initiator) throws -> Int {
    let data = try node.execute(
      [0x5E, 0, 0, 0, 0, 0, 0, 0x40, 0, 0], lun: 1, reading: 0x4000
    ).data
    guard data.count >= 8 else { return -1 }
    let length = data[4..<8].reduce(0) { $0 << 8 | Int($1) }
    let areAll = stride(from: 8, to: data.count, by: 8).allSatisfy { data[$0 + 7] == Self.key }
    return areAll && data.count == 8 + length ? length / 8 : -1
  }

  /// Registers nodes until there are `count`, as many of them as may be without a session; the
  /// first of them. The others log out again and stay registered.
  private func fill(_ port: UInt16, count: Int) throws -> Initiator {
    // 24 bytes for each, of the 8192 that a PDU may have.
    let most = 320
    let first = try self.node("node0", port)
    var registered = 0
    while registered < count {
      let node = try registered == 0 ? first : self.node("node\(registered)", port)
      let withoutSession = count - ReservationState.registrationsReserved - registered - 1
      let others = max(0, min(most, withoutSession))
      try #require(try register(node, others: others, from: registered) == 0)
      registered += others + 1
    }
    return first
  }

  /// T-PR-2.
  @Test(
    "As many registrants as there may be are in the state file, and all are there after a restart",
    arguments: [1, 15, 16, 17, 255, 1000, ReservationState.registrationsMax])
  func restart(count: Int) throws {
    let port = Loopback.freePort()
    var first: Daemon? = try start(port)
    var node: Initiator? = try fill(port, count: count)
    try #require(try node?.reserve(Self.key, lun: 1).status == 0)
    #expect(try node.map { try keys($0) } == count)
    let state = try #require(first?.units.first?.reservationState)
    #expect(state.registrations.count == count && state.persistsThroughPowerLoss)
    node = nil
    #expect(first?.stop() == true)
    first = nil

    // What the file says, and not what the process remembered.
    let content = try scratch.read("state/reservations/\(Self.naa)")
    let isInFile = try ReservationFile(content: content).state == state
    #expect(isInFile)

    let second = try start(port)
    let isInForce = second.units.first?.reservationState == state
    #expect(isInForce)
    try expectInForce(port, count)
    #expect(second.stop())
  }

  /// The holder of old writes; nobody else does, and there is no room for more than the most.
  private func expectInForce(_ port: UInt16, _ count: Int) throws {
    let holder = try self.node("node0", port)
    #expect(try keys(holder) == count)
    let write: [UInt8] = [0x2A, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    let block = [UInt8](repeating: 1, count: 512)
    #expect(try holder.execute(write, lun: 1, writing: block).status == 0)
    let stranger = try self.node("stranger", port)
    #expect(try stranger.execute(write, lun: 1, writing: block).status == 0x18)
    guard count == ReservationState.registrationsMax else { return }
    #expect(try register(stranger, others: 0, from: 0) == 2)
    #expect(try keys(stranger) == count)
  }
}
