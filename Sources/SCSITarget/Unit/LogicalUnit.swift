public import BackingStore
internal import Reactor
public import SCSIModel
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
  /// RMB: the medium can be taken out (SPC-4 §6.6.2); LOEJ ejects and loads it.
  public let isRemovable: Bool
  /// MEDIUM ROTATION RATE as configured.
  let mediumRotationRate: UInt16?
  /// The parameters that MODE SELECT changes live.
  public let modes: LogicalUnitModes
  /// Whether it is started, loaded, being formatted.
  public let medium: MediumState
  let wipePersistence: (any UnitPersistence<WipeMark?>)?
  /// Whether READ(32) and its like are served. They are made for type 2 protection, which there is
  /// none of (SBC-3 §4.22.2), so initiators have no use for them, and some stumble over commands of
  /// 32 bytes in REPORT SUPPORTED OPERATION CODES: libiscsi 1.19 keeps 16 bytes of usage data.
  public let servesLongCommands: Bool
  /// The parameters that were saved.
  let parameters: UnitParameters
  public let access: AsymmetricAccess
  public let provisioning: ThinProvisioning
  /// Of each device server, and what they had counted at the last reset.
  let counters = Mutex<[AccessCounters]>([])
  let statisticsBaseline = Mutex(AccessStatistics())
  /// Where reservations and range locks are decided for all reactors.
  public let homeReactorIndex: Int
  /// The ROD tokens that represent blocks of this unit.
  let tokens = TokenRegistry()
  /// The range locks that its commands have, or wait for.
  let rangeClaims = RangeClaimCount()

  /// Commands that each reactor accepts at a time, from all nexuses together; past it TASK SET FULL.
  let queueDepth: Int
  /// Decides between ORDERED tasks of different reactors.
  let order = UnitOrder()

  /// The standard of `queueDepth`: more than any disk has use for, and room for eight initiators at
  /// the standard depth of a session.
  public static let queueDepthStandard = 1024
  public static let queueDepthMax = 65_536

  /// The longest transfer for which every reactor has memory; settled when the device servers are there.
  let transferBytesMax = Atomic<Int>(BufferPool.largestBufferBytes)

  /// The device servers, by reactor; complete before the first command, then unchanged until `withdraw`.
  private let servers = Mutex<[ReactorBound<DeviceServer>]>([])
  private let home = Mutex<ReactorBound<DeviceServer>?>(nil)

  let reservationPersistence: (any UnitPersistence<ReservationState>)?
  private let reservations: Mutex<ReservationState>
  /// What is known of the reservations is damaged: the unit serves nothing until it is repaired and
  /// the daemon has started again, for without them it would serve initiators that were fenced.
  public let isOffline: Bool
  /// The nexuses there are, on all reactors.
  private let nexuses = Mutex<[UInt64: NexusIdentity]>([:])
  private let lastNexusNumber = Atomic<UInt64>(0)

  public init(
    identity: LogicalUnitIdentity, store: any Store, startsWithWriteCache: Bool,
    homeReactorIndex: Int, queueDepth: Int = LogicalUnit.queueDepthStandard,
    isRemovable: Bool = false, servesLongCommands: Bool = false,
    reservations: SavedReservations = .intact(ReservationState()),
    persistence: (any UnitPersistence<ReservationState>)? = nil,
    options: LogicalUnitOptions = LogicalUnitOptions()
  ) {
    precondition((1...LogicalUnit.queueDepthMax).contains(queueDepth), "queue depth out of range")
    self.queueDepth = queueDepth
    guard let naa = identity.naaIdentifier else {
      preconditionFailure("an identity has an NAA identifier of 16 bytes that starts with 6h")
    }
    self.naa = naa
    self.startsWithWriteCache = startsWithWriteCache
    self.identity = identity
    self.store = store
    geometry = store.geometry
    modes = LogicalUnitModes(writeCacheEnabled: startsWithWriteCache)
    parameters = UnitParameters(options.saved, options.persistence)
    access = options.access
    medium = MediumState(options.wipe)
    wipePersistence = options.wipePersistence
    mediumRotationRate = options.mediumRotationRate
    provisioning = ThinProvisioning(
      usedPercentMax: options.thinThresholdPercent, capacity: BlockCount(geometry.blockCount),
      blockBytes: geometry.logicalBlockBytes)
    self.isRemovable = isRemovable
    self.homeReactorIndex = homeReactorIndex
    reservationPersistence = persistence
    switch reservations {
    case .intact(let state):
      self.reservations = Mutex(state)
      isOffline = false
    case .damaged:
      self.reservations = Mutex(ReservationState())
      isOffline = true
    }
    self.servesLongCommands = servesLongCommands
    modes.settings = savedSettings
  }

  /// The parts of this logical unit on all reactors, for what must reach every one of them.
  var deviceServers: [ReactorBound<DeviceServer>] { servers.withLock { $0 } }

  /// Forgets the device servers: the unit is not presented any more, and no task of it is left.
  public func withdraw() {
    servers.withLock { $0 = [] }
    home.withLock { $0 = nil }
  }

  /// The part on the home reactor, or where there is none the first: in any case the same for all.
  var homeServer: ReactorBound<DeviceServer>? { home.withLock { $0 } ?? deviceServers.first }

  /// The place of `server` among the device servers.
  func register(
    _ server: ReactorBound<DeviceServer>, _ counters: AccessCounters, reactorIndex: Int,
    transferBytesMax: Int
  ) -> Int {
    _ = self.transferBytesMax.min(transferBytesMax, ordering: .relaxed)
    self.counters.withLock { $0.append(counters) }
    if reactorIndex == homeReactorIndex { home.withLock { $0 = server } }
    return servers.withLock { servers in
      servers.append(server)
      order.setShareCount(servers.count)
      return servers.count - 1
    }
  }

  /// Whether commands can be served: as the store says, and never while the unit is offline.
  var readiness: StoreReadiness { isOffline ? .gone : store.readiness }

  // MARK: Reservations

  /// The persistent reservations in force: what the last GOOD has made of them.
  public var reservationState: ReservationState { reservations.withLock { $0 } }

  func note(_ state: ReservationState) { reservations.withLock { $0 = state } }

  func takeNexusNumber() -> UInt64 {
    lastNexusNumber.add(1, ordering: .relaxed).newValue
  }

  func nexusAppeared(_ number: UInt64, _ identity: NexusIdentity) {
    nexuses.withLock { $0[number] = identity }
  }

  func nexusEnded(_ number: UInt64) { nexuses.withLock { $0[number] = nil } }

  /// The initiator ports that are logged in to the target device `name`, in an order of their own.
  func initiatorPorts(atTarget name: String) -> [InitiatorPort] {
    let ports = nexuses.withLock { nexuses in
      nexuses.values.filter { $0.target.name == name }.map(\.initiator)
    }
    return Set(ports).sorted { ($0.name, $0.isid) < ($1.name, $1.isid) }
  }
}

/// What is known of the persistent reservations of a logical unit when it starts.
public enum SavedReservations: Sendable {
  case intact(ReservationState)
  /// They were saved and cannot be read. The unit answers NOT READY, MANUAL INTERVENTION REQUIRED.
  case damaged
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

  /// Lets one command at a time change what is saved: MODE SELECT or SET IDENTIFYING INFORMATION. False:
  /// another is at it.
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
