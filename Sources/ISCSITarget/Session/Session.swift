internal import Bytes
internal import ISCSIModel
internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

/// An iSCSI session (RFC 7143 §4.2): an initiator port at a target port, over one or more
/// connections, with one command numbering and one task set. Lives on one reactor.
final class Session {
  /// Immediate commands bypass the window, so they have a bound of their own.
  static let immediateTasksMax = 16
  /// Logins that may wait for the session's end, or for that of one of its connections.
  static let successorsMax = 8
  /// Earlier sessions of the I_T nexus whose last operations are still out. Each has some on a
  /// logical unit that is shut to all later ones, so there is more than one only where several
  /// stores hang, one after the other. Beyond it a login waits for the end.
  static let predecessorsMax = 8
  /// What a discovery session may hold of PDUs whose turn has not come.
  static let discoveryMemoryMax = 16 << 10
  /// Discovery is a few questions; a client that forgets to leave keeps nothing for long. It is not
  /// pinged, as it need not know what a ping is.
  static let discoveryIdleMax = Milliseconds.seconds(60)

  let type: SessionType
  /// nil for discovery sessions.
  let key: SessionKey?
  let initiatorName: String
  let initiatorAlias: String?
  let handle: TargetSessionID
  let parameters: OperationalParameters.Session
  let policy: SessionPolicy
  /// By the directory that was published last.
  var rights: SessionRights
  /// What the login proved that made the session.
  let credential: CHAPUser?
  /// Where the login came from that made the session.
  let initiatorAddress: SocketAddress
  let worker: Worker
  /// What the sessions of its initiator hold together; a discovery session has one of its own.
  let account: InitiatorAccount
  /// The I_T nexus; nil for discovery sessions.
  let nexus: InitiatorTargetNexus?

  /// Unlike that of every other session of the process.
  let number: UInt64
  /// Milliseconds since 1970, UTC.
  let since = WallClock.milliseconds
  /// Its initiator was asked to log out for good: no further connection joins.
  var isExpelled = false
  var counters = CommandCounters()

  var window: CommandWindow
  /// The MaxCmdSN that the initiator was told last.
  var announcedMaxCmdSN: SerialNumber
  var connections: [Connection] = []
  /// Connections among them that are closed, and stay for their last tasks.
  var closedCount = 0
  var isEnding = false
  var hasFinished = false

  /// Those whose status has not left. Where it has, the connection's batch keeps the task until its
  /// send is done, and the connection stays until its batch is.
  var tasks: [InitiatorTaskTag: CommandTask] = [:]
  var held: [SerialNumber: HeldPDU] = [:]
  /// Task management functions that wait for commands before them, in the order of their arrival.
  var deferred: [(cmdSN: SerialNumber, perform: () -> Void)] = []
  /// The number that held or deferred PDUs wait for.
  var gap: CommandGap?
  private var transferTag: UInt32 = 0
  /// Called when the session has ended.
  var endWaiters: [() -> Void] = []
  /// Logins waiting to take this session's place, oldest first.
  var successors: [Successor] = []
  /// Sessions of the same I_T nexus that have made way and not ended, oldest first.
  private(set) var predecessors: [Session] = []
  /// Who waits for the end of the last of them.
  private var predecessorWaiters: [() -> Void] = []
  /// A successor has its place already; it stays for its last operations only.
  var hasMadeWay = false
  /// Commands whose status has not left.
  var commandsInWindow = 0
  /// Bytes of the buffers that its tasks and held PDUs have.
  var lentBytes = 0
  /// Connections that are gone from the session and whose end somebody waits for.
  var departures: [(connection: Connection, login: Connection, completion: () -> Void)] = []
  var managementFunctionsInProgress = 0
  /// Data that responses of task management functions wait for.
  var transferWaits: [TransferWait] = []

  init(
    _ outcome: LoginOutcome, key: SessionKey, handle: TargetSessionID, standing: SessionStanding,
    worker: Worker, predecessors: [Session] = []
  ) {
    let presentation = standing.presentation
    type = .normal
    self.predecessors = predecessors
    self.key = key
    initiatorName = outcome.initiatorName
    initiatorAlias = outcome.initiatorAlias
    self.handle = handle
    parameters = outcome.parameters.session
    policy = presentation.session
    rights = standing.rights
    credential = standing.credential
    initiatorAddress = standing.address
    self.worker = worker
    account = worker.openAccount(of: outcome.initiatorName)
    window = CommandWindow(initialCmdSN: outcome.initialCmdSN, credits: policy.queueDepth)
    announcedMaxCmdSN = window.maxCmdSN
    number = worker.context.nextNumber()
    nexus = InitiatorTargetNexus(
      key, portalGroupTags: presentation.portalGroupTags,
      hasProtocolLevel2: parameters.iSCSIProtocolLevel >= Session.extendedProtocolLevel)
    tasks.reserveCapacity(policy.queueDepth + Session.immediateTasksMax)
    attach(presentation.units)
  }

  init(discovery outcome: LoginOutcome, from address: SocketAddress, worker: Worker) {
    type = .discovery
    key = nil
    initiatorName = outcome.initiatorName
    initiatorAlias = outcome.initiatorAlias
    handle = worker.context.sessions.makeUnlistedHandle()
    parameters = outcome.parameters.session
    // A discovery that is done but not closed is soon in nobody's way.
    policy = SessionPolicy(queueDepth: 8, nopInterval: Milliseconds(0))
    rights = SessionRights(grantToken: nil, user: outcome.authenticatedUser)
    credential = outcome.credential
    initiatorAddress = address
    self.worker = worker
    account = InitiatorAccount(bytesMax: Session.discoveryMemoryMax)
    window = CommandWindow(initialCmdSN: outcome.initialCmdSN, credits: policy.queueDepth)
    announcedMaxCmdSN = window.maxCmdSN
    number = worker.context.nextNumber()
    nexus = nil
  }

  /// Every new nexus starts with the least specific of the reset conditions (SAM-5 §5.14), the one
  /// that initiators retry without a word.
  private func attach(_ units: [UnitPresentation]) {
    for unit in units {
      guard let server = worker.server(named: unit.unit) else { continue }
      nexus?.attach(
        server, as: unit.lun, isReadOnly: unit.isReadOnly,
        attention: .powerOnResetOrBusDeviceResetOccurred)
    }
  }

  /// A tag for an R2T, a ping or a text exchange; not again for the next four thousand million.
  func nextTransferTag() -> TargetTransferTag {
    transferTag &+= 1
    if transferTag == TargetTransferTag.reserved.rawValue { transferTag = 1 }
    return TargetTransferTag(rawValue: transferTag)
  }

  /// The most memory that its commands and held PDUs may have.
  var memoryMax: Int {
    type == .normal ? worker.sessionMemoryMax : Session.discoveryMemoryMax
  }

  // MARK: Predecessors

  /// Takes them out: to go on to a successor.
  func takePredecessors() -> [Session] {
    defer { predecessors = [] }
    return predecessors
  }

  /// The last operation of `session` has ended.
  func predecessorEnded(_ session: Session) {
    predecessors.removeAll { $0 === session }
    guard predecessors.isEmpty else { return }
    let waiters = predecessorWaiters
    predecessorWaiters = []
    for waiter in waiters { waiter() }
    finishIfDrained()
  }

  /// Calls `body` when nothing of the sessions before this one is under way any more.
  func afterPredecessors(_ body: @escaping () -> Void) {
    if predecessors.isEmpty { return body() }
    predecessorWaiters.append(body)
  }

  // MARK: Connections

  func add(_ connection: Connection) { connections.append(connection) }

  func connection(_ id: ConnectionID) -> Connection? {
    connections.first { $0.connectionID == id }
  }

  /// What SendTargets shows on `connection`.
  func targets(for query: SendTargetsQuery, on connection: Connection) -> [SendTargetsEntry] {
    let visible = worker.directory.discoverable(
      by: initiatorName, at: connection.socket.peer, local: connection.socket.local,
      groupTag: connection.socket.portalGroupTag)
    switch query {
    case .all: return visible
    case .target(let name): return visible.filter { $0.name == name }
    }
  }
}

extension InitiatorTargetNexus {
  /// The nexus of an iSCSI session: each portal group of the target is one of its SCSI ports
  /// (RFC 7143 §4.4.5).
  convenience init(
    _ key: SessionKey, portalGroupTags: [UInt16], hasProtocolLevel2: Bool
  ) {
    let own = TargetPort(name: key.targetName, portalGroupTag: key.portalGroupTag)
    let ports = Self.ports(key, portalGroupTags)
    self.init(
      identity: NexusIdentity(
        initiator: InitiatorPort(name: key.initiatorName, isid: key.initiatorSessionID.rawValue),
        target: own),
      targetPorts: ports.map { TargetPortIdentity($0) }, reservationPorts: ports.map(\.reserved),
      hasProtocolLevel2: hasProtocolLevel2)
  }

  /// The target is served by these portal groups from here on. That of the session stays one of its
  /// ports as long as the session.
  func follow(_ key: SessionKey, portalGroupTags: [UInt16]) {
    let ports = Self.ports(key, portalGroupTags)
    setPorts(ports.map { TargetPortIdentity($0) }, reservationPorts: ports.map(\.reserved))
  }

  private static func ports(_ key: SessionKey, _ portalGroupTags: [UInt16]) -> [TargetPort] {
    Set(portalGroupTags).union([key.portalGroupTag]).sorted().map {
      TargetPort(name: key.targetName, portalGroupTag: $0)
    }
  }
}

extension TargetPort {
  fileprivate var reserved: ReservationPorts.Port {
    ReservationPorts.Port(self, relativeIdentifier: relativeIdentifier)
  }
}

/// By which rule and as whom a session was let in: what a connection that joins it must equal.
struct SessionRights: Equatable {
  /// nil: it would not be let in any more.
  var grantToken: Int?
  let user: String?
}

/// What a session begins with.
struct SessionStanding {
  let rights: SessionRights
  let credential: CHAPUser?
  let address: SocketAddress
  let presentation: Presentation
}
