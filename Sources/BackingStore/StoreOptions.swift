internal import Reactor

/// What the administrator said of a store on a file or a block device.
public struct StoreOptions: Sendable, Equatable {
  /// A regular file, or a block device (also by a symbolic link, as in /dev/disk/by-id).
  public var path: String
  /// What `path` must be; nil: either.
  public var kind: StoreKind?
  /// nil: as large as it is. A file that is smaller is extended, sparse; of one that is larger only
  /// so much is presented, and it is never cut.
  public var sizeBytes: UInt64?
  /// Whether a file that is missing may be made, sparse and of `sizeBytes`.
  public var createsFile: Bool
  /// Whether a file that was made stays where it cannot be given its size or its lock: for who
  /// tries that again, and makes none then.
  public var keepsFile = false
  /// 512 or 4096.
  public var logicalBlockBytes: UInt32
  /// nil: as detected, 4096 for files.
  public var physicalBlockBytes: UInt32?
  /// nil: `writeback` for files, `none` for block devices.
  public var cacheMode: CacheMode?
  public var isReadOnly: Bool
  /// Whether UNMAP may deallocate.
  public var discards: Bool
  /// A sync failed in an earlier life of the daemon and nobody has cleared that yet.
  public var startsLatched: Bool

  public init(
    path: String, kind: StoreKind? = nil, sizeBytes: UInt64? = nil, createsFile: Bool = true,
    logicalBlockBytes: UInt32 = 512, physicalBlockBytes: UInt32? = nil,
    cacheMode: CacheMode? = nil, isReadOnly: Bool = false, discards: Bool = true,
    startsLatched: Bool = false
  ) {
    self.path = path
    self.kind = kind
    self.sizeBytes = sizeBytes
    self.createsFile = createsFile
    self.logicalBlockBytes = logicalBlockBytes
    self.physicalBlockBytes = physicalBlockBytes
    self.cacheMode = cacheMode
    self.isReadOnly = isReadOnly
    self.discards = discards
    self.startsLatched = startsLatched
  }

  /// 8 EiB less a little: file offsets are signed, and a probe reaches past the end.
  static let sizeBytesMax = UInt64(Int64.max) - (1 << 20)
  /// The largest physical block that INQUIRY's and READ CAPACITY's fields are of use for.
  static let physicalBlockBytesMax: UInt32 = 1 << 20

  /// Rejects what is wrong whatever `path` is.
  func validate() throws(StoreError) {
    guard !path.isEmpty, !path.utf8.contains(0) else { throw StoreError(path, .invalidPath) }
    guard logicalBlockBytes == 512 || logicalBlockBytes == 4096 else {
      throw StoreError(path, .invalidBlockSize(logicalBlockBytes))
    }
    if let physicalBlockBytes {
      guard physicalBlockBytes >= logicalBlockBytes,
        physicalBlockBytes <= StoreOptions.physicalBlockBytesMax,
        physicalBlockBytes.nonzeroBitCount == 1
      else {
        throw StoreError(
          path, .invalidPhysicalBlockSize(physicalBlockBytes, blockSize: logicalBlockBytes))
      }
    }
    if let sizeBytes { try validateSize(sizeBytes) }
  }

  /// Rejects a size that cannot be presented.
  func validateSize(_ bytes: UInt64) throws(StoreError) {
    guard bytes > 0 else { throw StoreError(path, .empty) }
    guard bytes <= StoreOptions.sizeBytesMax else { throw StoreError(path, .tooLarge(bytes)) }
    guard bytes.isMultiple(of: UInt64(logicalBlockBytes)) else {
      throw StoreError(path, .partialBlock(bytes, blockSize: logicalBlockBytes))
    }
  }
}

/// What a store with a path is made of.
public enum StoreKind: String, Sendable, CaseIterable {
  case file
  case blockDevice

  public var defaultCacheMode: CacheMode { self == .file ? .writeback : .none }
}
