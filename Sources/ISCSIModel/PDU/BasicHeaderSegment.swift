public import Bytes

/// The 48 bytes that start every PDU (RFC 7143 §11.2.1), as a value: small enough to copy, so it
/// never points into a receive buffer that moves on.
///
/// | byte  | field                                                        |
/// |-------|--------------------------------------------------------------|
/// | 0     | bit 6 I (immediate), bits 5–0 opcode                          |
/// | 1     | bit 7 F (final), the rest by opcode                           |
/// | 2–3   | by opcode                                                    |
/// | 4     | TotalAHSLength, in four-byte words                            |
/// | 5–7   | DataSegmentLength, in bytes, padding not counted              |
/// | 8–15  | LUN, or by opcode                                            |
/// | 16–19 | Initiator Task Tag                                           |
/// | 20–47 | by opcode                                                    |
public struct BasicHeaderSegment: Sendable, BitwiseCopyable {
  public static let byteCount = 48

  public var bytes: InlineArray<48, UInt8>

  /// All zeros but for the opcode.
  @inlinable
  public init(opcode: Opcode) {
    bytes = InlineArray(repeating: 0)
    bytes[0] = opcode.rawValue
  }

  @inlinable
  public init(bytes: InlineArray<48, UInt8>) { self.bytes = bytes }

  @inlinable
  public var opcode: Opcode { Opcode(rawValue: bytes[0] & 0x3F) }

  /// I: delivered at once, outside the CmdSN order (§4.2.2.1).
  @inlinable
  public var isImmediate: Bool {
    get { bytes[0] & 0x40 != 0 }
    set { bytes[0] = newValue ? bytes[0] | 0x40 : bytes[0] & ~0x40 }
  }

  /// F, bit 7 of byte 1: the last PDU of a sequence (T in login PDUs).
  @inlinable
  public var isFinal: Bool {
    get { bytes[1] & 0x80 != 0 }
    set { bytes[1] = newValue ? bytes[1] | 0x80 : bytes[1] & ~0x80 }
  }

  /// Length of all additional header segments in bytes, padding included: 0…1020.
  @inlinable
  public var totalAHSLengthBytes: Int { Int(bytes[4]) * 4 }

  /// Length of the data segment in bytes, padding not included: 0…2^24−1.
  @inlinable
  public var dataSegmentLength: Int {
    get { Int(bytes.bigEndianUInt24(at: 5)) }
    set { bytes.setBigEndianUInt24(UInt32(newValue), at: 5) }
  }

  /// The eight bytes of the LUN field as SAM-5 §4.7 lays them out.
  @inlinable
  public var lun: UInt64 {
    get { bytes.bigEndianUInt64(at: 8) }
    set { bytes.setBigEndian(newValue, at: 8) }
  }

  @inlinable
  public var initiatorTaskTag: InitiatorTaskTag {
    get { InitiatorTaskTag(rawValue: bytes.bigEndianUInt32(at: 16)) }
    set { bytes.setBigEndian(newValue.rawValue, at: 16) }
  }
}
