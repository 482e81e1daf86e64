public import Bytes

/// Where a command keeps its logical block address and its number of blocks (SBC-3 §5).
public enum BlockFields: UInt8, Sendable, BitwiseCopyable {
  /// The command addresses no blocks, or names them in a parameter list as UNMAP does.
  case none
  /// 21-bit address in bytes 1–3, length in byte 4, where 0 means 256 (READ(6), WRITE(6)).
  case six
  /// Address in bytes 2–5, count in bytes 7–8.
  case ten
  /// Address in bytes 2–5, count in bytes 6–9.
  case twelve
  /// Address in bytes 2–9, count in bytes 10–13.
  case sixteen
  /// Address in bytes 12–19, count in bytes 28–31 of a variable length CDB.
  case thirtyTwo
}

/// Where a command keeps its ALLOCATION LENGTH or PARAMETER LIST LENGTH, in bytes.
public enum ParameterLengthField: UInt8, Sendable, BitwiseCopyable {
  case none
  case byte4
  case bytes3To4
  case bytes5To8
  case bytes6To8
  case bytes6To9
  case bytes7To8
  case bytes10To13
}

extension BlockFields {
  /// The first byte of the field that counts the blocks.
  public var countByte: UInt16 {
    switch self {
    case .none: 0
    case .six: 4
    case .ten: 7
    case .twelve: 6
    case .sixteen: 10
    case .thirtyTwo: 28
    }
  }
}

extension CommandDescriptorBlock {
  /// The blocks that the command names; nil if it names none in its CDB. Proved as
  /// `CommandTable.decode(_:)`.
  #if !DEBUG
    @_noLocks
  #endif
  @inlinable
  public func blockRange(_ fields: BlockFields) -> BlockRange? {
    switch fields {
    case .none: nil
    case .six:
      BlockRange(
        start: UInt64(bytes.bigEndianUInt24(at: 1) & 0x1F_FFFF),
        count: bytes[4] == 0 ? 256 : UInt64(bytes[4]))
    case .ten:
      BlockRange(
        start: UInt64(bytes.bigEndianUInt32(at: 2)), count: UInt64(bytes.bigEndianUInt16(at: 7)))
    case .twelve:
      BlockRange(
        start: UInt64(bytes.bigEndianUInt32(at: 2)), count: UInt64(bytes.bigEndianUInt32(at: 6)))
    case .sixteen:
      BlockRange(
        start: bytes.bigEndianUInt64(at: 2), count: UInt64(bytes.bigEndianUInt32(at: 10)))
    case .thirtyTwo:
      BlockRange(
        start: bytes.bigEndianUInt64(at: 12), count: UInt64(bytes.bigEndianUInt32(at: 28)))
    }
  }

  /// The ALLOCATION LENGTH or PARAMETER LIST LENGTH in bytes, 0 if the command has none.
  @inlinable
  public func parameterLengthBytes(_ field: ParameterLengthField) -> Int {
    switch field {
    case .none: 0
    case .byte4: Int(bytes[4])
    case .bytes3To4: Int(bytes.bigEndianUInt16(at: 3))
    case .bytes5To8: Int(bytes.bigEndianUInt32(at: 5))
    case .bytes6To8: Int(bytes.bigEndianUInt24(at: 6))
    case .bytes6To9: Int(bytes.bigEndianUInt32(at: 6))
    case .bytes7To8: Int(bytes.bigEndianUInt16(at: 7))
    case .bytes10To13: Int(bytes.bigEndianUInt32(at: 10))
    }
  }

  /// Byte 1 of the 10, 12 and 16-byte block commands, byte 10 of the 32-byte ones.
  @inlinable
  var blockFlags: UInt8 { opcode == Self.variableLengthOpcode ? bytes[10] : bytes[1] }

  /// FUA: the command ends only when the blocks are on the medium (SBC-3 §4.15). Byte 1 of a 6-byte
  /// CDB is address instead.
  @inlinable
  public var isForceUnitAccess: Bool { length > 6 && blockFlags & 0x08 != 0 }

  /// BYTCHK of VERIFY and WRITE AND VERIFY: what the Data-Out buffer is for.
  @inlinable
  public var byteCheck: ByteCheck { ByteCheck(rawValue: (blockFlags >> 1) & 0x03) ?? .reserved }

  /// START, LOEJ and NO_FLUSH of START STOP UNIT (SBC-3 §5.25, byte 4).
  @inlinable
  public var isStart: Bool { bytes[4] & 0x01 != 0 }
  @inlinable
  public var isLoadEject: Bool { bytes[4] & 0x02 != 0 }
  @inlinable
  public var isNoFlush: Bool { bytes[4] & 0x04 != 0 }

  /// PREVENT of PREVENT ALLOW MEDIUM REMOVAL (SBC-3 §5.10, byte 4).
  @inlinable
  public var isPreventRemoval: Bool { bytes[4] & 0x03 != 0 }

  /// UNMAP of WRITE SAME (byte 1, bit 3): deallocating will do if the blocks then read as the data.
  @inlinable
  public var isUnmap: Bool { blockFlags & 0x08 != 0 }

  /// ANCHOR of UNMAP (byte 1, bit 0) and of WRITE SAME (byte 1, bit 4): what is unmapped keeps its
  /// space.
  @inlinable
  public var isAnchor: Bool {
    (opcode == Self.unmapOpcode ? bytes[1] << 4 : blockFlags) & 0x10 != 0
  }

  /// NDOB of WRITE SAME(16) (byte 1, bit 0): no Data-Out buffer, the blocks become zeros.
  @inlinable
  public var isNoDataOutBuffer: Bool { blockFlags & 0x01 != 0 }

  /// EVPD and PAGE CODE of INQUIRY (SPC-4 §6.6).
  @inlinable
  public var isVitalProductData: Bool { bytes[1] & 0x01 != 0 }
  @inlinable
  public var vitalProductDataPage: UInt8 { bytes[2] }

  /// DESC of REQUEST SENSE (SPC-4 §6.39): the answer in descriptor format.
  @inlinable
  public var isDescriptorSense: Bool { bytes[1] & 0x01 != 0 }

  /// SELECT REPORT of REPORT LUNS (SPC-4 §6.33).
  @inlinable
  public var selectReport: UInt8 { bytes[2] }

  /// LLBAA and DBD of MODE SENSE (SPC-4 §6.13, §6.14). LLBAA exists in the 10-byte form only.
  @inlinable
  public var isLongLBAAccepted: Bool { length == 10 && bytes[1] & 0x10 != 0 }
  @inlinable
  public var isDisableBlockDescriptors: Bool { bytes[1] & 0x08 != 0 }

  /// SP of MODE SELECT (SPC-4 §6.11).
  @inlinable
  public var isSavePages: Bool { bytes[1] & 0x01 != 0 }

  /// PC, PAGE CODE and SUBPAGE CODE of LOG SELECT and LOG SENSE, PCR of the one and PARAMETER
  /// POINTER of the other (SPC-4 §6.7, §6.8).
  var logPageControl: UInt8 { bytes[2] >> 6 }
  var logPageCode: UInt8 { bytes[2] & 0x3F }
  var logSubpageCode: UInt8 { bytes[3] }
  @inlinable
  public var isParameterCodeReset: Bool { bytes[1] & 0x02 != 0 }
  @inlinable
  public var parameterPointer: UInt16 { bytes.bigEndianUInt16(at: 5) }

  /// IDENTIFYING INFORMATION TYPE (SPC-4 §6.32, §6.43).
  @inlinable
  public var identifyingInformationType: UInt8 { bytes[10] >> 1 }

  /// PARAMETER DATA FORMAT of REPORT TARGET PORT GROUPS: 1 asks for the extended header.
  @inlinable
  public var parameterDataFormat: UInt8 { bytes[1] >> 5 }

  /// SELFTEST and PF of SEND DIAGNOSTIC, PCV and PAGE CODE of RECEIVE DIAGNOSTIC RESULTS
  /// (SPC-4 §6.42, §6.27).
  @inlinable
  public var isSelfTest: Bool { bytes[1] & 0x04 != 0 }
  @inlinable
  public var isPageFormat: Bool { bytes[1] & 0x10 != 0 }
  @inlinable
  public var isPageCodeValid: Bool { bytes[1] & 0x01 != 0 }
  public var diagnosticPageCode: UInt8 { bytes[2] }

  /// MODE, BUFFER ID and BUFFER OFFSET of READ BUFFER and WRITE BUFFER; the mode is nil for those
  /// not served.
  @inlinable
  public var bufferMode: BufferMode? { BufferMode(rawValue: bytes[1] & 0x1F) }
  @inlinable
  public var bufferIdentifier: UInt8 { bytes[2] }
  @inlinable
  public var bufferOffset: Int { Int(bytes.bigEndianUInt24(at: 3)) }

  /// PC of MODE SENSE.
  @inlinable
  public var modePageControl: ModePageControl {
    ModePageControl(rawValue: bytes[2] >> 6) ?? .current
  }
  @inlinable
  public var modePageCode: UInt8 { bytes[2] & 0x3F }
  @inlinable
  public var modeSubpageCode: UInt8 { bytes[3] }

  /// REPD of REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 §6.36).
  @inlinable
  public var isReturnExtendedParameterData: Bool { bytes[2] & 0x80 != 0 }
}

/// BYTCHK (SBC-3 §5.29 VERIFY(10), table 124).
public enum ByteCheck: UInt8, Sendable, BitwiseCopyable {
  /// Read the medium and compare nothing; there is no Data-Out.
  case mediumOnly = 0
  /// Compare with as many blocks of Data-Out.
  case compare = 1
  case reserved = 2
  /// Compare every block with the one block of Data-Out.
  case compareOneBlock = 3
}
