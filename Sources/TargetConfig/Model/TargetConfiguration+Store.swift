extension TargetConfiguration {
  /// A store is a logical unit: one identity and one cache setting, however many targets
  /// and LUN numbers present it.
  public struct Store: Sendable, Equatable {
    public var name: String
    public var medium: Medium
    /// Always given for memory and null stores; nil for block devices, whose size is their own, and
    /// for files that must exist already.
    public var sizeBytes: UInt64?
    /// 512 or 4096; nil only for block devices, whose logical block size then counts.
    public var blockSize: Int?
    /// A power of two, at least `blockSize`; nil means the larger of `blockSize` and 4096.
    public var physicalBlockSize: Int?
    public var cache: CacheMode
    /// Whether UNMAP and WRITE SAME give space back where the medium can.
    public var discard: DiscardMode
    /// Commands that each reactor takes for the unit at a time.
    public var queueDepth: Int
    public var readOnly: Bool
    /// The used share of the capacity, 1…99 percent, from which on initiators are warned.
    public var thinThresholdPercent: Int?
    /// The share that is still available, 1…99 percent, from which down they are warned; nil: what
    /// the used share leaves.
    public var thinAvailableThresholdPercent: Int?
    /// nil: generated once and kept in the state directory.
    public var naa: NAAIdentifier?
    /// The unit serial number; nil: generated once and kept in the state directory.
    public var serial: String?
    /// At most 8 characters of printable ASCII (SPC-4 §6.6.2).
    public var vendor: String
    /// At most 16 characters of printable ASCII (SPC-4 §6.6.2).
    public var product: String
    public var removable = false
    /// Rotations per minute, 1 for a medium that does not turn; nil: as the medium says.
    public var rotationRate: UInt16?
    /// READ(32) and its like are served.
    public var servesLongCommands = false
    /// REPORT REFERRALS is served, and sense data refers to other ports.
    public var servesReferrals = false

    public init(name: String, medium: Medium) {
      self.name = name
      self.medium = medium
      cache = medium.standardCache
      blockSize = medium.isBlock ? nil : Self.standardBlockSize
      discard = .unmap
      queueDepth = Self.standardQueueDepth
      readOnly = false
      vendor = Self.standardVendor
      product = Self.standardProduct
    }

    public static let standardBlockSize = 512
    public static let standardQueueDepth = 1024
    public static let queueDepthMax = 65_536
    public static let standardVendor = "SWIFTTGT"
    public static let standardProduct = "VIRTUAL-DISK"
    public static let serialByteCountMax = 64
  }

  /// Where the blocks are.
  public enum Medium: Sendable, Equatable {
    /// A regular file, by absolute path.
    case file(path: String)
    /// A block device, by absolute path.
    case block(path: String)
    /// Memory of the daemon: gone when it ends.
    case memory
    /// Reads zeros and forgets writes: for measurements.
    case null

    /// "file", "block", "memory" or "null", as in the configuration.
    public var keyword: String {
      switch self {
      case .file: "file"
      case .block: "block"
      case .memory: "memory"
      case .null: "null"
      }
    }

    /// The absolute path; nil for memory and null.
    public var path: String? {
      switch self {
      case .file(let path), .block(let path): path
      case .memory, .null: nil
      }
    }

    var isBlock: Bool { if case .block = self { true } else { false } }

    /// Memory and null stores have nothing to flush, hence no write cache.
    var standardCache: CacheMode {
      switch self {
      case .file: .writeback
      case .block: .none
      case .memory, .null: .writethrough
      }
    }
  }

  /// How a store is opened and what it promises, by the names that QEMU users know.
  public enum CacheMode: String, Sendable, CaseIterable {
    case writeback
    case none
    case writethrough
    case directsync
  }

  /// What UNMAP does, by the names that QEMU users know.
  public enum DiscardMode: String, Sendable, CaseIterable {
    case unmap
    case ignore
  }
}
