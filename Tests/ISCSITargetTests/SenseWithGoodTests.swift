import Bytes
import ISCSIModel
import ISCSITarget
import SCSIModel
import SCSITarget
import TargetSimulation
import Testing

@Suite("Sense data with GOOD")
struct SenseWithGoodTests {
  /// Logged in through a group that is not optimized, to a target that has another one, too.
  private func session(_ keys: [(String, String)]) throws -> (SimulatedTarget, ScriptedInitiator) {
    var definition = Example.open()
    definition.portalGroupTags = [1, 2]
    var options = LogicalUnitOptions()
    options.servesReferrals = true
    options.access = AsymmetricAccess(
      groups: [1: AsymmetricAccess.Group(state: .activeNonOptimized)])
    let target = try SimulatedTarget(seed: 5, targets: [definition], unitOptions: options)
    target.units[0].modes.usesDescriptorSense = true
    let initiator = ScriptedInitiator(target)
    try #require(initiator.login(to: Example.name, keys) == 0)
    initiator.clearUnitAttention()
    return (target, initiator)
  }

  @Test("The status of a READ with sense data comes in a SCSI Response, after all of its data")
  func separateStatus() throws {
    let (target, initiator) = try session(ExtendedTaskManagementTests.level)
    let tag = initiator.sendCommand(
      ScriptedInitiator.read16(0, 1), lun: 0, expected: 512, isRead: true)
    let data = try #require(initiator.receive { $0.header.initiatorTaskTag == tag })
    #expect(data.header.opcode == .dataIn && data.data.count == 512)
    #expect(DataIn(data.header).isFinal && DataIn(data.header).status == nil)
    let pdu = try #require(initiator.receive { $0.header.initiatorTaskTag == tag })
    #expect(pdu.header.opcode == .scsiResponse)
    let response = SCSIResponse(pdu.header)
    #expect(response.status == 0 && response.residual == .none)
    #expect(response.expDataSN.rawValue == 1)
    // 8 bytes, a descriptor header of 4, a segment of 20, two groups.
    let sense = Array(pdu.data.dropFirst(2))
    #expect(pdu.data.prefix(2) == [0, 40] && sense.count == 40)
    #expect(sense.prefix(4) == [0x72, 0x0F, 0x3F, 0x15])
    #expect(Array(sense.suffix(8)) == [1, 0, 0, 1, 0, 0, 0, 2])
    #expect(target.isIdle(after: [initiator]))
  }

  @Test("Without protocol level 2 GOOD comes with the last Data-In, and nothing with it")
  func collapsedStatus() throws {
    let (target, initiator) = try session([])
    let tag = initiator.sendCommand(
      ScriptedInitiator.read16(0, 1), lun: 0, expected: 512, isRead: true)
    let pdu = try #require(initiator.receive { $0.header.initiatorTaskTag == tag })
    #expect(DataIn(pdu.header).status?.status == 0)
    #expect(target.isIdle(after: [initiator]))
  }
}
