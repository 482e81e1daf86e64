internal import Bytes

/// What is known of a third-party copy, for the commands that ask (SPC-4 §6.20 to §6.25, §6.28).
public struct CopyResults: Hashable, Sendable {
  /// COPY OPERATION STATUS.
  public enum Status: UInt8, Sendable {
    case completed = 0x01
    case completedWithErrors = 0x02
    case inProgress = 0x11
    case terminated = 0x60
  }

  /// The service action of the copy command.
  public var serviceAction: UInt8
  public var status = Status.inProgress
  public var segmentsProcessed: UInt16 = 0
  public var bytesTransferred: UInt64 = 0
  /// For the counts of a token command, which are in blocks.
  public var blockLengthBytes: UInt32
  /// How the command ended.
  public var completion = SCSIStatus.good
  public var sense: SenseData?
  /// 512 bytes, from POPULATE TOKEN.
  public var token: [UInt8]?

  public init(serviceAction: UInt8, blockLengthBytes: UInt32) {
    self.serviceAction = serviceAction
    self.blockLengthBytes = blockLengthBytes
  }

  public var hasFailed: Bool { status == .completedWithErrors || status == .terminated }

  /// RECEIVE COPY STATUS(LID1).
  ///
  /// | byte | field                                                  |
  /// |------|--------------------------------------------------------|
  /// | 0–3  | AVAILABLE DATA, 8                                      |
  /// | 4    | bit 7 HDD, bits 6–0 COPY COMMAND STATUS: 0 in progress, 1 good, 2 with errors |
  /// | 5–6  | SEGMENTS PROCESSED                                     |
  /// | 7    | TRANSFER COUNT UNITS: 0 bytes, 1 KiB                   |
  /// | 8–11 | TRANSFER COUNT                                         |
  public func statusLID1() -> [UInt8] {
    var writer = ByteWriter(reserving: 12)
    writer.uint32(8)
    writer.uint8(status == .inProgress ? 0 : hasFailed ? 2 : 1)
    writer.uint16(segmentsProcessed)
    if let bytes = UInt32(exactly: bytesTransferred) {
      writer.uint8(0)
      writer.uint32(bytes)
    } else {
      writer.uint8(1)
      writer.uint32(UInt32(clamping: bytesTransferred >> 10))
    }
    return writer.bytes
  }

  /// RECEIVE COPY DATA(LID1): no segment here leaves data to be held.
  public func dataLID1() -> [UInt8] { [0, 0, 0, 0] }

  /// RECEIVE COPY FAILURE DETAILS(LID1): nothing unless the copy failed.
  ///
  /// | byte  | field                                            |
  /// |-------|--------------------------------------------------|
  /// | 0–3   | AVAILABLE DATA: bytes that follow                |
  /// | 56    | EXTENDED COPY COMMAND STATUS, a status code      |
  /// | 58–59 | SENSE DATA LENGTH                                |
  /// | 60…   | SENSE DATA                                       |
  public func failureDetailsLID1(_ format: SenseFormat) -> [UInt8] {
    guard hasFailed else { return [0, 0, 0, 0] }
    let sense = sense?.encoded(format).bytes ?? []
    var writer = ByteWriter(reserving: 60 + sense.count)
    writer.uint32(UInt32(56 + sense.count))
    writer.zeros(52)
    writer.uint8(completion.rawValue)
    writer.uint8(0)
    writer.uint16(UInt16(sense.count))
    writer.append(sense)
    return writer.bytes
  }

  /// RECEIVE COPY STATUS(LID4).
  ///
  /// | byte  | field                                                        |
  /// |-------|--------------------------------------------------------------|
  /// | 0–3   | AVAILABLE DATA: bytes that follow                            |
  /// | 4     | bits 4–0 RESPONSE TO SERVICE ACTION                          |
  /// | 5     | bits 6–0 COPY OPERATION STATUS                               |
  /// | 6–7   | OPERATION COUNTER                                            |
  /// | 8–11  | ESTIMATED STATUS UPDATE DELAY, ms; FFFFFFFEh: none to come   |
  /// | 12    | EXTENDED COPY COMPLETION STATUS, a status code               |
  /// | 13    | LENGTH OF THE SENSE DATA FIELD                               |
  /// | 14    | SENSE DATA LENGTH                                            |
  /// | 15    | TRANSFER COUNT UNITS: 0 bytes, F1h blocks                    |
  /// | 16–23 | TRANSFER COUNT                                               |
  /// | 24–25 | SEGMENTS PROCESSED                                           |
  /// | 32…   | SENSE DATA                                                   |
  public func statusLID4(_ format: SenseFormat) -> [UInt8] { extended(format, tail: []) }

  /// RECEIVE ROD TOKEN INFORMATION (SPC-4 §6.28): as above, then
  ///
  /// | byte | field                                                         |
  /// |------|---------------------------------------------------------------|
  /// | 0–3  | ROD TOKEN DESCRIPTORS LENGTH: 0 or 514                        |
  /// | 4–5  | ID FOR CREATING ROD CSCD DESCRIPTOR: 0                        |
  /// | 6…   | ROD TOKEN                                                     |
  public func tokenInformation(_ format: SenseFormat) -> [UInt8] {
    var tail = ByteWriter()
    tail.uint32(UInt32(token.map { $0.count + 2 } ?? 0))
    if let token {
      tail.uint16(0)
      tail.append(token)
    }
    return extended(format, tail: tail.bytes)
  }

  private func extended(_ format: SenseFormat, tail: [UInt8]) -> [UInt8] {
    let sense = sense?.encoded(format).bytes ?? []
    let countsBlocks = serviceAction == 0x10 || serviceAction == 0x11
    var writer = ByteWriter(reserving: 32 + sense.count + tail.count)
    writer.uint32(UInt32(28 + sense.count + tail.count))
    writer.uint8(serviceAction & 0x1F)
    writer.uint8(status.rawValue)
    writer.uint16(segmentsProcessed)
    writer.uint32(status == .inProgress ? 1000 : 0xFFFF_FFFE)
    writer.uint8(completion.rawValue)
    writer.uint8(UInt8(sense.count))
    writer.uint8(UInt8(sense.count))
    writer.uint8(countsBlocks ? 0xF1 : 0x00)
    writer.uint64(
      countsBlocks ? bytesTransferred / UInt64(max(blockLengthBytes, 1)) : bytesTransferred)
    writer.uint16(segmentsProcessed)
    writer.zeros(6)
    writer.append(sense)
    writer.append(tail)
    return writer.bytes
  }
}

/// The answer of RECEIVE COPY OPERATING PARAMETERS.
///
/// | byte  | field                                                    |
/// |-------|----------------------------------------------------------|
/// | 0–3   | AVAILABLE DATA                                           |
/// | 4     | bit 0 SNLID: a copy needs no list identifier             |
/// | 8–9   | MAXIMUM CSCD DESCRIPTOR COUNT                            |
/// | 10–11 | MAXIMUM SEGMENT DESCRIPTOR COUNT                         |
/// | 12–15 | MAXIMUM DESCRIPTOR LIST LENGTH                           |
/// | 16–19 | MAXIMUM SEGMENT LENGTH                                   |
/// | 20–23 | MAXIMUM INLINE DATA LENGTH, 0                            |
/// | 24–27 | HELD DATA LIMIT, 0                                       |
/// | 28–31 | MAXIMUM STREAM DEVICE TRANSFER SIZE, 0                   |
/// | 34–35 | TOTAL CONCURRENT COPIES                                  |
/// | 36    | MAXIMUM CONCURRENT COPIES                                |
/// | 37–39 | DATA SEGMENT, INLINE DATA and HELD DATA GRANULARITY: powers of two |
/// | 43    | IMPLEMENTED DESCRIPTOR LIST LENGTH                       |
/// | 44…   | type codes of the descriptors served, ascending          |
public enum CopyOperatingParameters {
  public static func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: 46)
    writer.uint32(42)
    writer.uint8(0x01)
    writer.zeros(3)
    writer.uint16(UInt16(CopyLimits.cscdDescriptorsMax))
    writer.uint16(UInt16(CopyLimits.segmentDescriptorsMax))
    writer.uint32(UInt32(CopyLimits.descriptorListBytesMax))
    writer.uint32(CopyLimits.segmentBytesMax)
    writer.uint32(0)
    writer.uint32(0)
    writer.uint32(0)
    writer.zeros(2)
    writer.uint16(UInt16(CopyLimits.copiesMax))
    writer.uint8(UInt8(CopyLimits.copiesMax))
    writer.uint8(9)
    writer.uint8(0)
    writer.uint8(0)
    writer.zeros(3)
    writer.uint8(2)
    writer.append([CopySegment.typeCode, CSCDDescriptor.typeCode])
    precondition(writer.count == 46, "the operating parameters are 46 bytes")
    return writer.bytes
  }
}
