internal import Bytes

/// Third-party copy (VPD 8Fh, SPC-4 §7.8.17): descriptors of a type (2 bytes), a length (2 bytes, a
/// multiple of four) and contents.
///
/// | type  | descriptor, in the order they are sent                              |
/// |-------|---------------------------------------------------------------------|
/// | 0000h | Block Device ROD Token Limits (SBC-3 §6.5.6.2)                      |
/// | 0001h | Supported Commands                                                  |
/// | 0004h | Parameter Data                                                      |
/// | 0008h | Supported Descriptors                                               |
/// | 000Ch | Supported CSCD Descriptor IDs                                       |
/// | 0106h | ROD Token Features                                                  |
/// | 0108h | Supported ROD Token and ROD Types                                   |
/// | 8001h | General Copy Operations                                             |
public struct ThirdPartyCopyPage: Sendable {
  public var blockLengthBytes: UInt32

  public init(blockLengthBytes: UInt32) {
    precondition(blockLengthBytes > 0, "a block has a length")
    self.blockLengthBytes = blockLengthBytes
  }

  public var page: VitalProductData {
    var writer = ByteWriter(reserving: 400)
    put(0x0000, tokenLimits, into: &writer)
    put(0x0001, supportedCommands, into: &writer)
    put(0x0004, parameterData, into: &writer)
    put(0x0008, [2, CopySegment.typeCode, CSCDDescriptor.typeCode], into: &writer)
    put(0x000C, [0, 2, 0xFF, 0xFF], into: &writer)
    put(0x0106, tokenFeatures, into: &writer)
    put(0x0108, tokenTypes, into: &writer)
    put(0x8001, generalOperations, into: &writer)
    return VitalProductData(.thirdPartyCopy, contents: writer.bytes)
  }

  private func put(_ type: UInt16, _ contents: [UInt8], into writer: inout ByteWriter) {
    let padding = (4 - contents.count % 4) % 4
    writer.uint16(type)
    writer.uint16(UInt16(contents.count + padding))
    writer.append(contents)
    writer.zeros(padding)
  }

  private func blocks(_ bytes: Int) -> UInt64 { UInt64(bytes) / UInt64(blockLengthBytes) }

  /// | byte  | field, from the start of the contents                  |
  /// |-------|--------------------------------------------------------|
  /// | 6–7   | MAXIMUM RANGE DESCRIPTORS                              |
  /// | 8–11  | MAXIMUM INACTIVITY TIMEOUT, seconds                    |
  /// | 12–15 | DEFAULT INACTIVITY TIMEOUT                             |
  /// | 16–23 | MAXIMUM TOKEN TRANSFER SIZE, blocks                    |
  /// | 24–31 | OPTIMAL TRANSFER COUNT, blocks                         |
  private var tokenLimits: [UInt8] {
    var writer = ByteWriter(reserving: 32)
    writer.zeros(6)
    writer.uint16(UInt16(CopyLimits.rangeDescriptorsMax))
    writer.uint32(CopyLimits.tokenSecondsMax)
    writer.uint32(CopyLimits.tokenSecondsDefault)
    writer.uint64(blocks(CopyLimits.tokenBytesMax))
    writer.uint64(blocks(CopyLimits.tokenBytesOptimal))
    return writer.bytes
  }

  /// A length in byte 0; then for each opcode the opcode, a count, and the service actions.
  private var supportedCommands: [UInt8] {
    let commands = [0x83, 0x84].map { (opcode: UInt8) -> [UInt8] in
      let actions = CommandTable.standard.rows.filter { $0.opcode == opcode }
        .compactMap { $0.serviceAction.map { UInt8(truncatingIfNeeded: $0) } }
      return [opcode, UInt8(actions.count)] + actions
    }
    return [UInt8(commands.reduce(0) { $0 + $1.count })] + commands.flatMap { $0 }
  }

  /// | byte  | field                                                  |
  /// |-------|--------------------------------------------------------|
  /// | 4–5   | MAXIMUM CSCD DESCRIPTOR COUNT                          |
  /// | 6–7   | MAXIMUM SEGMENT DESCRIPTOR COUNT                       |
  /// | 8–11  | MAXIMUM DESCRIPTOR LIST LENGTH                         |
  /// | 12–15 | MAXIMUM INLINE DATA LENGTH                             |
  private var parameterData: [UInt8] {
    var writer = ByteWriter(reserving: 28)
    writer.zeros(4)
    writer.uint16(UInt16(CopyLimits.cscdDescriptorsMax))
    writer.uint16(UInt16(CopyLimits.segmentDescriptorsMax))
    writer.uint32(UInt32(CopyLimits.descriptorListBytesMax))
    writer.uint32(0)
    writer.zeros(12)
    return writer.bytes
  }

  /// | byte  | field                                                  |
  /// |-------|--------------------------------------------------------|
  /// | 0     | REMOTE TOKENS, 0: a token is used where it was made    |
  /// | 12–15 | MINIMUM TOKEN LIFETIME, seconds                        |
  /// | 16–19 | MAXIMUM TOKEN LIFETIME                                 |
  /// | 20–23 | MAXIMUM TOKEN INACTIVITY TIMEOUT                       |
  /// | 42–43 | ROD TOKEN SPECIFIC FEATURES LENGTH, 48                 |
  /// | 44–47 | of block devices: type 0, length 44                    |
  /// | 50–51 | OPTIMAL BLOCK ROD LENGTH GRANULARITY                   |
  /// | 52–59 | MAXIMUM BYTES IN BLOCK ROD                             |
  /// | 60–67 | OPTIMAL BYTES IN BLOCK ROD TRANSFER                    |
  /// | 68–75 | OPTIMAL BYTES TO TOKEN PER SEGMENT                     |
  /// | 76–83 | OPTIMAL BYTES FROM TOKEN PER SEGMENT                   |
  private var tokenFeatures: [UInt8] {
    var writer = ByteWriter(reserving: 92)
    writer.uint8(0)
    writer.zeros(11)
    writer.uint32(1)
    writer.uint32(UInt32.max)
    writer.uint32(CopyLimits.tokenSecondsMax)
    writer.zeros(18)
    writer.uint16(48)
    writer.uint16(0)
    writer.uint16(44)
    writer.uint16(0)
    writer.uint16(1)
    writer.uint64(UInt64(CopyLimits.tokenBytesMax))
    writer.uint64(UInt64(CopyLimits.tokenBytesOptimal))
    writer.uint64(UInt64(CopyLimits.tokenBytesMax))
    writer.uint64(UInt64(CopyLimits.tokenBytesOptimal))
    writer.zeros(8)
    precondition(writer.count == 92, "the features of ROD tokens are 92 bytes")
    return writer.bytes
  }

  /// Each: ROD TYPE (4), bit 1 TOKEN_IN and bit 0 TOKEN_OUT, PREFERENCE INDICATOR at 6–7, 64 bytes
  /// in all.
  private var tokenTypes: [UInt8] {
    var writer = ByteWriter(reserving: 132)
    writer.zeros(2)
    writer.uint16(128)
    writer.uint32(RODType.accessUponReference.rawValue)
    writer.uint8(0x03)
    writer.zeros(59)
    writer.uint32(RODType.blockDeviceZero.rawValue)
    writer.uint8(0x02)
    writer.zeros(59)
    return writer.bytes
  }

  /// | byte | field                                                   |
  /// |------|---------------------------------------------------------|
  /// | 0–3  | TOTAL CONCURRENT COPIES                                 |
  /// | 4–7  | MAXIMUM IDENTIFIED CONCURRENT COPIES                    |
  /// | 8–11 | MAXIMUM SEGMENT LENGTH                                  |
  /// | 12   | DATA SEGMENT GRANULARITY, a power of two                |
  private var generalOperations: [UInt8] {
    var writer = ByteWriter(reserving: 32)
    writer.uint32(UInt32(CopyLimits.copiesMax))
    writer.uint32(UInt32(CopyLimits.copiesMax))
    writer.uint32(CopyLimits.segmentBytesMax)
    writer.uint8(9)
    writer.uint8(0)
    writer.zeros(18)
    return writer.bytes
  }
}
