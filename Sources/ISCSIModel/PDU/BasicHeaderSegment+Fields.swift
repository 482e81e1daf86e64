public import Bytes

// Fields that sit at the same offset in many opcodes, and typed loads and stores at the others.
extension BasicHeaderSegment {
  /// Bytes 20–23 where the opcode has a Target Transfer Tag there.
  @inlinable
  var targetTransferTag: TargetTransferTag {
    get { TargetTransferTag(rawValue: bytes.bigEndianUInt32(at: 20)) }
    set { bytes.setBigEndian(newValue.rawValue, at: 20) }
  }

  @inlinable
  func serialNumber(at offset: Int) -> SerialNumber {
    SerialNumber(bytes.bigEndianUInt32(at: offset))
  }

  @inlinable
  mutating func set(_ number: SerialNumber, at offset: Int) {
    bytes.setBigEndian(number.rawValue, at: offset)
  }

  /// True if every bit of `mask` is set in byte 1.
  @inlinable
  func hasFlag(_ mask: UInt8) -> Bool { bytes[1] & mask != 0 }

  @inlinable
  mutating func setFlag(_ mask: UInt8, if condition: Bool) {
    if condition { bytes[1] |= mask }
  }
}

/// The numbers a connection and its session stamp on everything the target sends.
///
/// | byte  | field                                                                         |
/// |-------|-------------------------------------------------------------------------------|
/// | 24–27 | StatSN: the connection's status number; carried, not advanced, by R2T (§11.8) |
/// | 28–31 | ExpCmdSN: the next command the session waits for (§4.2.2.1)                    |
/// | 32–35 | MaxCmdSN: the last command the session admits                                 |
public struct SequenceNumbers: Hashable, Sendable, BitwiseCopyable {
  public var statSN: SerialNumber
  public var expCmdSN: SerialNumber
  public var maxCmdSN: SerialNumber

  @inlinable
  public init(statSN: SerialNumber, expCmdSN: SerialNumber, maxCmdSN: SerialNumber) {
    self.statSN = statSN
    self.expCmdSN = expCmdSN
    self.maxCmdSN = maxCmdSN
  }

  @inlinable
  init(_ header: BasicHeaderSegment) {
    statSN = header.serialNumber(at: 24)
    expCmdSN = header.serialNumber(at: 28)
    maxCmdSN = header.serialNumber(at: 32)
  }

  @inlinable
  func write(to header: inout BasicHeaderSegment) {
    header.set(statSN, at: 24)
    header.set(expCmdSN, at: 28)
    header.set(maxCmdSN, at: 32)
  }
}
