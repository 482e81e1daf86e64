public import Bytes

// Fields of the commands that are not on the I/O path: about the medium as a whole.
extension CommandDescriptorBlock {
  /// STARTING LOGICAL BLOCK ADDRESS of GET LBA STATUS (SBC-3 §5.4), LOGICAL BLOCK ADDRESS of REPORT
  /// REFERRALS (SBC-3 §5.23).
  @inlinable
  public var startingBlock: LogicalBlockAddress {
    LogicalBlockAddress(bytes.bigEndianUInt64(at: 2))
  }

  /// POWER CONDITION of START STOP UNIT (SBC-3 §5.25): other than 0, START and LOEJ mean nothing.
  @inlinable
  public var powerCondition: UInt8 { bytes[4] >> 4 }

  /// LONGLIST, FMTDATA and CMPLST of FORMAT UNIT (SBC-3 §5.3, byte 1).
  @inlinable
  public var isLongList: Bool { bytes[1] & 0x20 != 0 }
  @inlinable
  public var isFormatData: Bool { bytes[1] & 0x10 != 0 }
  @inlinable
  public var isCompleteList: Bool { bytes[1] & 0x08 != 0 }

  /// IMMED and AUSE of SANITIZE (SBC-3 §5.24, byte 1).
  @inlinable
  public var isSanitizeImmediate: Bool { bytes[1] & 0x80 != 0 }
  @inlinable
  public var isUnrestrictedExitAllowed: Bool { bytes[1] & 0x20 != 0 }

  /// REQ_PLIST, REQ_GLIST and DEFECT LIST FORMAT of READ DEFECT DATA (SBC-3 §5.17, §5.18).
  @inlinable
  public var defectListRequest: UInt8 { (length == 10 ? bytes[2] : bytes[1]) & 0x1F }
}
