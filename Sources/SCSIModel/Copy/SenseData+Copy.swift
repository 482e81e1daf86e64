// Conditions of third-party copies; key/ASC/ASCQ stand beside each.

extension SenseData {
  // MARK: The parameter list, before anything is copied

  /// 05/00/16: the list identifier belongs to a copy that goes on.
  public static var operationInProgress: SenseData {
    SenseData(.illegalRequest, asc: 0x00, ascq: 0x16)
  }
  /// 05/26/06.
  public static var tooManyTargetDescriptors: SenseData {
    SenseData(.illegalRequest, asc: 0x26, ascq: 0x06)
  }
  /// 05/26/07.
  public static var unsupportedTargetDescriptorTypeCode: SenseData {
    SenseData(.illegalRequest, asc: 0x26, ascq: 0x07)
  }
  /// 05/26/08.
  public static var tooManySegmentDescriptors: SenseData {
    SenseData(.illegalRequest, asc: 0x26, ascq: 0x08)
  }
  /// 05/26/09.
  public static var unsupportedSegmentDescriptorTypeCode: SenseData {
    SenseData(.illegalRequest, asc: 0x26, ascq: 0x09)
  }
  /// 05/26/0B.
  public static var inlineDataLengthExceeded: SenseData {
    SenseData(.illegalRequest, asc: 0x26, ascq: 0x0B)
  }

  // MARK: A segment

  /// 0A/08/04: the segment names a descriptor that is not in the list, or the null device.
  public static func unreachableCopyTarget(segment: Int, byte: UInt16) -> SenseData {
    copyAborted(asc: 0x08, ascq: 0x04, segment: segment, byte: byte)
  }
  /// 0A/0D/02: no logical unit of this initiator has the name. One that is somebody else's is not
  /// told from one that does not exist.
  public static func copyTargetDeviceNotReachable(segment: Int, byte: UInt16) -> SenseData {
    copyAborted(asc: 0x0D, ascq: 0x02, segment: segment, byte: byte)
  }
  /// 0A/0D/03: not a block device, or its blocks are of another length than the initiator believes.
  public static func incorrectCopyTargetDeviceType(segment: Int, byte: UInt16) -> SenseData {
    copyAborted(asc: 0x0D, ascq: 0x03, segment: segment, byte: byte)
  }
  /// 0A/26/0A: the segment's length is not a number of whole blocks on both sides.
  public static func unexpectedInexactSegment(_ segment: Int) -> SenseData {
    copyAborted(asc: 0x26, ascq: 0x0A, segment: segment, byte: 10)
  }
  /// 0A/00/00: the segment reaches past the end of a medium; `byte` is that of the address.
  public static func copySegmentOutOfRange(segment: Int, byte: UInt16) -> SenseData {
    copyAborted(asc: 0x00, ascq: 0x00, segment: segment, byte: byte)
  }
  /// 0A/0D/01: the source or the destination refused or failed a step of the segment.
  public static func thirdPartyDeviceFailure(segment: Int) -> SenseData {
    copyAborted(asc: 0x0D, ascq: 0x01, segment: segment, byte: nil)
  }
  /// 0A/00/00: stopped by COPY OPERATION ABORT.
  public static var copyAborted: SenseData { SenseData(.copyAborted, asc: 0x00, ascq: 0x00) }

  private static func copyAborted(
    asc: UInt8, ascq: UInt8, segment: Int, byte: UInt16?
  ) -> SenseData {
    var sense = SenseData(.copyAborted, asc: asc, ascq: ascq)
    sense.commandSpecificInformation = UInt32(clamping: segment)
    if let byte {
      sense.keySpecific = .segmentPointer(SegmentPointer(isWithinSegment: true, byte: byte))
    }
    return sense
  }

  // MARK: Tokens

  /// 05/23/01.
  public static var unsupportedTokenType: SenseData {
    SenseData(.illegalRequest, asc: 0x23, ascq: 0x01)
  }
  /// 05/23/04: never made, forgotten, timed out, or of a logical unit that is not this initiator's.
  public static var tokenUnknown: SenseData { SenseData(.illegalRequest, asc: 0x23, ascq: 0x04) }
  /// 05/23/0A.
  public static var invalidTokenLength: SenseData {
    SenseData(.illegalRequest, asc: 0x23, ascq: 0x0A)
  }
}
