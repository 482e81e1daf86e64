public import Bytes
public import ISCSIModel

/// An initiator that a test drives PDU by PDU: it numbers and frames what it is told to send,
/// honest or not, and keeps what the target answers.
public final class ScriptedInitiator {
  /// A PDU from the target.
  public struct Received {
    public let header: BasicHeaderSegment
    public let data: [UInt8]
  }

  public let peer: SimulatedPeer
  private let target: SimulatedTarget

  public var initiatorName = "iqn.2026-11.com.example:node1"
  public var isid = InitiatorSessionID(rawValue: 0x0002_3D00_0001)
  public var connectionID = ConnectionID(rawValue: 0)
  /// Used in every login request, and set by the last login response.
  public var tsih = TargetSessionID.none
  public var cmdSN = SerialNumber(1)
  public var expStatSN = SerialNumber(1)
  public var framing = PDUFraming()
  public private(set) var maxCmdSN = SerialNumber(0)
  public private(set) var inbox: [Received] = []
  /// The next Initiator Task Tag. Connections of one session must keep theirs apart.
  public var nextTag: UInt32 = 1

  public init(
    _ target: SimulatedTarget, to portal: String = SimulatedTarget.portal,
    from address: String? = nil, options: ConnectionOptions = ConnectionOptions()
  ) {
    self.target = target
    peer = target.world.connect(to: portal, from: address, options: options)
    peer.onArrival = { [weak self] in self?.parse() }
  }

  public var isClosed: Bool { peer.isClosed }

  public func takeTag() -> InitiatorTaskTag {
    defer { nextTag += 1 }
    return InitiatorTaskTag(rawValue: nextTag)
  }

  // MARK: Sending

  /// Sends `header` with `data`; the data segment length is what is there unless `lying` says so.
  public func send(
    _ header: BasicHeaderSegment, additionalHeader: [UInt8] = [], data: [UInt8] = [],
    lyingLength: Int? = nil
  ) {
    peer.send(encode(header, additionalHeader, data, lyingLength))
  }

  /// The bytes of a PDU as this initiator frames it.
  public func encode(
    _ header: BasicHeaderSegment, _ additionalHeader: [UInt8] = [], _ data: [UInt8] = [],
    _ lyingLength: Int? = nil
  ) -> [UInt8] {
    var header = header
    header.bytes[4] = UInt8(additionalHeader.count / 4)
    header.dataSegmentLength = lyingLength ?? data.count
    var bytes = (0..<BasicHeaderSegment.byteCount).map { header.bytes[$0] } + additionalHeader
    if framing.headerDigest { bytes += digest(bytes) }
    guard !data.isEmpty else { return bytes }
    let padded = data + [UInt8](repeating: 0, count: PDUFraming.padding(of: data.count))
    return bytes + padded + (framing.dataDigest ? digest(padded) : [])
  }

  private func digest(_ bytes: [UInt8]) -> [UInt8] {
    var crc = CRC32C()
    crc.update(bytes)
    let wire = crc.wireBytes
    return (0..<4).map { wire[$0] }
  }

  /// The next CmdSN, or the present one for an immediate PDU.
  public func takeCmdSN(isImmediate: Bool = false) -> SerialNumber {
    isImmediate ? cmdSN : cmdSN.next()
  }

  // MARK: Receiving

  private func parse() {
    while peer.received.count >= BasicHeaderSegment.byteCount {
      var raw = InlineArray<48, UInt8>(repeating: 0)
      for index in 0..<BasicHeaderSegment.byteCount { raw[index] = peer.received[index] }
      let header = BasicHeaderSegment(bytes: raw)
      let length = framing.totalLength(of: header)
      guard peer.received.count >= length, let bytes = peer.take(length) else { return }
      let start = framing.headerLength(of: header)
      note(header)
      inbox.append(
        Received(header: header, data: Array(bytes[start..<start + header.dataSegmentLength])))
    }
  }

  private func note(_ header: BasicHeaderSegment) {
    maxCmdSN = SerialNumber(header.bytes.bigEndianUInt32(at: 32))
    let statSN = SerialNumber(header.bytes.bigEndianUInt32(at: 24))
    switch header.opcode {
    case .dataIn: if DataIn(header).status != nil { expStatSN = statSN + 1 }
    case .readyToTransfer: break
    case .nopIn: if header.initiatorTaskTag != .reserved { expStatSN = statSN + 1 }
    default: expStatSN = statSN + 1
    }
  }

  /// Waits for a PDU that `matches` and takes it out of the inbox; nil when the connection ends or
  /// a simulated minute passes first.
  public func receive(
    seconds: UInt32 = 60, where matches: (Received) -> Bool = { _ in true }
  ) -> Received? {
    target.run(seconds: seconds) { inbox.contains(where: matches) || isClosed }
    guard let index = inbox.firstIndex(where: matches) else { return nil }
    return inbox.remove(at: index)
  }

  public func receive(_ opcode: Opcode, seconds: UInt32 = 60) -> Received? {
    receive(seconds: seconds) { $0.header.opcode == opcode }
  }

  /// Waits until the target has closed the connection.
  public func waitForClose(seconds: UInt32 = 60) -> Bool {
    target.run(seconds: seconds) { isClosed }
  }

  public func forgetInbox() { inbox.removeAll() }
}
