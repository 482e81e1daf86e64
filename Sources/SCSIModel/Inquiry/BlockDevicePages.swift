internal import Bytes

/// Block limits (VPD B0h, SBC-3 §6.5.3). 0: "not reported" or "no limit" unless said otherwise.
///
/// | byte  | field                                                        |
/// |-------|--------------------------------------------------------------|
/// | 4     | bit 0 WSNZ                                                   |
/// | 5     | MAXIMUM COMPARE AND WRITE LENGTH                             |
/// | 6–7   | OPTIMAL TRANSFER LENGTH GRANULARITY                          |
/// | 8–11  | MAXIMUM TRANSFER LENGTH                                      |
/// | 12–15 | OPTIMAL TRANSFER LENGTH                                      |
/// | 16–19 | MAXIMUM PREFETCH LENGTH                                      |
/// | 20–23 | MAXIMUM UNMAP LBA COUNT                                      |
/// | 24–27 | MAXIMUM UNMAP BLOCK DESCRIPTOR COUNT                         |
/// | 28–31 | OPTIMAL UNMAP GRANULARITY                                    |
/// | 32–35 | bit 31 UGAVALID, UNMAP GRANULARITY ALIGNMENT                 |
/// | 36–43 | MAXIMUM WRITE SAME LENGTH                                    |
public struct BlockLimits: Hashable, Sendable {
  /// WSNZ: WRITE SAME does not take 0 for "to the end".
  public var isWriteSameNonZero = false
  /// 0: COMPARE AND WRITE is not served.
  public var compareAndWriteBlocksMax: UInt8 = 0
  public var transferGranularityBlocks: UInt16 = 0
  public var transferBlocksMax: UInt32 = 0
  public var transferBlocksOptimal: UInt32 = 0
  public var prefetchBlocksMax: UInt32 = 0
  /// 0: UNMAP is not served.
  public var unmapBlocksMax: UInt32 = 0
  /// 0: UNMAP is not served.
  public var unmapDescriptorsMax: UInt32 = 0
  public var unmapGranularityBlocks: UInt32 = 0
  /// Nil: UGAVALID 0. At most 31 bits.
  public var unmapAlignmentBlocks: UInt32?
  public var writeSameBlocksMax: UInt64 = 0

  public init() {}

  public var unmapLimits: UnmapParameterList.Limits {
    UnmapParameterList.Limits(
      blockCountMax: unmapBlocksMax, descriptorCountMax: unmapDescriptorsMax)
  }

  public var page: VitalProductData {
    var writer = ByteWriter(reserving: 0x3C)
    writer.uint8(isWriteSameNonZero ? 0x01 : 0)
    writer.uint8(compareAndWriteBlocksMax)
    writer.uint16(transferGranularityBlocks)
    writer.uint32(transferBlocksMax)
    writer.uint32(transferBlocksOptimal)
    writer.uint32(prefetchBlocksMax)
    writer.uint32(unmapBlocksMax)
    writer.uint32(unmapDescriptorsMax)
    writer.uint32(unmapGranularityBlocks)
    writer.uint32(unmapAlignmentBlocks.map { 0x8000_0000 | $0 } ?? 0)
    writer.uint64(writeSameBlocksMax)
    writer.zeros(0x3C - writer.count)
    precondition(writer.count == 0x3C, "the block limits page is 3Ch bytes long")
    return VitalProductData(.blockLimits, contents: writer.bytes)
  }
}

/// Block device characteristics (VPD B1h, SBC-3 §6.5.2).
///
/// | byte | field                                                             |
/// |------|-------------------------------------------------------------------|
/// | 4–5  | MEDIUM ROTATION RATE: 0 not reported, 1 non-rotating, else per minute |
/// | 7    | bits 3–0 NOMINAL FORM FACTOR: 0 not reported                       |
public struct BlockDeviceCharacteristics: Hashable, Sendable {
  public var mediumRotationRate: UInt16

  public init(mediumRotationRate: UInt16 = 1) { self.mediumRotationRate = mediumRotationRate }

  public var page: VitalProductData {
    var writer = ByteWriter(reserving: 0x3C)
    writer.uint16(mediumRotationRate)
    writer.zeros(0x3C - 2)
    return VitalProductData(.blockDeviceCharacteristics, contents: writer.bytes)
  }
}

/// Logical block provisioning (VPD B2h, SBC-3 §6.5.4).
///
/// | byte | field                                                                  |
/// |------|------------------------------------------------------------------------|
/// | 4    | THRESHOLD EXPONENT: 0, no thresholds                                   |
/// | 5    | bit 7 LBPU, bit 6 LBPWS, bit 5 LBPWS10, bit 2 LBPRZ, bit 1 ANC_SUP, bit 0 DP |
/// | 6    | bits 2–0 PROVISIONING TYPE                                             |
public struct LogicalBlockProvisioning: Hashable, Sendable {
  public enum ProvisioningType: UInt8, Sendable {
    case notReported = 0
    case resource = 1
    case thin = 2
  }
  /// LBPU: UNMAP is served.
  public var isUnmapSupported: Bool
  /// LBPWS: WRITE SAME(16) may unmap. LBPWS10 stays zero: every initiator that unmaps at all has the
  /// 16-byte command or UNMAP.
  public var isWriteSameUnmapSupported: Bool
  /// LBPRZ: unmapped blocks read as zeros.
  public var isUnmappedReadAsZeros: Bool
  public var type: ProvisioningType

  public init(
    isUnmapSupported: Bool, isWriteSameUnmapSupported: Bool, isUnmappedReadAsZeros: Bool,
    type: ProvisioningType
  ) {
    self.isUnmapSupported = isUnmapSupported
    self.isWriteSameUnmapSupported = isWriteSameUnmapSupported
    self.isUnmappedReadAsZeros = isUnmappedReadAsZeros
    self.type = type
  }

  public var page: VitalProductData {
    let flags: UInt8 =
      (isUnmapSupported ? 0x80 : 0) | (isWriteSameUnmapSupported ? 0x40 : 0)
      | (isUnmappedReadAsZeros ? 0x04 : 0)
    return VitalProductData(.logicalBlockProvisioning, contents: [0, flags, type.rawValue, 0])
  }
}
