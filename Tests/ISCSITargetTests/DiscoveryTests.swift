import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation
import Testing

@Suite("Discovery")
struct DiscoveryTests {
  static let other = "iqn.2026-11.com.example:other"

  static func targets() -> [TargetDefinition] {
    var closed = Example.open()
    closed.name = other
    closed.admitsAnyInitiator = false
    closed.accessEntries = [AccessEntry(initiator: AccessTests.node2)]
    return [Example.open(), closed]
  }

  static func make() throws -> SimulatedTarget {
    try SimulatedTarget(seed: 9, targets: DiscoveryTests.targets())
  }

  /// The answer to SendTargets as "key=value" lines; nil if the discovery login failed.
  static func sendTargets(
    _ value: String, _ target: SimulatedTarget, name: String = AccessTests.node1
  ) -> [String]? {
    let initiator = ScriptedInitiator(target)
    initiator.initiatorName = name
    guard initiator.login(to: "", discovery: true) == 0 else { return nil }
    let answer = initiator.text([("SendTargets", value)])
    guard initiator.logout(.closeSession) == .closed, initiator.waitForClose(seconds: 5) else {
      return nil
    }
    return answer?.map { "\($0.0)=\($0.1)" }
  }

  @Test("SendTargets=All shows what this initiator may use, and nothing else")
  func all() throws {
    let target = try DiscoveryTests.make()
    let open = ["TargetName=\(Example.name)", "TargetAddress=10.0.0.1:3260,1"]
    let closed = ["TargetName=\(DiscoveryTests.other)", "TargetAddress=10.0.0.1:3260,1"]
    #expect(DiscoveryTests.sendTargets("All", target) == open)
    #expect(
      DiscoveryTests.sendTargets("All", target, name: AccessTests.node2) == open + closed)
    #expect(target.isIdle(after: []))
  }

  @Test("SendTargets of a name shows that target, and nothing if it is not for this initiator")
  func named() throws {
    let target = try DiscoveryTests.make()
    #expect(
      DiscoveryTests.sendTargets(Example.name, target) == [
        "TargetName=\(Example.name)", "TargetAddress=10.0.0.1:3260,1",
      ])
    #expect(DiscoveryTests.sendTargets(DiscoveryTests.other, target) == [])
    #expect(target.isIdle(after: []))
  }

  @Test("In a normal session SendTargets shows the session's own target only")
  func normalSession() throws {
    let target = try DiscoveryTests.make()
    let initiator = try ScriptedInitiator.loggedIn(target, number: 2)
    let own = initiator.text([("SendTargets", "")])?.map { "\($0.0)=\($0.1)" }
    #expect(own == ["TargetName=\(Example.name)", "TargetAddress=10.0.0.1:3260,1"])
    let other = initiator.text([("SendTargets", DiscoveryTests.other)])
    #expect(other?.map { "\($0.0)=\($0.1)" } == ["SendTargets=Reject"])
    #expect(initiator.command(ScriptedInitiator.testUnitReady)?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Only the portals of a target's groups are announced, each by its advertised address")
  func portalGroups() throws {
    let target = try DiscoveryTests.make()
    var definition = Example.open()
    definition.portalGroupTags = [1, 3]
    try target.publish(
      [definition],
      portals: [
        PortalDefinition(
          address: try #require(SocketAddress("10.0.0.1:3260")), groupTag: 1,
          advertised: "192.0.2.1:3260"),
        PortalDefinition(address: try #require(SocketAddress("10.0.9.1:3260")), groupTag: 2),
        PortalDefinition(address: try #require(SocketAddress("10.0.8.1:3260")), groupTag: 3),
      ])
    #expect(
      DiscoveryTests.sendTargets("All", target) == [
        "TargetName=\(Example.name)", "TargetAddress=192.0.2.1:3260,1",
        "TargetAddress=10.0.8.1:3260,3",
      ])
    #expect(target.isIdle(after: []))
  }

  @Test("A wildcard portal is announced as the address the connection came to, of that family only")
  func wildcard() throws {
    let target = try DiscoveryTests.make()
    try target.publish(
      [Example.open()],
      portals: [
        PortalDefinition(address: try #require(SocketAddress("0.0.0.0:3260")), groupTag: 1),
        PortalDefinition(address: try #require(SocketAddress("[::]:3260")), groupTag: 1),
      ])
    #expect(
      DiscoveryTests.sendTargets("All", target) == [
        "TargetName=\(Example.name)", "TargetAddress=10.0.0.1:3260,1",
      ])
    #expect(target.isIdle(after: []))
  }

  @Test("A target that is at no portal the initiator can be told of is not announced at this one")
  func otherFamilyOnly() throws {
    let target = try DiscoveryTests.make()
    var elsewhere = Example.open()
    elsewhere.name = DiscoveryTests.other
    elsewhere.portalGroupTags = [2]
    try target.publish(
      [Example.open(), elsewhere],
      portals: [
        PortalDefinition(address: try #require(SocketAddress("0.0.0.0:3260")), groupTag: 1),
        PortalDefinition(address: try #require(SocketAddress("[::]:3261")), groupTag: 2),
      ])
    #expect(
      DiscoveryTests.sendTargets("All", target) == [
        "TargetName=\(Example.name)", "TargetAddress=10.0.0.1:3260,1",
      ])
    // Its portal is not in the directory any more; it is still where the question came in.
    try target.publish([Example.open(), elsewhere], portals: [])
    #expect(
      DiscoveryTests.sendTargets("All", target) == ["TargetName=\(Example.name)"])
    #expect(target.isIdle(after: []))
  }

  @Test("Discovery users must prove themselves; the users of targets do not count for discovery")
  func chap() throws {
    let target = try DiscoveryTests.make()
    let user = CHAPUser(name: "finder", secret: Secret("findersecret"))
    var definition = Example.open()
    definition.users = [LoginTests.user]
    try target.publish([definition], discoveryUsers: [user])
    #expect(DiscoveryTests.sendTargets("All", target) == nil)
    let finder = ScriptedInitiator(target)
    #expect(CHAPDialogue(user: user).login(finder, to: nil) == .loggedIn)
    #expect(finder.text([("SendTargets", "All")])?.first?.1 == Example.name)
    let stranger = ScriptedInitiator(target)
    #expect(CHAPDialogue(user: LoginTests.user).login(stranger, to: nil) == .refused(0x0201))
    #expect(target.isIdle(after: [finder, stranger]))
  }

  @Test("A SCSI command in a discovery session ends it, rejected")
  func noCommands() throws {
    let target = try DiscoveryTests.make()
    let initiator = ScriptedInitiator(target)
    #expect(initiator.login(to: "", discovery: true) == 0)
    initiator.sendCommand(ScriptedInitiator.testUnitReady)
    #expect(initiator.receive(.reject)?.header.bytes[2] == RejectReason.protocolError.rawValue)
    #expect(initiator.waitForClose(seconds: 5))
    #expect(target.isIdle(after: []))
  }

  @Test("A list longer than the initiator's segment comes in pieces")
  func longList() throws {
    let target = try DiscoveryTests.make()
    let many = (0..<200).map { number in
      var definition = Example.open()
      definition.name = "iqn.2026-11.com.example:disk-number-\(number)"
      return definition
    }
    try target.publish(many)
    let initiator = ScriptedInitiator(target)
    #expect(initiator.login(to: "", discovery: true, segment: 512) == 0)
    var text: [UInt8] = []
    initiator.sendText([("SendTargets", "All")])
    var pieces = 0
    while let answer = initiator.receive(.textResponse) {
      text += answer.data
      pieces += 1
      guard !TextResponse(answer.header).isFinal else { break }
      var header = BasicHeaderSegment(opcode: .textRequest)
      header.isFinal = true
      header.initiatorTaskTag = answer.header.initiatorTaskTag
      header.bytes.setBigEndian(TextResponse(answer.header).targetTransferTag.rawValue, at: 20)
      header.bytes.setBigEndian(initiator.takeCmdSN().rawValue, at: 24)
      header.bytes.setBigEndian(initiator.expStatSN.rawValue, at: 28)
      initiator.send(header)
    }
    let names = ScriptedInitiator.pairs(text).filter { $0.0 == "TargetName" }.map(\.1)
    #expect(pieces > 10)
    #expect(names == many.map(\.name))
    #expect(target.isIdle(after: [initiator]))
  }
}
