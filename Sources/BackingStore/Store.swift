public import Reactor

/// What a logical unit keeps its blocks in. One instance serves all reactors: everything mutable in
/// it is atomic.
///
/// A store deals in bytes; blocks are the logical unit's business. It never answers success for
/// less than was asked: short transfers are continued, and what cannot be continued is a failure.
public protocol Store: AnyObject, Sendable {
  var geometry: StoreGeometry { get }
  var capabilities: StoreCapabilities { get }

  /// Whether commands may reach the store now, and if not, why.
  var readiness: StoreReadiness { get }

  /// Starts `request` on `reactor`'s engine; its client is told of the end exactly once, never
  /// before this call returns. The range lies within the capacity: the caller has checked. Behind
  /// the end of a store that got smaller unasked the medium fails.
  func start(_ request: StoreRequest, on reactor: Reactor)
}

/// The size and shape of a store. Fixed for as long as it is presented: what sizes a buffer never
/// changes between a command's parsing and its execution.
public struct StoreGeometry: Sendable, Equatable {
  public var capacityBytes: UInt64
  /// 512 or 4096.
  public var logicalBlockBytes: UInt32
  /// A power-of-two multiple of the logical block: what the medium writes at once.
  public var physicalBlockBytes: UInt32

  public init(capacityBytes: UInt64, logicalBlockBytes: UInt32, physicalBlockBytes: UInt32) {
    self.capacityBytes = capacityBytes
    self.logicalBlockBytes = logicalBlockBytes
    self.physicalBlockBytes = physicalBlockBytes
  }

  public var blockCount: UInt64 { capacityBytes / UInt64(logicalBlockBytes) }
}

/// What a store can do beyond reading and writing, found out when it was opened.
public struct StoreCapabilities: Sendable, Equatable {
  /// Deallocates ranges, and they read as zeros afterwards (LBPME and LBPRZ).
  public var canPunchHoles: Bool
  /// Zeros ranges without moving the zeros.
  public var canZeroRanges: Bool
  /// Zeroing a range reserves its space, or leaves it reserved, and `findExtents` tells what is so
  /// anchored from what is deallocated (ANC_SUP). Only with both of the above.
  public var canAnchor: Bool
  /// The granularity of deallocation in bytes; 0 when unknown.
  public var discardGranularityBytes: UInt32
  /// The longest write, wherever it begins, of which a crash leaves all or nothing; 0: none is.
  public var atomicWriteBytesMax: UInt32
  public var isRotational: Bool
  public var isReadOnly: Bool

  public init(
    canPunchHoles: Bool, canZeroRanges: Bool, canAnchor: Bool = false,
    discardGranularityBytes: UInt32 = 4096,
    atomicWriteBytesMax: UInt32 = 0, isRotational: Bool = false, isReadOnly: Bool = false
  ) {
    self.canPunchHoles = canPunchHoles
    self.canZeroRanges = canZeroRanges
    self.canAnchor = canAnchor
    self.discardGranularityBytes = discardGranularityBytes
    self.atomicWriteBytesMax = atomicWriteBytesMax
    self.isRotational = isRotational
    self.isReadOnly = isReadOnly
  }
}

public enum StoreReadiness: UInt8, Sendable, Equatable {
  /// Another process still holds the lock: its writes may still land. BUSY, or 02/04/01 for what
  /// asks of the state.
  case waitingForLock
  case ready
  /// A sync failed once: Linux reports that only once, so what is on the medium is unknown. Reads
  /// go on; writes and syncs fail until the administrator clears it.
  case latched
  /// The file or device disappeared. 02/04/03.
  case gone
  /// When its lock was granted it was found unfit to be served, such as cut meanwhile. 02/04/03.
  case unusable
  /// It has not been there since the start, and may still come (`AwaitedStore`). 02/04/03.
  case absent
}

/// How writes reach the medium; the names are QEMU's.
public enum CacheMode: String, Sendable, CaseIterable {
  /// Buffered; volatile until a SYNCHRONIZE CACHE (WCE = 1).
  case writeback
  /// O_DIRECT; volatile in the device's cache until a SYNCHRONIZE CACHE (WCE = 1).
  case none
  /// Buffered; every write durable (WCE = 0).
  case writethrough
  /// O_DIRECT; every write durable (WCE = 0).
  case directsync

  public var isDirect: Bool { self == .none || self == .directsync }
  /// WCE of the caching mode page when the store is presented.
  public var startsWithWriteCache: Bool { self == .writeback || self == .none }
}
