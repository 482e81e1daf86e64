public import Bytes

/// A command descriptor block of 6 to 32 bytes as a value (SAM-5 §5.2, SPC-4 §4.2.5). The bytes
/// past `length` are zero whatever the transport sent there, so that masks need not know the
/// length.
///
/// | byte        | field                                                            |
/// |-------------|------------------------------------------------------------------|
/// | 0           | OPERATION CODE: bits 7–5 group code, which gives the length       |
/// | 1           | by command; bits 4–0 SERVICE ACTION where there are such          |
/// | 2…          | by command: address, transfer, allocation or list length          |
/// | length − 1  | CONTROL: NACA bit 2, which must be 0 (6, 10, 12 and 16 bytes)      |
///
/// The variable length form, opcode 7Fh (SPC-4 §4.2.3.2):
///
/// | byte | field                                              |
/// |------|----------------------------------------------------|
/// | 1    | CONTROL                                            |
/// | 7    | ADDITIONAL CDB LENGTH, n − 7 for a CDB of n + 1 bytes |
/// | 8–9  | SERVICE ACTION                                     |
public struct CommandDescriptorBlock: Sendable, BitwiseCopyable {
  /// The longest that the table serves: READ(32) and its like.
  public static let byteCountMax = 32

  public static let variableLengthOpcode: UInt8 = 0x7F
  @usableFromInline
  static var unmapOpcode: UInt8 { 0x42 }

  public let bytes: InlineArray<32, UInt8>

  /// Bytes that belong to the command, 6…32.
  public let length: Int

  /// The CDB field of an iSCSI command PDU (RFC 7143 §11.3.5): shorter commands are padded.
  @inlinable
  public init(_ field: InlineArray<16, UInt8>) {
    let length = min(Self.length(opcode: field[0], additionalLength: field[7]), 16)
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    for index in 0..<length { bytes[index] = field[index] }
    self.bytes = bytes
    self.length = length
  }

  /// The 16-byte field and what an Extended CDB header segment added (RFC 7143 §11.2.2.3). Bytes
  /// past 32 are dropped: no command of the table is that long, and `length` 32 will not match it.
  public init(_ field: InlineArray<16, UInt8>, extension more: [UInt8]) {
    let available = min(16 + more.count, Self.byteCountMax)
    let length = min(Self.length(opcode: field[0], additionalLength: field[7]), available)
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    for index in 0..<length { bytes[index] = index < 16 ? field[index] : more[index - 16] }
    self.bytes = bytes
    self.length = length
  }

  /// Bytes of any number, for initiators and tests: cut at the command's length, padded with zeros.
  public init(_ source: [UInt8]) {
    var field = InlineArray<16, UInt8>(repeating: 0)
    for (index, byte) in source.prefix(16).enumerated() { field[index] = byte }
    self.init(field, extension: Array(source.dropFirst(16)))
  }

  /// The length that the group code gives (SPC-4 §4.2.5.1). Groups 6 and 7 are vendor specific and
  /// 7Eh is not used by block devices: all 16 bytes are kept, and no row of the table matches.
  @inlinable
  static func length(opcode: UInt8, additionalLength: UInt8) -> Int {
    switch opcode >> 5 {
    case 0: 6
    case 1, 2: 10
    case 3: opcode == variableLengthOpcode ? 8 + Int(additionalLength) : 16
    case 5: 12
    default: 16
    }
  }

  @inlinable
  public var opcode: UInt8 { bytes[0] }

  /// Where the SERVICE ACTION field is, if the opcode has one: bits 4–0 of byte 1, or bytes 8 and 9
  /// of a variable length CDB. Whether the action is served is the table's matter.
  @inlinable
  public var serviceAction: UInt16 {
    opcode == Self.variableLengthOpcode ? bytes.bigEndianUInt16(at: 8) : UInt16(bytes[1] & 0x1F)
  }
}
