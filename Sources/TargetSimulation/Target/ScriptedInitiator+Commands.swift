public import Bytes
public import ISCSIModel

extension ScriptedInitiator {
  /// How a command ended.
  public struct Outcome: Equatable {
    public var status: UInt8
    /// Key, ASC, ASCQ as three bytes of one number, 0 without sense data: 0x052400.
    public var sense: UInt32
    public var data: [UInt8]
    public var residual: Residual
  }

  /// Sends a SCSI command; nothing is waited for.
  @discardableResult
  public func sendCommand(
    _ cdb: [UInt8], lun: UInt64 = 0, expected: UInt32 = 0, isRead: Bool = false,
    isWrite: Bool = false, isFinal: Bool = true, isImmediate: Bool = false,
    tag: InitiatorTaskTag? = nil, cmdSN number: SerialNumber? = nil, immediateData: [UInt8] = [],
    attribute: TaskAttribute = .simple
  ) -> InitiatorTaskTag {
    let tag = tag ?? takeTag()
    var header = BasicHeaderSegment(opcode: .scsiCommand)
    header.isImmediate = isImmediate
    header.bytes[1] = (isFinal ? 0x80 : 0) | (isRead ? 0x40 : 0) | (isWrite ? 0x20 : 0)
    header.bytes[1] |= attribute.rawValue
    header.lun = lun
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(expected, at: 20)
    let number = number ?? takeCmdSN(isImmediate: isImmediate)
    header.bytes.setBigEndian(number.rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    for (index, byte) in cdb.prefix(16).enumerated() { header.bytes[32 + index] = byte }
    send(header, data: immediateData)
    return tag
  }

  /// Sends Data-Out for a task.
  public func sendDataOut(
    _ tag: InitiatorTaskTag, transferTag: TargetTransferTag, dataSN: UInt32 = 0, offset: UInt32,
    isFinal: Bool = true, lun: UInt64 = 0, _ data: [UInt8]
  ) {
    var header = BasicHeaderSegment(opcode: .dataOut)
    header.isFinal = isFinal
    header.lun = lun
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(transferTag.rawValue, at: 20)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    header.bytes.setBigEndian(dataSN, at: 36)
    header.bytes.setBigEndian(offset, at: 40)
    send(header, data: data)
  }

  /// Waits for the end of the command `tag`, putting its Data-In together and answering R2Ts from
  /// `source`. nil when the connection ended first.
  public func finish(_ tag: InitiatorTaskTag, source: [UInt8] = []) -> Outcome? {
    var data: [UInt8] = []
    while let pdu = receive(where: { $0.header.initiatorTaskTag == tag }) {
      switch pdu.header.opcode {
      case .dataIn:
        let dataIn = DataIn(pdu.header)
        guard Int(dataIn.bufferOffset) == data.count else { return nil }
        data += pdu.data
        guard let status = dataIn.status else { continue }
        return Outcome(status: status.status, sense: 0, data: data, residual: status.residual)
      case .readyToTransfer:
        let request = ReadyToTransfer(pdu.header)
        let start = Int(request.bufferOffset)
        let end = start + Int(request.desiredDataTransferLength)
        sendDataOut(
          tag, transferTag: request.targetTransferTag, offset: request.bufferOffset,
          lun: request.lun, Array(source[start..<end]))
      case .scsiResponse:
        let response = SCSIResponse(pdu.header)
        return Outcome(
          status: response.status, sense: ScriptedInitiator.sense(pdu.data), data: data,
          residual: response.residual)
      default: return nil
      }
    }
    return nil
  }

  /// Key, ASC and ASCQ of fixed-format sense data behind its two-byte length.
  private static func sense(_ data: [UInt8]) -> UInt32 {
    guard data.count >= 16 else { return 0 }
    return UInt32(data[4] & 0x0F) << 16 | UInt32(data[14]) << 8 | UInt32(data[15])
  }

  /// A command without data, or one that reads.
  public func command(_ cdb: [UInt8], lun: UInt64 = 0, expected: UInt32 = 0) -> Outcome? {
    finish(sendCommand(cdb, lun: lun, expected: expected, isRead: expected > 0))
  }

  /// A command that writes `data`, all of it solicited or as much immediate as `immediate` says.
  public func command(
    _ cdb: [UInt8], lun: UInt64 = 0, writing data: [UInt8], immediate: Int = 0
  ) -> Outcome? {
    let tag = sendCommand(
      cdb, lun: lun, expected: UInt32(data.count), isWrite: true,
      immediateData: Array(data.prefix(immediate)))
    return finish(tag, source: data)
  }

  /// READ(16) of `count` blocks.
  public func read(_ block: UInt64, _ count: UInt32, blockBytes: UInt32 = 512, lun: UInt64 = 0)
    -> Outcome?
  {
    command(
      ScriptedInitiator.cdb16(0x88, block, count), lun: lun, expected: count * blockBytes)
  }

  /// WRITE(16) of whole blocks.
  public func write(
    _ block: UInt64, _ data: [UInt8], blockBytes: Int = 512, lun: UInt64 = 0, immediate: Int = 0,
    flags: UInt8 = 0
  ) -> Outcome? {
    var cdb = ScriptedInitiator.cdb16(0x8A, block, UInt32(data.count / blockBytes))
    cdb[1] = flags
    return command(cdb, lun: lun, writing: data, immediate: immediate)
  }

  public static func cdb16(_ opcode: UInt8, _ block: UInt64, _ count: UInt32) -> [UInt8] {
    var writer = ByteWriter()
    writer.uint8(opcode)
    writer.uint8(0)
    writer.uint64(block)
    writer.uint32(count)
    writer.uint16(0)
    return writer.bytes
  }

  /// Clears the unit attention that every new nexus starts with.
  public func clearUnitAttention(lun: UInt64 = 0) { _ = command([0, 0, 0, 0, 0, 0], lun: lun) }

  /// Sends a task management function and waits for its answer.
  public func manage(
    _ function: TaskManagementFunction, lun: UInt64 = 0, task: InitiatorTaskTag = .reserved,
    refCmdSN: SerialNumber = SerialNumber(0)
  ) -> TaskManagementResponseCode? {
    let tag = sendManagement(function, lun: lun, task: task, refCmdSN: refCmdSN)
    return receive { $0.header.initiatorTaskTag == tag }
      .map { TaskManagementFunctionResponse($0.header).response }
  }

  @discardableResult
  public func sendManagement(
    _ function: TaskManagementFunction, lun: UInt64 = 0, task: InitiatorTaskTag = .reserved,
    refCmdSN: SerialNumber = SerialNumber(0)
  ) -> InitiatorTaskTag {
    let tag = takeTag()
    var header = BasicHeaderSegment(opcode: .taskManagementRequest)
    header.isImmediate = true
    header.bytes[1] = 0x80 | function.rawValue
    header.lun = lun
    header.initiatorTaskTag = tag
    header.bytes.setBigEndian(task.rawValue, at: 20)
    header.bytes.setBigEndian(cmdSN.rawValue, at: 24)
    header.bytes.setBigEndian(expStatSN.rawValue, at: 28)
    header.bytes.setBigEndian(refCmdSN.rawValue, at: 32)
    send(header)
    return tag
  }
}
