internal import Bytes

/// Block limits (VPD B0h, SBC-3 §6.5.3; of atomic writes, SBC-4). 0: "not reported", "no limit" or
/// "not served" unless said otherwise.
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
/// | 44–47 | MAXIMUM ATOMIC TRANSFER LENGTH                               |
/// | 48–51 | ATOMIC ALIGNMENT                                             |
/// | 52–55 | ATOMIC TRANSFER LENGTH GRANULARITY                           |
/// | 56–59 | MAXIMUM ATOMIC TRANSFER LENGTH WITH ATOMIC BOUNDARY: 0, none |
/// | 60–63 | MAXIMUM ATOMIC BOUNDARY SIZE: 0, none                        |
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
  /// nil: UGAVALID 0. At most 31 bits.
  public var unmapAlignmentBlocks: UInt32?
  public var writeSameBlocksMax: UInt64 = 0
  /// 0: WRITE ATOMIC is not served.
  public var atomicBlocksMax: UInt32 = 0
  public var atomicAlignmentBlocks: UInt32 = 0
  public var atomicGranularityBlocks: UInt32 = 0

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
    writer.uint32(atomicBlocksMax)
    writer.uint32(atomicAlignmentBlocks)
    writer.uint32(atomicGranularityBlocks)
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
/// | 7    | bits 7–6 WABEREQ: 1 reads after a block erase succeed, 0 not reported; |
/// |      | bits 3–0 NOMINAL FORM FACTOR: 0 not reported                       |
public struct BlockDeviceCharacteristics: Hashable, Sendable {
  public var mediumRotationRate: UInt16
  /// SANITIZE with BLOCK ERASE is served, and what it erased can be read.
  public var readsAfterBlockErase: Bool

  public init(mediumRotationRate: UInt16 = 1, readsAfterBlockErase: Bool = false) {
    self.mediumRotationRate = mediumRotationRate
    self.readsAfterBlockErase = readsAfterBlockErase
  }

  public var page: VitalProductData {
    var writer = ByteWriter(reserving: 0x3C)
    writer.uint16(mediumRotationRate)
    writer.uint8(0)
    writer.uint8(readsAfterBlockErase ? 0x40 : 0)
    writer.zeros(0x3C - 4)
    return VitalProductData(.blockDeviceCharacteristics, contents: writer.bytes)
  }
}

/// Logical block provisioning (VPD B2h, SBC-3 §6.5.4).
///
/// | byte | field                                                                  |
/// |------|------------------------------------------------------------------------|
/// | 4    | THRESHOLD EXPONENT: threshold sets are of 2^n blocks; 0: no thresholds  |
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
  public var thresholdExponent: UInt8
  /// LBPWS and LBPWS10: WRITE SAME(16) and (10) may unmap.
  public var isWriteSameUnmapSupported: Bool
  /// LBPRZ: unmapped blocks read as zeros.
  public var isUnmappedReadAsZeros: Bool
  /// ANC_SUP: UNMAP and WRITE SAME take ANCHOR.
  public var isAnchorSupported: Bool
  public var type: ProvisioningType

  public init(
    isUnmapSupported: Bool, isWriteSameUnmapSupported: Bool, isUnmappedReadAsZeros: Bool,
    isAnchorSupported: Bool = false, thresholdExponent: UInt8 = 0, type: ProvisioningType
  ) {
    self.isUnmapSupported = isUnmapSupported
    self.isWriteSameUnmapSupported = isWriteSameUnmapSupported
    self.isUnmappedReadAsZeros = isUnmappedReadAsZeros
    self.isAnchorSupported = isAnchorSupported
    self.thresholdExponent = thresholdExponent
    self.type = type
  }

  public var page: VitalProductData {
    let flags: UInt8 =
      (isUnmapSupported ? 0x80 : 0) | (isWriteSameUnmapSupported ? 0x60 : 0)
      | (isUnmappedReadAsZeros ? 0x04 : 0) | (isAnchorSupported ? 0x02 : 0)
    return VitalProductData(
      .logicalBlockProvisioning, contents: [thresholdExponent, flags, type.rawValue, 0])
  }
}
