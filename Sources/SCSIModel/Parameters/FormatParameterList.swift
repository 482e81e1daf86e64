/// The parameter list of FORMAT UNIT (SBC-3 §5.3.2). Its length is nowhere in the CDB: it is what
/// the header says.
///
/// | short | long | field                                                               |
/// |-------|------|---------------------------------------------------------------------|
/// | 0     | 0    | bits 2–0 PROTECTION FIELDS USAGE, 0                                 |
/// | 1     | 1    | bit 7 FOV, 6 DPRY, 5 DCRT, 4 STPF, 3 IP, 1 IMMED                    |
/// |       | 3    | bits 7–4 P_I_INFORMATION, 3–0 PROTECTION INTERVAL EXPONENT, both 0  |
/// | 2–3   | 4–7  | DEFECT LIST LENGTH                                                  |
/// | 4…    | 8…   | initialization pattern descriptor if IP, then the defect list       |
///
/// Initialization pattern descriptor (SBC-3 §5.3.2.3): bit 5 of byte 0 SI, byte 1 INITIALIZATION
/// PATTERN TYPE (0 default, 1 repeated), bytes 2–3 its length, then the pattern.
public struct FormatParameterList: Hashable, Sendable {
  public var isImmediate = false
  /// Written again and again; empty: the default, zeros.
  public var pattern: [UInt8] = []

  /// What a FORMAT UNIT without FMTDATA asks for.
  public init() {}

  /// There are no defects here and no list of any can be kept, so one that names some is refused.
  public init(
    decoding bytes: [UInt8], isLong: Bool, blockBytes: Int
  ) throws(SenseData) {
    let headerBytes = isLong ? 8 : 4
    guard bytes.count >= headerBytes else { throw .parameterListLengthError }
    guard bytes[0] & 0x07 == 0 else { throw .invalidFieldInParameterList(byte: 0, bit: 2) }
    let flags = bytes[1]
    // Without FOV the options below are the default's, and must be 0 (SBC-3 table 43).
    guard flags & 0x80 != 0 || flags & 0x78 == 0 else {
      throw .invalidFieldInParameterList(byte: 1, bit: 7)
    }
    if isLong, bytes[3] != 0 { throw .invalidFieldInParameterList(byte: 3, bit: 7) }
    let lengthField = bytes[(isLong ? 4 : 2)..<headerBytes]
    guard lengthField.allSatisfy({ $0 == 0 }) else {
      throw .invalidFieldInParameterList(byte: isLong ? 4 : 2, bit: 7)
    }
    isImmediate = flags & 0x02 != 0
    if flags & 0x08 != 0 {
      pattern = try Self.pattern(bytes, at: headerBytes, blockBytes: blockBytes)
    }
  }

  private static func pattern(
    _ bytes: [UInt8], at start: Int, blockBytes: Int
  ) throws(SenseData) -> [UInt8] {
    guard bytes.count >= start + 4 else { throw .parameterListLengthError }
    // The obsolete IP MODIFIER asks for addresses in the blocks.
    guard bytes[start] & 0xC0 == 0 else {
      throw .invalidFieldInParameterList(byte: start, bit: 7)
    }
    let length = Int(bytes[start + 2]) << 8 | Int(bytes[start + 3])
    switch bytes[start + 1] {
    case 0:
      guard length == 0 else { throw .invalidFieldInParameterList(byte: start + 2, bit: 7) }
      return []
    case 1:
      guard length > 0, length <= blockBytes else {
        throw .invalidFieldInParameterList(byte: start + 2, bit: 7)
      }
      guard bytes.count >= start + 4 + length else { throw .parameterListLengthError }
      return Array(bytes[start + 4..<start + 4 + length])
    default:
      throw .invalidFieldInParameterList(byte: start + 1, bit: 7)
    }
  }
}

/// The parameter list of SANITIZE with the service action OVERWRITE (SBC-3 §5.24.2.2).
///
/// | byte | field                                                                     |
/// |------|---------------------------------------------------------------------------|
/// | 0    | bit 7 INVERT, bits 6–5 TEST (0), bits 4–0 OVERWRITE COUNT, 1 or more      |
/// | 2–3  | INITIALIZATION PATTERN LENGTH, 1 … the logical block length               |
/// | 4…   | the pattern, repeated within each block                                   |
public struct OverwriteParameterList: Hashable, Sendable {
  public let isInverted: Bool
  public let overwriteCount: Int
  public let pattern: [UInt8]

  public init(decoding bytes: [UInt8], blockBytes: Int) throws(SenseData) {
    guard bytes.count >= 4 else { throw .parameterListLengthError }
    isInverted = bytes[0] & 0x80 != 0
    overwriteCount = Int(bytes[0] & 0x1F)
    guard bytes[0] & 0x60 == 0 else { throw .invalidFieldInParameterList(byte: 0, bit: 6) }
    guard overwriteCount > 0 else { throw .invalidFieldInParameterList(byte: 0, bit: 4) }
    let length = Int(bytes[2]) << 8 | Int(bytes[3])
    guard length > 0, length <= blockBytes else {
      throw .invalidFieldInParameterList(byte: 2, bit: 7)
    }
    guard bytes.count >= 4 + length else { throw .parameterListLengthError }
    pattern = Array(bytes[4..<4 + length])
  }
}
