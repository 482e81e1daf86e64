public import BackingStore
internal import Reactor
public import SCSIModel
internal import Synchronization

/// A disk: one store, one identity, one set of mode parameters, however many targets and LUNs
/// present it (SAM-5 §4.5.19). Shared by all reactors; what commands do on each reactor is in that
/// reactor's `DeviceServer`.
public final class LogicalUnit: Sendable {
  public let identity: LogicalUnitIdentity
  /// Unlike that of every other unit of the process, also of one that has gone.
  let number: UInt64
  private static let lastNumber = Atomic<UInt64>(0)
  public let store: any Store
  let logicalBlockBytes: UInt32
  private let physicalBlockBytesNow: Atomic<UInt32>
  /// The capacity in blocks, read by every command; changed by `setCapacity`.
  let blockCount: Atomic<UInt64>
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
  /// Whether REPORT REFERRALS and page B3h are served, and sense data refers to other ports.
  let servesReferrals: Bool
  /// The parameters that were saved.
  let parameters: UnitParameters
  let clock = UnitClock()
  public let access: AsymmetricAccess
  public let provisioning: ThinProvisioning
  /// Of each device server, and what they had counted at the last reset.
  let counters = Mutex<[AccessCounters]>([])
  let outOfSpaceAnswers = Atomic<UInt64>(0)
  let statisticsBaseline = Mutex(AccessStatistics())
  /// Where reservations and range locks are decided for all reactors.
  public let homeReactorIndex: Int
  /// The ROD tokens that represent blocks of this unit.
  let tokens = TokenRegistry()
  /// The range locks that its commands have, or wait for.
  let rangeClaims = RangeClaimCount()
  /// Who may not let others in yet.
  let abortedWriters = AbortedWriters()

  /// Commands that each reactor accepts at a time, from all nexuses together; past it TASK SET
  /// FULL.
  let queueDepth: Int
  /// Decides between ORDERED tasks of different reactors.
  let order = UnitOrder()

  /// More than any disk has use for, and room for eight initiators at the default depth of a
  /// session.
  public static let queueDepthDefault = 1024
  public static let queueDepthMax = 65_536

  /// The longest transfer for which every reactor has memory; settled when the device servers are
  /// there.
  let transferBytesMax = Atomic<Int>(BufferPool.largestBufferBytes)

  /// The device servers, by reactor; complete before the first command, then unchanged until
  /// `withdraw`.
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
    homeReactorIndex: Int, options: LogicalUnitOptions = LogicalUnitOptions()
  ) {
    queueDepth = options.queueDepth
    precondition((1...LogicalUnit.queueDepthMax).contains(queueDepth), "queue depth out of range")
    guard let naa = identity.naaIdentifier else {
      preconditionFailure("an identity has an NAA identifier of 16 bytes that starts with 6h")
    }
    self.naa = naa
    self.startsWithWriteCache = startsWithWriteCache
    self.identity = identity
    number = Self.lastNumber.add(1, ordering: .relaxed).newValue
    self.store = store
    let geometry = store.geometry
    logicalBlockBytes = geometry.logicalBlockBytes
    physicalBlockBytesNow = Atomic(geometry.physicalBlockBytes)
    blockCount = Atomic(geometry.blockCount)
    modes = LogicalUnitModes(ModeSettings(isWriteCacheEnabled: startsWithWriteCache))
    parameters = UnitParameters(options.savedParameters, options.parameterPersistence)
    access = options.access
    medium = MediumState(options.wipe)
    wipePersistence = options.wipePersistence
    mediumRotationRate = options.mediumRotationRate
    provisioning = ThinProvisioning(
      usedPercent: options.thinThresholdPercent,
      availablePercent: options.thinAvailableThresholdPercent,
      capacity: BlockCount(geometry.blockCount), blockBytes: geometry.logicalBlockBytes)
    isRemovable = options.isRemovable
    self.homeReactorIndex = homeReactorIndex
    reservationPersistence = options.reservationPersistence
    switch options.reservations {
    case .intact(let state):
      reservations = Mutex(state)
      isOffline = false
    case .damaged:
      reservations = Mutex(ReservationState())
      isOffline = true
    }
    servesLongCommands = options.servesLongCommands
    servesReferrals = options.servesReferrals
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

  var physicalBlockBytes: UInt32 { physicalBlockBytesNow.load(ordering: .relaxed) }

  /// The size that the unit has from here on.
  func adopt(_ geometry: StoreGeometry) {
    physicalBlockBytesNow.store(geometry.physicalBlockBytes, ordering: .relaxed)
    blockCount.store(geometry.blockCount, ordering: .releasing)
    provisioning.setCapacity(BlockCount(geometry.blockCount))
  }

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

  /// Who is logged in; the same identity twice while one session follows another.
  var presentNexuses: [NexusIdentity] { nexuses.withLock { Array($0.values) } }

  func nexusEnded(_ number: UInt64) { nexuses.withLock { $0[number] = nil } }

  /// The initiator ports that are logged in to the target device `name`, in an order of their own.
  func initiatorPorts(atTarget name: String) -> [InitiatorPort] {
    let ports = nexuses.withLock { nexuses in
      nexuses.values.filter { $0.target.name == name }.map(\.initiator)
    }
    return Set(ports).sorted { ($0.name, $0.isid) < ($1.name, $1.isid) }
  }
}
