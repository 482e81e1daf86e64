import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import SCSIModel
import TargetSimulation
import Testing

extension SimulatedTarget {
  /// Nothing is left of any session: no socket, no memory, no operation but the accept.
  var isIdle: Bool {
    world.openSocketCount == 0 && context.sessions.count == 0
      && disks.values.allSatisfy { $0.operationsInFlight == 0 }
      && reactors.allSatisfy { reactor in
        reactor.buffers.lentBytes == 0
          && reactor.operationsInFlight == (reactor.index == 0 ? 1 : 0)
      }
  }

  /// Ends the connections of `initiators` and says whether the target is then as it was at first.
  func isIdle(after initiators: [ScriptedInitiator]) -> Bool {
    for initiator in initiators { initiator.peer.close() }
    return run(seconds: 120) { isIdle }
  }

  func disk(_ name: String = "unit0") throws -> SimulatedDisk { try #require(disks[name]) }

  /// Uses the portal and these targets for logins from now on.
  func publish(
    _ targets: [TargetDefinition], portals: [PortalDefinition]? = nil,
    discoveryUsers: [CHAPUser] = [], discoveryMutualUser: CHAPUser? = nil
  ) throws {
    let address = try #require(SocketAddress(SimulatedTarget.portal))
    let directory = TargetDirectory(
      targets: targets, portals: portals ?? [PortalDefinition(address: address, groupTag: 1)],
      discoveryUsers: discoveryUsers, discoveryMutualUser: discoveryMutualUser)
    try publish(directory)
  }

  func publish(_ directory: TargetDirectory) throws {
    var isDone = false
    workers[0].publish(directory) { isDone = true }
    try #require(run(seconds: 5) { isDone })
  }

  /// Another portal; lives as long as what is returned.
  func listen(at address: String, groupTag: UInt16) throws -> PortalListener {
    let portal = PortalDefinition(
      address: try #require(SocketAddress(address)), groupTag: groupTag)
    let listener = PortalListener(
      portal: portal, socket: world.listen(address), worker: workers[0])
    listener.start()
    return listener
  }
}

/// How an initiator sends the data of a write.
struct WriteStyle {
  var immediate = 0
  /// Unsolicited Data-Out after the immediate data.
  var unsolicited = 0
  /// The most one Data-Out carries: the target's MaxRecvDataSegmentLength.
  var segment = 262_144
}

extension ScriptedInitiator {
  static let testUnitReady: [UInt8] = [0, 0, 0, 0, 0, 0]

  static func read16(_ block: UInt64, _ count: UInt32) -> [UInt8] { cdb16(0x88, block, count) }
  static func write16(_ block: UInt64, _ count: UInt32) -> [UInt8] { cdb16(0x8A, block, count) }

  /// An initiator logged in to the example target, its unit attentions taken.
  static func loggedIn(
    _ target: SimulatedTarget, number: Int = 1, keys: [(String, String)] = [],
    options: ConnectionOptions = .init(), luns: Int = 1
  ) throws -> ScriptedInitiator {
    let initiator = ScriptedInitiator(target, options: options)
    initiator.initiatorName = "iqn.2026-11.com.example:node\(number)"
    let status = initiator.login(to: Example.name, keys)
    try #require(status == 0)
    for lun in 0..<luns { initiator.clearUnitAttention(lun: UInt64(lun) << 48) }
    return initiator
  }

  /// Another connection for the session of `self`, with task tags of its own.
  func sibling(_ target: SimulatedTarget, connectionID id: UInt16) -> ScriptedInitiator {
    let sibling = ScriptedInitiator(target)
    sibling.initiatorName = initiatorName
    sibling.isid = isid
    sibling.tsih = tsih
    sibling.connectionID = ConnectionID(rawValue: id)
    sibling.cmdSN = cmdSN
    sibling.nextTag = UInt32(id) << 16 | 1
    return sibling
  }

  /// Sends `data` from `offset` to `end` in Data-Outs of at most `segment` bytes, F on the last.
  func sendBurst(
    _ tag: InitiatorTaskTag, transferTag: TargetTransferTag, _ data: [UInt8], from offset: Int,
    to end: Int, segment: Int, lun: UInt64 = 0
  ) {
    var start = offset
    var number: UInt32 = 0
    while start < end {
      let next = min(start + segment, end)
      sendDataOut(
        tag, transferTag: transferTag, dataSN: number, offset: UInt32(start),
        isFinal: next == end, lun: lun, Array(data[start..<next]))
      start = next
      number += 1
    }
  }

  /// Sends a WRITE(16) of all of `data` and what of it may go unsolicited.
  func startWrite(
    _ block: UInt64, _ data: [UInt8], style: WriteStyle = WriteStyle(), lun: UInt64 = 0,
    attribute: TaskAttribute = .simple
  ) -> InitiatorTaskTag {
    let unsolicitedEnd = style.immediate + style.unsolicited
    let tag = sendCommand(
      ScriptedInitiator.write16(block, UInt32(data.count / 512)), lun: lun,
      expected: UInt32(data.count), isWrite: true, isFinal: style.unsolicited == 0,
      immediateData: Array(data.prefix(style.immediate)), attribute: attribute)
    if style.unsolicited > 0 {
      sendBurst(
        tag, transferTag: .reserved, data, from: style.immediate, to: unsolicitedEnd,
        segment: style.segment, lun: lun)
    }
    return tag
  }

  /// Answers the R2Ts of a write until its status; the status and the R2Ts there were.
  func completeWrite(
    _ tag: InitiatorTaskTag, _ data: [UInt8], segment: Int = 262_144
  ) -> (outcome: UInt8?, requests: [ReadyToTransfer]) {
    var requests: [ReadyToTransfer] = []
    while let pdu = receive(where: { $0.header.initiatorTaskTag == tag }) {
      if pdu.header.opcode == .scsiResponse {
        return (SCSIResponse(pdu.header).status, requests)
      }
      let request = ReadyToTransfer(pdu.header)
      requests.append(request)
      let start = Int(request.bufferOffset)
      sendBurst(
        tag, transferTag: request.targetTransferTag, data, from: start,
        to: start + Int(request.desiredDataTransferLength), segment: segment, lun: request.lun)
    }
    return (nil, requests)
  }

  /// Everything that came for `tag` up to its status.
  func pdus(of tag: InitiatorTaskTag) -> [Received] {
    var all: [Received] = []
    while let pdu = receive(where: { $0.header.initiatorTaskTag == tag }) {
      all.append(pdu)
      if pdu.header.opcode == .scsiResponse { return all }
      if pdu.header.opcode == .dataIn, DataIn(pdu.header).status != nil { return all }
    }
    return all
  }

  func ping(tag: InitiatorTaskTag, isImmediate: Bool = true, data: [UInt8] = []) {
    peer.send(encodedPing(tag: tag, isImmediate: isImmediate, data: data))
  }

  func encodedPing(
    tag: InitiatorTaskTag, isImmediate: Bool = true, data: [UInt8] = []
  ) -> [UInt8] {
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isImmediate = isImmediate
    header.isFinal = true
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(TargetTransferTag.reserved.rawValue, at: 20)
    header.bytes.setBigEndian(takeCmdSN(isImmediate: isImmediate).rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    return encode(header, [], data)
  }

  /// Answers a NOP-In that asks.
  func pong(_ nopIn: Received) {
    var header = BasicHeaderSegment(opcode: .nopOut)
    header.isImmediate = true
    header.isFinal = true
    header.initiatorTaskTag = .reserved
    header.bytes.setBigEndian(NopIn(nopIn.header).targetTransferTag.rawValue, at: 20)
    header.bytes.setBigEndian(cmdSN.rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    send(header)
  }

  func sendText(_ pairs: [(String, String)]) {
    var header = BasicHeaderSegment(opcode: .textRequest)
    header.isFinal = true
    header.initiatorTaskTag = takeTag()
    header.bytes.setBigEndian(TargetTransferTag.reserved.rawValue, at: 20)
    header.bytes.setBigEndian(takeCmdSN().rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    send(header, data: ScriptedInitiator.text(pairs))
  }

  /// The keys that a one-PDU text exchange answers.
  func text(_ pairs: [(String, String)]) -> [(String, String)]? {
    sendText(pairs)
    return receive(.textResponse).map { ScriptedInitiator.pairs($0.data) }
  }

  @discardableResult
  func sendLogout(_ reason: LogoutReason, connectionID id: UInt16 = 0) -> InitiatorTaskTag {
    let tag = takeTag()
    var header = BasicHeaderSegment(opcode: .logoutRequest)
    header.isImmediate = true
    header.bytes[1] = 0x80 | reason.rawValue
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(id, at: 20)
    header.bytes.setBigEndian(cmdSN.rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    send(header)
    return tag
  }

  func logout(_ reason: LogoutReason, connectionID id: UInt16 = 0) -> LogoutResponseCode? {
    sendLogout(reason, connectionID: id)
    return receive(.logoutResponse).map { LogoutResponse($0.header).response }
  }

  /// Sense of the next TEST UNIT READY: the unit attention that is pending, or 0.
  func attention(lun: UInt64 = 0) -> UInt32? {
    command(ScriptedInitiator.testUnitReady, lun: lun)?.sense
  }
}

/// Sense codes, as the outcome has them.
enum Sense {
  static let newNexus: UInt32 = 0x06_29_00
  static let busDeviceReset: UInt32 = 0x06_29_03
  static let commandsCleared: UInt32 = 0x06_2F_00
  static let writeProtected: UInt32 = 0x07_27_00
  static let spaceAllocationFailed: UInt32 = 0x07_27_07
  static let unrecoveredReadError: UInt32 = 0x03_11_00
}
