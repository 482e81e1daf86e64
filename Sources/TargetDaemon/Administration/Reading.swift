internal import AdministrationModel
internal import BackingStore
internal import ConfigurationChanges
internal import ISCSITarget
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// What there was at one moment, to make resources of.
struct Reading {
  let configuration: TargetConfiguration
  let inventory: Inventory
  let sessions: [SessionSummary]
  let targetNumbers: [String: UInt32]
  let watch: StoreWatch
  /// What the files of stores have allocated, as far as their file systems answered.
  var allocatedBytes: [String: UInt64] = [:]
  private let presentations: [String: [PresentationResource]]
  private let sessionCounts: [String: Int]

  /// Of which stores the presentations are of interest.
  enum Scope {
    case all
    case stores(Set<String>)
    case none

    fileprivate func contains(_ store: String) -> Bool {
      switch self {
      case .all: true
      case .stores(let names): names.contains(store)
      case .none: false
      }
    }
  }

  init(
    _ administration: Administration, _ sessions: [SessionSummary],
    presentations scope: Scope = .all
  ) {
    configuration = administration.configuration
    inventory = administration.daemon.inventory
    targetNumbers = administration.targetNumbers
    watch = administration.watch
    self.sessions = sessions
    presentations = Self.presentations(in: configuration, scope)
    sessionCounts = Dictionary(sessions.map { ($0.targetName, 1) }, uniquingKeysWith: +)
  }

  private static func presentations(
    in configuration: TargetConfiguration, _ scope: Scope
  ) -> [String: [PresentationResource]] {
    var all: [String: [PresentationResource]] = [:]
    if case .none = scope { return all }
    for target in configuration.targets {
      for (store, presentation) in target.presentations(of: scope.contains) {
        all[store, default: []].append(presentation)
      }
    }
    return all
  }

  // MARK: Stores

  func store(_ configured: TargetConfiguration.Store) -> StoreResource {
    let served = inventory.served(named: configured.name)
    var store = StoreResource(configured)
    let fullSince = (served?.unit).flatMap { watch.fullSince($0) }
    let condition = StoreCondition(served, isFull: fullSince != nil)
    store.state = condition.state
    store.reason = condition.reason
    store.reasonCode = condition.code
    store.remedy = condition.danger?.remedy
    store.since = condition.state == .full ? fullSince : watch.since(configured.name)
    if let unit = served?.unit { describe(unit, in: &store) }
    store.presentedBy = presentations[configured.name] ?? []
    return store
  }

  private func describe(_ unit: LogicalUnit, in store: inout StoreResource) {
    let geometry = unit.geometry
    if geometry.capacityBytes > 0 { store.sizeBytes = geometry.capacityBytes }
    store.blockSize = Int(geometry.logicalBlockBytes)
    store.physicalBlockSize = Int(geometry.physicalBlockBytes)
    store.wwn = Hexadecimal.text(unit.identity.naa)
    store.serial = unit.identity.serial
    store.allocatedBytes = allocatedBytes[store.name]
  }

  // MARK: Targets

  func target(_ configured: TargetConfiguration.Target) -> TargetResource {
    var target = TargetResource(configured, id: targetNumbers[configured.name] ?? 0) { lun($0) }
    target.sessionCount = sessionCounts[configured.name] ?? 0
    return target
  }

  func lun(_ configured: TargetConfiguration.LUN) -> LUNResource {
    let served = inventory.served(named: configured.store)
    var lun = LUNResource(
      lun: configured.number, store: configured.store,
      readOnly: configured.readOnly || served?.opened.configured.readOnly == true,
      state: StoreCondition(
        served, isFull: (served?.unit).flatMap { watch.fullSince($0) } != nil
      ).state)
    guard let unit = served?.unit else { return lun }
    let geometry = unit.geometry
    if geometry.capacityBytes > 0 { lun.sizeBytes = geometry.capacityBytes }
    lun.blockSize = Int(geometry.logicalBlockBytes)
    lun.wwn = Hexadecimal.text(unit.identity.naa)
    return lun
  }

  func entry(_ configured: TargetConfiguration.AccessEntry) -> AccessEntryResource {
    AccessEntryResource(configured) { lun($0) }
  }

  // MARK: Portals

  func portal(_ configured: TargetConfiguration.Portal) -> PortalResource {
    var portal = PortalResource(
      address: "\(configured.endpoint)", group: configured.group, isListening: false)
    portal.advertise = configured.advertise.map { "\($0)" }
    guard
      let listening = inventory.portals.first(where: {
        $0.portal.address == SocketAddress(configured.endpoint)
      })
    else {
      let address = SocketAddress(configured.endpoint)
      portal.reason = address.flatMap { inventory.silentPortals[$0] } ?? "it was not opened"
      return portal
    }
    portal.isListening = true
    portal.connectionCount = sessions.reduce(0) { count, session in
      count + session.connections.count { listening.portal.carries($0.localAddress) }
    }
    return portal
  }
}

/// Whether a store serves, and why not.
struct StoreCondition: Equatable {
  var state: AdministrationModel.StoreState
  var reason: String?
  var code: StoreReason?
  /// What has befallen its medium, also where it does not serve, or not all, for another reason.
  var danger: MediumDanger?

  var serves: Bool { state != .offline }

  /// `isFull`: there is no room for what is written to it.
  init(_ served: Inventory.Served?, isFull: Bool = false) {
    state = .offline
    guard let served else {
      set(.beingOpened, "it is being opened")
      return
    }
    danger = served.opened.danger.danger
    judge(served, isFull: isFull)
    // Whoever mends the other thing, by a restart perhaps, must know of it.
    if let danger, let reason, state == .offline { self.reason = "\(reason); and \(danger)" }
  }

  private mutating func judge(_ served: Inventory.Served, isFull: Bool) {
    guard !served.unit.isOffline else {
      set(.reservationsDamaged, "its reservations are damaged: see the log for the file")
      return
    }
    switch served.unit.store.readiness {
    case .ready where danger != nil:
      state = .endangered
      if let danger { set(danger.reason, "\(danger)") }
    case .ready where isFull: self = Self.full
    case .ready: state = .online
    case .waitingForLock:
      set(.mediumTaken, "it is locked: another process holds the lock of its medium")
    case .latched:
      set(.writesRefused, "a sync failed, so writes are refused: see the log for the mark")
    case .gone: set(.mediumMissing, "its medium disappeared")
    case .unusable:
      set(
        .mediumUnusable,
        "its medium was unusable when its lock was granted: correct what the log says, and restart")
    case .absent:
      let absence = served.opened.absence
      set(
        StoreReason(absence?.reason ?? .missing),
        absence.map { "\($0)" } ?? "its medium is not there")
    }
  }

  /// Of one that is full, whatever else it is.
  static let full = StoreCondition(.full, .mediumFull, "its medium has no room for what is written")

  private init(_ state: AdministrationModel.StoreState, _ code: StoreReason, _ reason: String) {
    (self.state, self.code, self.reason) = (state, code, reason)
  }

  private mutating func set(_ code: StoreReason, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}

extension StoreReason {
  fileprivate init(_ reason: StoreError.Reason) {
    switch reason {
    case .missing, .lost, .missingDevice, .missingDirectory, .noMedium: self = .mediumMissing
    case .unanswered: self = .mediumHangs
    case .inUse: self = .mediumTaken
    default: self = .mediumUnusable
    }
  }
}
