internal import BackingStore
internal import Reactor
internal import SCSIModel

// What this unit promises in its VPD pages and holds initiators to.
extension LogicalUnit {
  /// The most memory that a command which works piece by piece takes at a time, and what OPTIMAL
  /// TRANSFER LENGTH recommends: long enough to hide an operation's cost, short enough to be shared.
  static let chunkBytes = 1 << 20

  /// About what libiscsi's tests and the Linux initiator ask for at once.
  static let unmapBlocksMax: UInt32 = 1 << 20
  static let unmapDescriptorsMax: UInt32 = 128

  var blockBytes: Int { Int(geometry.logicalBlockBytes) }
  var capacity: BlockCount { BlockCount(geometry.blockCount) }
  /// MAXIMUM TRANSFER LENGTH: what fits the largest buffer.
  var transferBlocksMax: Int { BufferPool.largestBufferBytes / blockBytes }
  /// MAXIMUM WRITE SAME LENGTH: without help from the store every byte is written, and an initiator
  /// may want to write or read back in one command what one WRITE SAME covers.
  var writeSameBlocksMax: Int { transferBlocksMax }

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
    limits.transferBlocksOptimal = UInt32(LogicalUnit.chunkBytes / blockBytes)
    limits.writeSameBlocksMax = UInt64(writeSameBlocksMax)
    if capabilities.canPunchHoles {
      limits.unmapBlocksMax = LogicalUnit.unmapBlocksMax
      limits.unmapDescriptorsMax = LogicalUnit.unmapDescriptorsMax
      let granularity = capabilities.discardGranularityBytes / geometry.logicalBlockBytes
      limits.unmapGranularityBlocks = granularity
      limits.unmapAlignmentBlocks = granularity > 0 ? 0 : nil
    }
    return limits
  }

  /// Whether this unit serves `command`, which the table knows.
  func serves(_ command: Command) -> Bool {
    command != .unmap || store.capabilities.canPunchHoles
  }
}
