import AdministrationModel
import Synchronization
import TargetConfig

@testable import AdministrationCommands

/// A daemon that remembers what it was asked, and does as much of it as commands look at.
final class FakeDaemon: Daemon {
  struct State {
    var targets: [TargetResource] = []
    var stores: [StoreResource] = []
    var portals: [PortalResource] = [PortalResource(address: "0.0.0.0:3260")]
    var sessions: [SessionResource] = []
    var reservations: [ReservationResource] = []
    var discovery = DiscoveryResource()
    var status = Samples.status
    var statistics: [StatisticsResource] = []
    var events: [Event] = []
    var differences: [Difference] = []
    var remarks: [MediumRemark] = []
    /// Of the comparison with the file alone.
    var differenceFailure: AdministrationError?
    /// Of the reading of targets alone.
    var targetsFailure: AdministrationError?
    var warnings: [String] = []
    /// Of any change.
    var users: [String]?
    var lost: [ReservationResource]?
    var requests: [ChangeRequest] = []
    var calls: [String] = []
    /// Of any call.
    var failure: AdministrationError?
    /// Of changes alone.
    var refusal: AdministrationError?
    var socketPath: String?
    var slept: [Duration] = []
  }

  let state: Mutex<State>

  init(_ adjust: (inout State) -> Void = { _ in }) {
    var state = State()
    adjust(&state)
    self.state = Mutex(state)
  }

  var changes: [Change] { state.withLock { $0.requests.flatMap(\.changes) } }
  var options: ChangeOptions? { state.withLock { $0.requests.last?.options } }
  var calls: [String] { state.withLock { $0.calls } }

  private func answer<Value: Sendable>(
    _ call: String, _ value: (inout State) throws(AdministrationError) -> Value
  ) throws(AdministrationError) -> Value {
    let result = state.withLock { state -> Result<Value, AdministrationError> in
      state.calls.append(call)
      if let failure = state.failure { return .failure(failure) }
      return Result { () throws(AdministrationError) in try value(&state) }
    }
    return try result.get()
  }

  private static func named<Resource>(
    _ all: [Resource], _ name: String?, _ kind: String, _ key: (Resource) -> String
  ) throws(AdministrationError) -> [Resource] {
    guard let name else { return all }
    guard let found = all.first(where: { key($0) == name }) else {
      throw AdministrationError(
        .notFound, Absence.sentence(kind, name, of: all.map(key)), path: "\(kind)s")
    }
    return [found]
  }

  func version() async throws(AdministrationError) -> VersionResource {
    try answer("version") { _ in VersionResource(name: "swift-tgtd", version: "1.2.3") }
  }
  func status() async throws(AdministrationError) -> StatusResource {
    try answer("status") { $0.status }
  }
  func targets(named name: String?) async throws(AdministrationError) -> [TargetResource] {
    try answer("targets \(name ?? "*")") { (state) throws(AdministrationError) in
      if let failure = state.targetsFailure { throw failure }
      return try Self.named(state.targets, name, "target", \.name)
    }
  }
  func stores(named name: String?) async throws(AdministrationError) -> [StoreResource] {
    try answer("stores \(name ?? "*")") { (state) throws(AdministrationError) in
      try Self.named(state.stores, name, "store", \.name)
    }
  }
  func portals() async throws(AdministrationError) -> [PortalResource] {
    try answer("portals") { $0.portals }
  }
  func discovery() async throws(AdministrationError) -> DiscoveryResource {
    try answer("discovery") { $0.discovery }
  }
  func sessions(id: UInt64?) async throws(AdministrationError) -> [SessionResource] {
    try answer("sessions") { (state) throws(AdministrationError) in
      try Self.named(state.sessions, id.map { "\($0)" }, "session") { "\($0.id)" }
    }
  }
  func endSession(_ id: UInt64, by ending: SessionEnding) async throws(AdministrationError) {
    try answer("\(ending.rawValue) \(id)") { _ in }
  }
  func reservations(store: String?) async throws(AdministrationError) -> [ReservationResource] {
    try answer("reservations \(store ?? "*")") { (state) throws(AdministrationError) in
      try Self.named(state.reservations, store, "store", \.store)
    }
  }
  func clearReservations(store: String) async throws(AdministrationError) {
    try answer("clear \(store)") { _ in }
  }
  func statistics() async throws(AdministrationError) -> StatisticsResource {
    try answer("statistics") { state in
      state.statistics.count > 1 ? state.statistics.removeFirst() : state.statistics[0]
    }
  }
  func metrics() async throws(AdministrationError) -> String { "" }
  func notes(withSecrets: Bool) async throws(AdministrationError) -> [NoteResource] { [] }

  func configuration(
    withSecrets: Bool
  ) async throws(AdministrationError) -> ConfigurationResource {
    try answer("configuration \(withSecrets)") { _ in
      ConfigurationResource(
        text: withSecrets ? "{/* whole */}\n" : "{/* redacted */}\n", isRedacted: !withSecrets)
    }
  }
  func difference() async throws(AdministrationError) -> DifferenceList {
    try answer("difference") { (state) throws(AdministrationError) in
      if let failure = state.differenceFailure { throw failure }
      return DifferenceList(state.differences, remarks: state.remarks)
    }
  }
  func reload(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    try answer("reload \(options.words)") { ChangeResult(differences: $0.differences) }
  }
  func save(_ options: ChangeOptions) async throws(AdministrationError) -> ChangeResult {
    try answer("save \(options.words)") { _ in ChangeResult(savedTo: "/etc/f.json") }
  }
  func apply(
    _ text: String, _ options: ChangeOptions
  ) async throws(AdministrationError) -> ChangeResult {
    try answer("apply \(options.words)") { _ in ChangeResult() }
  }

  func events(
    after id: UInt64?, _ receive: (Event) async throws(AdministrationError) -> Bool
  ) async throws(AdministrationError) {
    let events = try answer("events \(id.map { "\($0)" } ?? "-")") { $0.events }
    for event in events {
      guard try await receive(event) else { return }
    }
  }

  func change(_ request: ChangeRequest) async throws(AdministrationError) -> ChangeResult {
    try answer("change") { (state) throws(AdministrationError) in
      state.requests.append(request)
      if let refusal = state.refusal { throw refusal }
      var result = ChangeResult(warnings: state.warnings)
      result.users = state.users
      result.reservations = state.lost
      guard !request.options.dryRun else {
        result.differences =
          state.differences.isEmpty
          ? [Difference(.added, "stores.a", new: "file /srv/a.img", application: .live)]
          : state.differences
        return result
      }
      for change in request.changes {
        result.outcomes.append(try Self.make(change, &state))
      }
      return result
    }
  }

  private static func make(
    _ change: Change, _ state: inout State
  ) throws(AdministrationError) -> ChangeOutcome {
    switch change {
    case .addStore(let wanted):
      guard !state.stores.contains(where: { $0.path == wanted.path && wanted.path != nil }) else {
        throw AdministrationError(.conflict, "another store is there")
      }
      var store = StoreResource(name: wanted.name, kind: wanted.kind, path: wanted.path)
      store.sizeBytes = wanted.sizeBytes
      store.wwn = "6000c29a1b2c3d4e5f60718293a4b5c6"
      state.stores.append(store)
      return ChangeOutcome(store: store)
    case .addTarget(let wanted):
      var target = TargetResource(name: wanted.name)
      target.acl = (wanted.acl ?? []).map { AccessEntryResource(initiator: $0.initiator) }
      target.isOpenToAny = wanted.isOpenToAny ?? false
      state.targets.append(target)
      return ChangeOutcome(target: target)
    case .addLUN(let wanted):
      guard let index = state.targets.firstIndex(where: { $0.name == wanted.target }) else {
        throw AdministrationError(.notFound, "there is no target \(wanted.target)")
      }
      let taken = Set(state.targets[index].luns.map(\.lun))
      let free = (UInt16(1)...).first { !taken.contains($0) } ?? 1
      var lun = LUNResource(lun: wanted.lun.lun ?? free, store: wanted.lun.store)
      let store = state.stores.first { $0.name == lun.store }
      lun.sizeBytes = store?.sizeBytes
      lun.wwn = store?.wwn
      state.targets[index].luns.append(lun)
      return ChangeOutcome(lun: lun)
    case .resizeStore(let size):
      var store = StoreResource(name: size.name, kind: .file)
      store.sizeBytes = size.sizeBytes
      return ChangeOutcome(store: store)
    case .addPortal(let wanted):
      let port = wanted.address.contains(":") ? "" : ":3260"
      return ChangeOutcome(portal: PortalResource(address: wanted.address + port))
    default: return ChangeOutcome()
    }
  }
}

extension ChangeOptions {
  var words: String {
    [("force", force), ("runtimeOnly", runtimeOnly), ("now", now), ("dryRun", dryRun)]
      .filter(\.1).map(\.0).joined(separator: " ")
  }
}

enum Samples {
  static let target = "iqn.2026-11.com.example:disk1"
  static let node = "iqn.2026-11.com.example:node1"
  static let now = Timestamp(secondsSinceEpoch: 1_795_243_454)

  static var status: StatusResource {
    var status = StatusResource(
      version: "1.2.3", phase: .running, processID: 42, startedAt: now)
    status.engine = "uring"
    status.stateDirectory = "/var/lib/swift-tgtd"
    status.reactorCount = 1
    status.bufferBytes = 256 << 20
    status.bufferBytesInUse = 3 << 20
    status.portals = [PortalResource(address: "0.0.0.0:3260")]
    return status
  }

  static var resource: TargetResource {
    var target = TargetResource(name: target, id: 1)
    var lun = LUNResource(lun: 1, store: "a")
    lun.sizeBytes = 100 << 30
    lun.blockSize = 512
    lun.wwn = "6000c29a1b2c3d4e5f60718293a4b5c6"
    target.luns = [lun]
    target.chapUsers = ["iscsiadm"]
    target.sessionCount = 2
    var entry = AccessEntryResource(initiator: node, addresses: ["192.0.2.0/24"])
    entry.chapUsers = ["node1"]
    entry.luns = [LUNResource(lun: 0, store: "b", readOnly: true, state: .offline)]
    entry.mutualCHAPUser = "me"
    target.acl = [entry]
    return target
  }

  static var store: StoreResource {
    var store = StoreResource(name: "a", kind: .file, path: "/srv/a.img")
    store.sizeBytes = 100 << 30
    store.allocatedBytes = 1_610_612_736
    store.blockSize = 512
    store.wwn = "6000c29a1b2c3d4e5f60718293a4b5c6"
    store.serial = "S1"
    store.presentedBy = [PresentationResource(target: target, lun: 1)]
    return store
  }

  static var session: SessionResource {
    var session = SessionResource(id: 3, initiator: node, target: target, since: now)
    session.connections = [
      ConnectionResource(
        cid: 0, localAddress: "192.0.2.1:3260", remoteAddress: "192.0.2.7:50000", since: now)
    ]
    return session
  }

  static var reservation: ReservationResource {
    var resource = ReservationResource(store: "a", generation: 9)
    var registrant = RegistrantResource(
      key: "0x0000000000000001", initiator: node, isid: "023d00000001", target: target)
    registrant.isHolder = true
    resource.registrants = [registrant]
    resource.reservation = HeldReservation(
      type: "Write Exclusive – Registrants Only", holders: [node], key: "0x0000000000000001",
      since: now)
    return resource
  }
}
