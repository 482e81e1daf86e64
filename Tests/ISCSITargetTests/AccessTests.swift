import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

/// Who may use what: access entries, LUN maps and portal groups.
@Suite("Access")
struct AccessTests {
  static let node1 = "iqn.2026-11.com.example:node1"
  static let node2 = "iqn.2026-11.com.example:node2"

  static func closed(_ entries: [AccessEntry], units: Int = 1) -> TargetDefinition {
    var definition = Example.open(units: units)
    definition.admitsAnyInitiator = false
    definition.accessEntries = entries
    return definition
  }

  static func range(_ text: String) throws -> AddressRange { try #require(AddressRange(text)) }

  static func login(
    _ target: SimulatedTarget, _ name: String, from address: String? = nil
  ) -> (ScriptedInitiator, UInt16?) {
    let initiator = ScriptedInitiator(target, from: address)
    initiator.initiatorName = name
    return (initiator, initiator.login(to: Example.name))
  }

  @Test("A name that no entry has is refused with 0203")
  func byName() throws {
    let target = try SimulatedTarget(
      seed: 5, targets: [AccessTests.closed([AccessEntry(initiator: AccessTests.node1)])])
    let (one, admitted) = AccessTests.login(target, AccessTests.node1)
    let (two, refused) = AccessTests.login(target, AccessTests.node2)
    #expect(admitted == 0)
    #expect(refused == 0x0203)
    #expect(target.isIdle(after: [one, two]))
  }

  @Test("The right name from the wrong address is refused with 0203, as is the reverse")
  func byNameAndAddress() throws {
    let entry = AccessEntry(
      initiator: AccessTests.node1, addresses: [try AccessTests.range("10.0.1.0/24")])
    let target = try SimulatedTarget(seed: 5, targets: [AccessTests.closed([entry])])
    let attempts = [
      (AccessTests.node1, "10.0.1.7:1000", UInt16(0)),
      (AccessTests.node1, "10.0.2.7:1000", 0x0203),
      (AccessTests.node2, "10.0.1.8:1000", 0x0203),
    ]
    var initiators: [ScriptedInitiator] = []
    for (name, address, expected) in attempts {
      let (initiator, status) = AccessTests.login(target, name, from: address)
      #expect(status == expected, "\(name) from \(address)")
      initiators.append(initiator)
    }
    #expect(target.isIdle(after: initiators))
  }

  @Test("An unknown target is refused as a forbidden one is")
  func unknownTarget() throws {
    let target = try SimulatedTarget(seed: 5, targets: [Example.open()])
    let initiator = ScriptedInitiator(target)
    #expect(initiator.login(to: "iqn.2026-11.com.example:other") == 0x0203)
    #expect(target.isIdle(after: [initiator]))
  }

  /// T-ID-1. The status is that of a wrong secret: it does not tell whose the name is.
  @Test("An entry's users count instead of the target's")
  func usersOfAnEntry() throws {
    let own = CHAPUser(name: "own", secret: Secret("ownsecret123"))
    var definition = AccessTests.closed([
      AccessEntry(initiator: AccessTests.node1, users: [own]),
      AccessEntry(initiator: AccessTests.node2),
    ])
    definition.users = [LoginTests.user]
    let target = try SimulatedTarget(seed: 5, targets: [definition])
    let cases: [(String, CHAPUser, CHAPDialogue.Result)] = [
      (AccessTests.node1, own, .loggedIn),
      (AccessTests.node1, LoginTests.user, .refused(0x0201)),
      (AccessTests.node2, LoginTests.user, .loggedIn),
      (AccessTests.node2, own, .refused(0x0201)),
    ]
    var initiators: [ScriptedInitiator] = []
    for (name, user, expected) in cases {
      let initiator = ScriptedInitiator(target)
      initiator.initiatorName = name
      #expect(CHAPDialogue(user: user).login(initiator, to: Example.name) == expected)
      initiators.append(initiator)
    }
    #expect(target.isIdle(after: initiators))
  }

  @Test("Each initiator sees its own LUN map")
  func lunMap() throws {
    let own = [
      UnitPresentation(lun: 0, unit: "unit1"), UnitPresentation(lun: 5, unit: "unit0"),
    ]
    let target = try SimulatedTarget(
      seed: 5,
      targets: [
        AccessTests.closed(
          [
            AccessEntry(initiator: AccessTests.node1, units: own),
            AccessEntry(initiator: AccessTests.node2),
          ], units: 2)
      ])
    let (one, _) = AccessTests.login(target, AccessTests.node1)
    let (two, _) = AccessTests.login(target, AccessTests.node2)
    #expect(AccessTests.luns(one) == [0, 5])
    #expect(AccessTests.luns(two) == [0, 1])
    for lun in [0, 5] { one.clearUnitAttention(lun: UInt64(lun) << 48) }
    for lun in [0, 1] { two.clearUnitAttention(lun: UInt64(lun) << 48) }
    let data = Example.pattern(1024)
    #expect(one.write(4, data, lun: 5 << 48)?.status == 0)
    let seen = two.read(4, 2)
    let isSame = seen?.data == data
    #expect(isSame)
    let missing = one.command(ScriptedInitiator.testUnitReady, lun: 1 << 48)
    #expect(missing?.sense == 0x05_25_00)
    #expect(target.isIdle(after: [one, two]))
  }

  /// REPORT LUNS.
  static func luns(_ initiator: ScriptedInitiator) -> [Int]? {
    let cdb: [UInt8] = [0xA0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    guard let data = initiator.command(cdb, expected: 256)?.data, data.count >= 8 else {
      return nil
    }
    return stride(from: 8, to: data.count, by: 8).map { Int(data[$0 + 1]) }
  }

  @Test("A read-only entry reads, and its writes answer WRITE PROTECTED and write nothing")
  func readOnly() throws {
    let target = try SimulatedTarget(
      seed: 5,
      targets: [
        AccessTests.closed([
          AccessEntry(initiator: AccessTests.node1, isReadOnly: true),
          AccessEntry(initiator: AccessTests.node2),
        ])
      ])
    let (reader, _) = AccessTests.login(target, AccessTests.node1)
    let (writer, _) = AccessTests.login(target, AccessTests.node2)
    reader.clearUnitAttention()
    writer.clearUnitAttention()
    let data = Example.pattern(8 * 512)
    for immediate in [0, 512, 4096] {
      let outcome = reader.write(0, data, immediate: immediate)
      #expect(outcome?.status == 2)
      #expect(outcome?.sense == Sense.writeProtected)
    }
    #expect(try target.disk().writesLanded.isEmpty)
    #expect(writer.write(0, data)?.status == 0)
    #expect(reads(data, at: 0, reader))
    #expect(target.isIdle(after: [reader, writer]))
  }

  @Test("A target is reached only through the portals of its groups")
  func portalGroups() throws {
    let target = try SimulatedTarget(seed: 5, targets: [Example.open()])
    let listener = try target.listen(at: "10.0.0.1:3261", groupTag: 2)
    let initiator = ScriptedInitiator(target, to: "10.0.0.1:3261")
    #expect(initiator.login(to: Example.name) == 0x0203)
    let (other, status) = AccessTests.login(target, AccessTests.node1)
    #expect(status == 0)
    listener.close()
    target.pass(milliseconds: 10)
    #expect(target.isIdle(after: [initiator, other]))
  }
}
