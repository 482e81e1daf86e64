internal import Bytes

/// What READ CAPACITY tells of a logical unit (SBC-3 §5.15, §5.16).
///
/// READ CAPACITY(10), 8 bytes:
///
/// | byte | field                                                              |
/// |------|--------------------------------------------------------------------|
/// | 0–3  | RETURNED LOGICAL BLOCK ADDRESS: the last; FFFFFFFFh if it needs more |
/// | 4–7  | LOGICAL BLOCK LENGTH IN BYTES                                      |
///
/// READ CAPACITY(16), 32 bytes:
///
/// | byte  | field                                                                     |
/// |-------|---------------------------------------------------------------------------|
/// | 0–7   | RETURNED LOGICAL BLOCK ADDRESS: the last                                  |
/// | 8–11  | LOGICAL BLOCK LENGTH IN BYTES                                             |
/// | 12    | bits 3–1 P_TYPE, bit 0 PROT_EN: none                                      |
/// | 13    | bits 7–4 P_I_EXPONENT, bits 3–0 LOGICAL BLOCKS PER PHYSICAL BLOCK EXPONENT |
/// | 14–15 | bit 15 LBPME, bit 14 LBPRZ, bits 13–0 LOWEST ALIGNED LOGICAL BLOCK ADDRESS |
public struct ReadCapacityData: Sendable, BitwiseCopyable {
  /// At least one block.
  public var capacity: BlockCount
  public var blockLengthBytes: UInt32
  /// 0…15: a physical block holds 2^n logical blocks.
  public var physicalBlockExponent: UInt8
  /// 0…16383.
  public var lowestAlignedBlock: UInt16
  /// LBPME: the unit unmaps blocks.
  public var isProvisioningManaged: Bool
  /// LBPRZ: unmapped blocks read as zeros.
  public var isUnmappedReadAsZeros: Bool

  public init(
    capacity: BlockCount, blockLengthBytes: UInt32, physicalBlockExponent: UInt8 = 0,
    lowestAlignedBlock: UInt16 = 0, isProvisioningManaged: Bool = false,
    isUnmappedReadAsZeros: Bool = false
  ) {
    precondition(!capacity.isZero, "a unit without blocks is not ready and has no last block")
    precondition(physicalBlockExponent < 16, "the exponent has four bits")
    precondition(lowestAlignedBlock < 0x4000, "the lowest aligned address has 14 bits")
    self.capacity = capacity
    self.blockLengthBytes = blockLengthBytes
    self.physicalBlockExponent = physicalBlockExponent
    self.lowestAlignedBlock = lowestAlignedBlock
    self.isProvisioningManaged = isProvisioningManaged
    self.isUnmappedReadAsZeros = isUnmappedReadAsZeros
  }

  private var lastBlock: UInt64 { capacity.rawValue - 1 }

  public func encoded10() -> [UInt8] {
    var writer = ByteWriter(reserving: 8)
    writer.uint32(UInt32(clamping: lastBlock))
    writer.uint32(blockLengthBytes)
    return writer.bytes
  }

  public func encoded16() -> [UInt8] {
    var writer = ByteWriter(reserving: 32)
    writer.uint64(lastBlock)
    writer.uint32(blockLengthBytes)
    writer.uint8(0)
    writer.uint8(physicalBlockExponent)
    writer.uint16(
      (isProvisioningManaged ? 0x8000 : 0) | (isUnmappedReadAsZeros ? 0x4000 : 0)
        | lowestAlignedBlock)
    writer.zeros(16)
    precondition(writer.count == 32, "READ CAPACITY(16) parameter data is 32 bytes")
    return writer.bytes
  }
}
