/// Where the blocks of a store are.
public enum StoreKind: String, Codable, Sendable, CaseIterable {
  case file, block, memory, null
}

/// Whether a store serves.
public enum StoreState: String, Codable, Sendable, CaseIterable {
  case online
  /// Its medium is missing or does not answer: the store comes back when the medium does.
  case offline
  /// Writes failed for lack of space.
  case full
  /// It serves by the file or device that it opened, which is not at its path any more, or shorter
  /// than what is presented: the next start would find something else, or nothing.
  case endangered
}

/// Why a store does not serve, or not all of it, for programs; sentences are for people.
public enum StoreReason: String, Codable, Sendable, CaseIterable {
  case beingOpened
  /// What is known of its reservations is damaged.
  case reservationsDamaged
  /// Another process has its lock, or its device.
  case mediumTaken
  /// It serves reads: a sync failed.
  case writesRefused
  case mediumMissing
  /// It does not answer in time: its disk hangs, or is slow.
  case mediumHangs
  /// The medium is there, and cannot be used.
  case mediumUnusable
  /// It serves reads, and writes where something is written already: there is no room for more.
  case mediumFull
  /// The file has no name any more: its data goes when the daemon ends or the store is removed.
  case mediumDeleted
  /// The file is not at its path, but under another name.
  case mediumMoved
  /// Another file or device is at its path.
  case mediumReplaced
  /// The file or device is shorter than what is presented.
  case mediumCut
}

/// A store, which is a logical unit: one identity, one cache setting, one table of reservations,
/// however many targets and LUN numbers present it.
public struct StoreResource: Codable, Sendable, Equatable {
  public var name: String
  public var kind: StoreKind
  /// The absolute path of a file or a block device.
  public var path: String?
  public var state: StoreState
  /// Why it is not online.
  public var reason: String?
  public var reasonCode: StoreReason?
  /// What to do about it, where the daemon knows that best: of one that is endangered.
  public var remedy: String?
  /// Since when it is in that state.
  public var since: Timestamp?
  /// nil where the medium is missing and the configuration does not say.
  public var sizeBytes: UInt64?
  /// What the medium really takes; nil where that is not known.
  public var allocatedBytes: UInt64?
  public var blockSize: Int?
  public var physicalBlockSize: Int?
  public var cache: String
  public var discard: String
  public var readOnly: Bool
  /// The NAA identifier as `/dev/disk/by-id/wwn-0x…` has it: `6…`, 32 hexadecimal digits.
  public var wwn: String?
  public var serial: String?
  public var vendor: String
  public var product: String
  /// Every LUN that presents it.
  public var presentedBy: [PresentationResource]

  public init(name: String, kind: StoreKind, path: String? = nil, state: StoreState = .online) {
    self.name = name
    self.kind = kind
    self.path = path
    self.state = state
    cache = "none"
    discard = "unmap"
    readOnly = false
    vendor = ""
    product = ""
    presentedBy = []
  }
}

/// Where a store is presented.
public struct PresentationResource: Codable, Sendable, Hashable {
  public var target: String
  /// The initiator of the entry whose own LUN it is; nil: the target's.
  public var initiator: String?
  public var lun: UInt16

  public init(target: String, initiator: String? = nil, lun: UInt16) {
    self.target = target
    self.initiator = initiator
    self.lun = lun
  }
}
