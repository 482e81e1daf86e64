internal import BackingStore
internal import Reactor
internal import SCSIModel
internal import Synchronization

// What this unit promises in its VPD pages and holds initiators to.
extension LogicalUnit {
  /// The most memory that a command which works piece by piece takes at a time, and what OPTIMAL
  /// TRANSFER LENGTH recommends: long enough to hide an operation's cost, short enough to be
  /// shared.
  static let pieceBytes = 1 << 20

  /// About what libiscsi's tests and the Linux initiator ask for at once.
  static let unmapBlocksMax: UInt32 = 1 << 20
  static let unmapDescriptorsMax: UInt32 = 128

  /// The longest list that FORMAT UNIT looks at: a header, and a pattern of one block.
  static let formatListBytesMax = 8 + 4 + 4096

  /// What PRE-FETCH brings into the cache at most when it is asked for all there is: about what a
  /// disk's own cache holds.
  static let preFetchBytesMax = 64 << 20

  /// MAXIMUM COMPARE AND WRITE LENGTH: what one byte counts, and one piece of work compares.
  var compareAndWriteBlocksMax: Int {
    min(255, LogicalUnit.pieceBytes / blockBytes, transferBlocksMax)
  }

  var blockBytes: Int { Int(logicalBlockBytes) }
  var capacity: BlockCount { BlockCount(blockCount.load(ordering: .relaxed)) }
  /// MAXIMUM TRANSFER LENGTH: what fits the largest buffer that a session can have. More would be
  /// told BUSY for ever.
  var transferBlocksMax: Int { max(1, transferBytesMax.load(ordering: .relaxed) / blockBytes) }
  /// MAXIMUM PREFETCH LENGTH: not more than MAXIMUM TRANSFER LENGTH (SBC-3 §6.5.3).
  var preFetchBlocksMax: Int { min(LogicalUnit.preFetchBytesMax / blockBytes, transferBlocksMax) }
  /// MAXIMUM WRITE SAME LENGTH: without help from the store every byte is written, and an initiator
  /// may want to write or read back in one command what one WRITE SAME covers.
  var writeSameBlocksMax: Int { transferBlocksMax }

  /// MAXIMUM ATOMIC TRANSFER LENGTH; 0: WRITE ATOMIC is not served.
  var atomicBlocksMax: Int {
    min(Int(store.capabilities.atomicWriteBytesMax) / blockBytes, transferBlocksMax)
  }

  var unmapLimits: UnmapParameterList.Limits {
    UnmapParameterList.Limits(
      blockCountMax: LogicalUnit.unmapBlocksMax,
      descriptorCountMax: LogicalUnit.unmapDescriptorsMax)
  }

  var blockLimits: BlockLimits {
    let capabilities = store.capabilities
    var limits = BlockLimits()
    limits.transferGranularityBlocks =
      UInt16(clamping: geometry.physicalBlockBytes / geometry.logicalBlockBytes)
    limits.transferBlocksMax = UInt32(transferBlocksMax)
    limits.transferBlocksOptimal =
      UInt32(min(LogicalUnit.pieceBytes / blockBytes, transferBlocksMax))
    limits.compareAndWriteBlocksMax = UInt8(clamping: compareAndWriteBlocksMax)
    limits.prefetchBlocksMax = UInt32(preFetchBlocksMax)
    limits.writeSameBlocksMax = UInt64(writeSameBlocksMax)
    limits.atomicBlocksMax = UInt32(atomicBlocksMax)
    if capabilities.canPunchHoles {
      limits.unmapBlocksMax = LogicalUnit.unmapBlocksMax
      limits.unmapDescriptorsMax = LogicalUnit.unmapDescriptorsMax
      let granularity = capabilities.discardGranularityBytes / geometry.logicalBlockBytes
      limits.unmapGranularityBlocks = granularity
      limits.unmapAlignmentBlocks = granularity > 0 ? 0 : nil
    }
    return limits
  }

  /// As configured; else 1 for a store that does not turn, and 0, not known, for one that does.
  var rotationRate: UInt16 { mediumRotationRate ?? (store.capabilities.isRotational ? 0 : 1) }

  /// Whether this unit serves `command`, which the table knows.
  func serves(_ command: Command) -> Bool {
    switch command {
    case .unmap, .sanitizeBlockErase: store.capabilities.canPunchHoles
    case .read32, .verify32, .write32, .writeAndVerify32, .writeSame32: servesLongCommands
    case .writeAtomic16: atomicBlocksMax > 0
    case .setTargetPortGroups: access.isExplicit
    case .reportReferrals: servesReferrals
    default: true
    }
  }
}
