public import BackingStore
internal import Reactor
internal import SCSIModel
internal import Synchronization

/// A disk: one store, one identity, one set of mode parameters, however many targets and LUNs present
/// it (SAM-5 §4.5.19). Shared by all reactors; what commands do on each reactor is in that reactor's
/// `DeviceServer`.
public final class LogicalUnit: Sendable {
  public let identity: LogicalUnitIdentity
  public let store: any Store
  public let geometry: StoreGeometry
  /// The NAA identifier of `identity`.
  let naa: NAAIdentifier
  /// WCE as configured, the default that MODE SENSE reports.
  let startsWithWriteCache: Bool
  /// The parameters that MODE SELECT changes live.
  public let modes: LogicalUnitModes
  /// Decides for all reactors where one has to (resets, later reservations).
  public let homeReactorIndex: Int

  /// The device servers, by reactor; complete before the first command, then never changed.
  private let servers = Mutex<[ReactorBound<DeviceServer>]>([])

  public init(
    identity: LogicalUnitIdentity, store: any Store, startsWithWriteCache: Bool,
    homeReactorIndex: Int
  ) {
    guard let naa = identity.naaIdentifier else {
      preconditionFailure("an identity has an NAA identifier of 16 bytes that starts with 6h")
    }
    self.naa = naa
    self.startsWithWriteCache = startsWithWriteCache
    self.identity = identity
    self.store = store
    geometry = store.geometry
    modes = LogicalUnitModes(writeCacheEnabled: startsWithWriteCache)
    self.homeReactorIndex = homeReactorIndex
  }

  /// The parts of this logical unit on all reactors, for what must reach every one of them.
  var deviceServers: [ReactorBound<DeviceServer>] { servers.withLock { $0 } }

  /// Forgets the device servers: the unit is not presented any more, and no task of it is left.
  public func withdraw() { servers.withLock { $0 = [] } }

  func register(_ server: ReactorBound<DeviceServer>) { servers.withLock { $0.append(server) } }
}

/// What a logical unit says of itself, the same on every path and after every restart.
public struct LogicalUnitIdentity: Sendable, Equatable {
  /// The store's name in the configuration, for logs.
  public var name: String
  /// NAA IEEE Registered Extended identifier, 16 bytes starting with 6h (SPC-4 §7.8.6.6.5).
  public var naa: [UInt8]
  /// Unit serial number (VPD page 80h), ASCII.
  public var serial: String
  /// T10 vendor identification, at most 8 ASCII characters.
  public var vendor: String
  /// At most 16 ASCII characters.
  public var product: String
  /// At most 4 ASCII characters.
  public var revision: String

  public init(
    name: String, naa: [UInt8], serial: String, vendor: String, product: String, revision: String
  ) {
    self.name = name
    self.naa = naa
    self.serial = serial
    self.vendor = vendor
    self.product = product
    self.revision = revision
  }

  /// `naa` as a value; nil unless it is of the form promised.
  var naaIdentifier: NAAIdentifier? {
    guard naa.count == 16 else { return nil }
    let high = naa[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let low = naa[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return NAAIdentifier(high: high, low: low)
  }
}

/// Mode parameters, read by every reactor on every write and changed by MODE SELECT.
public final class LogicalUnitModes: Sendable {
  private let writeCache: Atomic<Bool>
  private let descriptorSense = Atomic<Bool>(false)
  private let softwareWriteProtect = Atomic<Bool>(false)
  private let taskAborted = Atomic<Bool>(false)

  private let isChanging = Atomic<Bool>(false)

  init(writeCacheEnabled: Bool) { writeCache = Atomic(writeCacheEnabled) }

  /// Lets one MODE SELECT at a time change the parameters. False: another is at it.
  func beginChange() -> Bool { !isChanging.exchange(true, ordering: .acquiringAndReleasing) }
  func endChange() { isChanging.store(false, ordering: .releasing) }

  /// WCE, caching mode page: GOOD may precede stable storage until a SYNCHRONIZE CACHE.
  public var writeCacheEnabled: Bool {
    get { writeCache.load(ordering: .acquiring) }
    set { writeCache.store(newValue, ordering: .releasing) }
  }

  /// D_SENSE, control mode page: sense data in descriptor format.
  public var usesDescriptorSense: Bool {
    get { descriptorSense.load(ordering: .relaxed) }
    set { descriptorSense.store(newValue, ordering: .relaxed) }
  }

  /// SWP, control mode page: every medium-changing command is refused.
  public var isSoftwareWriteProtected: Bool {
    get { softwareWriteProtect.load(ordering: .acquiring) }
    set { softwareWriteProtect.store(newValue, ordering: .releasing) }
  }

  /// TAS, control mode page: commands aborted by another nexus end with TASK ABORTED.
  public var reportsTaskAborted: Bool {
    get { taskAborted.load(ordering: .relaxed) }
    set { taskAborted.store(newValue, ordering: .relaxed) }
  }
}
