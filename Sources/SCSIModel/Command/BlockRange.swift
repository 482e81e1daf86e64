// A block address, a number of blocks and a number of bytes are different types: LBA × block length
// is where targets have wrapped 64 bits and written to the start of the disk.

/// The address of a logical block (SBC-3 §4.5), from 0 to the capacity less one.
public struct LogicalBlockAddress: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt64

  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// A number of logical blocks: a transfer length, or the capacity of a logical unit.
public struct BlockCount: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt64

  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public var isZero: Bool { rawValue == 0 }

  /// The size in bytes of that many blocks, or nil if it passes the largest file offset, 2^63 − 1.
  @inlinable
  public func bytes(blockLengthBytes: UInt32) -> Int? {
    let (product, overflow) = rawValue.multipliedReportingOverflow(by: UInt64(blockLengthBytes))
    return overflow ? nil : Int(exactly: product)
  }
}

/// Consecutive logical blocks as an initiator named them: not yet known to exist.
public struct BlockRange: Hashable, Sendable, BitwiseCopyable {
  public let start: LogicalBlockAddress
  public let count: BlockCount

  @inlinable
  public init(start: LogicalBlockAddress, count: BlockCount) {
    self.start = start
    self.count = count
  }

  @inlinable
  public init(start: UInt64, count: UInt64) {
    self.init(start: LogicalBlockAddress(start), count: BlockCount(count))
  }

  /// Whether the start plus the count does not exceed the capacity (SBC-3 §5: LOGICAL BLOCK ADDRESS
  /// OUT OF RANGE otherwise). No sum is formed, so none wraps; an empty range may start at the end.
  @inlinable
  public func isWithin(_ capacity: BlockCount) -> Bool {
    start.rawValue <= capacity.rawValue && count.rawValue <= capacity.rawValue - start.rawValue
  }

  /// From the same start to the end of the medium: what a count of zero means to WRITE SAME and
  /// SYNCHRONIZE CACHE (SBC-3 §5.43, §5.26). nil if the start lies past the end.
  @inlinable
  public func extendedToEnd(of capacity: BlockCount) -> BlockRange? {
    guard start.rawValue <= capacity.rawValue else { return nil }
    return BlockRange(start: start, count: BlockCount(capacity.rawValue - start.rawValue))
  }

  /// Whether two ranges share a block. Both lie within a capacity, so their ends do not wrap.
  @inlinable
  public func overlaps(_ other: BlockRange) -> Bool {
    guard !count.isZero, !other.count.isZero else { return false }
    return start.rawValue < other.start.rawValue
      ? other.start.rawValue - start.rawValue < count.rawValue
      : start.rawValue - other.start.rawValue < other.count.rawValue
  }

  /// Offset and size in bytes, or nil if either passes 2^63 − 1. Never nil for a range within the
  /// capacity of a store, whose size in bytes is a file offset.
  @inlinable
  public func bytes(blockLengthBytes: UInt32) -> (offset: Int, length: Int)? {
    guard let offset = BlockCount(start.rawValue).bytes(blockLengthBytes: blockLengthBytes),
      let length = count.bytes(blockLengthBytes: blockLengthBytes),
      !offset.addingReportingOverflow(length).overflow
    else { return nil }
    return (offset, length)
  }
}
