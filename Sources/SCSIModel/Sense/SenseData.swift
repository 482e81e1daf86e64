/// SENSE KEY (SPC-4 §4.5.6, table 48).
public enum SenseKey: UInt8, Sendable, BitwiseCopyable {
  case noSense = 0x0
  case recoveredError = 0x1
  case notReady = 0x2
  case mediumError = 0x3
  case hardwareError = 0x4
  case illegalRequest = 0x5
  case unitAttention = 0x6
  case dataProtect = 0x7
  case blankCheck = 0x8
  case vendorSpecific = 0x9
  case copyAborted = 0xA
  case abortedCommand = 0xB
  case volumeOverflow = 0xD
  case miscompare = 0xE
  case completed = 0xF
}

/// Names the bit that an ILLEGAL REQUEST is about (SPC-4 §4.5.2.4.2).
public struct FieldPointer: Hashable, Sendable, BitwiseCopyable {
  public enum Place: UInt8, Sendable, BitwiseCopyable {
    case parameterList
    case cdb
  }
  public let place: Place
  public let byte: UInt16
  /// The leftmost bit of the field, 7…0; nil if the pointer is to the whole byte.
  public let bit: UInt8?

  @inlinable
  public init(place: Place, byte: UInt16, bit: UInt8?) {
    precondition(bit ?? 0 < 8, "a byte has eight bits")
    self.place = place
    self.byte = byte
    self.bit = bit
  }
}

/// Names the byte that a COPY ABORTED is about (SPC-4 §4.5.2.4.5).
public struct SegmentPointer: Hashable, Sendable, BitwiseCopyable {
  /// SD: `byte` counts from the start of the segment descriptor that COMMAND-SPECIFIC INFORMATION
  /// names, else from the start of the parameter list.
  public let isWithinSegment: Bool
  public let byte: UInt16

  @inlinable
  public init(isWithinSegment: Bool, byte: UInt16) {
    self.isWithinSegment = isWithinSegment
    self.byte = byte
  }
}

/// The SENSE KEY SPECIFIC field (SPC-4 §4.5.2.4).
public enum SenseKeySpecific: Hashable, Sendable, BitwiseCopyable {
  case none
  case fieldPointer(FieldPointer)
  /// Done in 65536ths, with NOT READY or NO SENSE.
  case progress(UInt16)
  /// What of a copy's parameter list is at fault, with COPY ABORTED.
  case segmentPointer(SegmentPointer)
}

/// Why a command ended with CHECK CONDITION (SPC-4 §4.5): the condition as a small value, encoded
/// when it is sent. Code throws it where the initiator or the medium is at fault.
public struct SenseData: Error, Hashable, Sendable, BitwiseCopyable {
  public var key: SenseKey
  public var additionalSenseCode: UInt8
  public var additionalSenseCodeQualifier: UInt8
  public var keySpecific: SenseKeySpecific
  /// INFORMATION: a block address or an offset; its meaning is the command's.
  public var information: UInt64?
  /// COMMAND-SPECIFIC INFORMATION: of a copy, the number of the segment descriptor. Not sent beside
  /// an INFORMATION in descriptor format.
  public var commandSpecificInformation: UInt32?

  @inlinable
  public init(
    _ key: SenseKey, asc: UInt8, ascq: UInt8, keySpecific: SenseKeySpecific = .none,
    information: UInt64? = nil
  ) {
    self.key = key
    additionalSenseCode = asc
    additionalSenseCodeQualifier = ascq
    self.keySpecific = keySpecific
    self.information = information
    commandSpecificInformation = nil
  }

  /// The same condition with the address or offset that it concerns.
  @inlinable
  public func withInformation(_ information: UInt64) -> SenseData {
    var copy = self
    copy.information = information
    return copy
  }

  /// 29/xx: power on, reset or nexus loss.
  public var tellsOfReset: Bool { additionalSenseCode == 0x29 }

  /// Whether two conditions are the same but for what they point at: one unit attention queue keeps
  /// one of each.
  @inlinable
  public func isSameCondition(as other: SenseData) -> Bool {
    key == other.key && additionalSenseCode == other.additionalSenseCode
      && additionalSenseCodeQualifier == other.additionalSenseCodeQualifier
  }
}

extension SenseData: CustomStringConvertible {
  /// Key, ASC and ASCQ as logs write them: `05/24/00`.
  public var description: String {
    [key.rawValue, additionalSenseCode, additionalSenseCodeQualifier]
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
      .joined(separator: "/")
  }
}
