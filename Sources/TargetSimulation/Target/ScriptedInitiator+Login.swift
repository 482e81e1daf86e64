internal import Bytes
public import ISCSIModel

extension ScriptedInitiator {
  /// Sends one Login Request.
  public func sendLogin(
    _ pairs: [(String, String)], from current: UInt8 = 1, to next: UInt8? = 3,
    tag: InitiatorTaskTag = InitiatorTaskTag(rawValue: 0)
  ) {
    var header = BasicHeaderSegment(opcode: .loginRequest)
    header.isImmediate = true
    header.bytes[1] = (next == nil ? 0 : 0x80) | current << 2 | (next ?? 0)
    header.bytes.setBigEndian(isid.rawValue << 16 | UInt64(tsih.rawValue), at: 8)
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(connectionID.rawValue, at: 20)
    header.bytes.setBigEndian(cmdSN.rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    send(header, data: ScriptedInitiator.text(pairs))
  }

  public static func text(_ pairs: [(String, String)]) -> [UInt8] {
    pairs.flatMap { Array("\($0.0)=\($0.1)".utf8) + [0] }
  }

  /// The keys of a Text or Login Response.
  public static func pairs(_ data: [UInt8]) -> [(String, String)] {
    data.split(separator: 0).map { pair in
      let text = String(decoding: pair, as: UTF8.self)
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }
  }

  /// Logs in to `name` straight into the operational stage with `keys`; the status the target gave,
  /// class and detail, or nil if it closed without a word.
  @discardableResult
  public func login(
    to name: String, _ keys: [(String, String)] = [], discovery: Bool = false,
    segment: Int = 262_144
  ) -> UInt16? {
    var pairs = [("InitiatorName", initiatorName)]
    pairs += discovery ? [("SessionType", "Discovery")] : [("TargetName", name)]
    pairs += [("MaxRecvDataSegmentLength", "\(segment)")] + keys
    sendLogin(pairs)
    guard let answer = receive(.loginResponse) else { return nil }
    let status = answer.header.bytes.bigEndianUInt16(at: 36)
    if status == 0 {
      tsih = TargetSessionID(rawValue: answer.header.bytes.bigEndianUInt16(at: 14))
      let agreed = ScriptedInitiator.pairs(answer.data)
      framing = PDUFraming(
        headerDigest: agreed.contains { $0 == ("HeaderDigest", "CRC32C") },
        dataDigest: agreed.contains { $0 == ("DataDigest", "CRC32C") })
    }
    return status
  }
}
