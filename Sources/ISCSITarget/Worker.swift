internal import ISCSIModel
internal import Logging
public import Reactor
public import SCSITarget

/// Everything iSCSI on one reactor: its connections and sessions, the device servers they use, the
/// tasks waiting to be used again. Used on its reactor's thread only.
public final class Worker {
  /// Closed listeners that are remembered. A connection is on its way between reactors for
  /// milliseconds: nobody closes so many portals meanwhile.
  static let closedListenersMax = 1024

  public let reactor: Reactor
  let context: ServerContext
  var directory: TargetDirectory
  /// Which publication that is.
  var publication: UInt64 = 0

  /// All workers by reactor index; set before the first connection.
  private(set) var workers: [ReactorBound<Worker>] = []

  var servers: [String: DeviceServer] = [:]
  /// Of units that no session may use yet, or any more.
  var hidden: [String: DeviceServer] = [:]
  /// Units that this worker is adding and removing on all.
  var arriving: Set<String> = []
  var leaving: Set<String> = []
  /// What was asked for while the unit was still arriving.
  var removalsOfArriving: [String: [() -> Void]] = [:]
  private(set) var connections: [ObjectIdentifier: Connection] = [:]
  /// Those that have not proved who they are, and discovery sessions, oldest first.
  private(set) var halfOpen: [Connection] = []
  private var sessions: [SessionKey: Session] = [:]
  /// Of the initiators that have sessions here, by name.
  private var accounts: [String: InitiatorAccount] = [:]
  private var freeTasks: ContiguousArray<CommandTask> = []
  private var stopping: (() -> Void)?
  /// Listeners whose connections are not wanted any more, and who waits for the last of them.
  var closedListeners: Set<UInt64> = []
  var portalWaits: [(listener: UInt64, completion: () -> Void)] = []
  /// For whoever looks at what goes on here.
  var loginFailures: [LoginFailureReason: UInt64] = [:]
  var logins: UInt64 = 0
  var headerDigestErrors: UInt64 = 0
  var dataDigestErrors: UInt64 = 0
  private var nextLimitWarning = MonotonicTime(rawValue: 0)

  public init(reactor: Reactor, context: ServerContext, directory: TargetDirectory) {
    self.reactor = reactor
    self.context = context
    self.directory = directory
  }

  /// Makes the workers known to each other. Once, before the first connection.
  public func connect(to workers: [ReactorBound<Worker>]) { self.workers = workers }

  /// Presents `unit` on this reactor, for targets that name it.
  public func add(_ unit: LogicalUnit) {
    precondition(servers[unit.identity.name] == nil, "a unit has one device server per reactor")
    servers[unit.identity.name] = DeviceServer(unit: unit, reactor: reactor)
  }

  func server(named name: String) -> DeviceServer? { servers[name] }

  // MARK: Connections

  /// Takes over an accepted socket.
  func adopt(_ socket: AcceptedSocket) {
    guard isWanted(socket) else { return refuse(socket) }
    let connection = Connection(socket, worker: self)
    add(connection)
    halfOpen.append(connection)
    dropOldestHalfOpen()
    connection.start()
  }

  private func isWanted(_ socket: AcceptedSocket) -> Bool {
    stopping == nil && !closedListeners.contains(socket.listener)
  }

  private func refuse(_ socket: AcceptedSocket) {
    reactor.engine.shutDown(socket.handle)
    reactor.engine.close(socket.handle)
    context.loads.change(reactor.index, by: -1)
  }

  /// Takes over a connection whose login another worker finished, because its session lives here.
  func adopt(_ login: FinishedLogin) {
    guard isWanted(login.socket) else {
      context.sessions.removeConnection(of: login.outcome.initiatorName)
      return refuse(login.socket)
    }
    let connection = Connection(login.socket, worker: self)
    add(connection)
    connection.resume(login)
  }

  private func add(_ connection: Connection) {
    connections[ObjectIdentifier(connection)] = connection
  }

  private func dropOldestHalfOpen() {
    // With many reactors a fair share would be next to nothing for the burst after a restart.
    let limit = context.limits.halfOpenConnectionsMax
    let share = min(limit, max(16, limit / max(1, workers.count)))
    guard halfOpen.count > share else { return }
    limitReached("limits.pendingLogins")
    halfOpen.removeFirst().close(.tooManyHalfOpen)
  }

  /// Memory of the connections that have joined no normal session.
  var strangerBytes = 0

  /// What they may hold, which is what commands leave them. Over it the oldest of them is dropped,
  /// as over `halfOpenConnectionsMax`.
  var strangerBytesMax: Int { reactor.buffers.connectionReserveBytes }

  /// Whether `connection`, which has joined no normal session, may take `byteCount` more bytes.
  /// What the one dropped for it holds comes back as soon as its operations have ended.
  func makeRoom(forStranger connection: Connection, _ byteCount: Int) -> Bool {
    guard strangerBytes + byteCount > strangerBytesMax else { return true }
    limitReached("memory")
    guard let oldest = halfOpen.firstIndex(where: { $0 !== connection }) else { return false }
    halfOpen.remove(at: oldest).close(.tooManyHalfOpen)
    return true
  }

  func loginEnded(_ connection: Connection) { halfOpen.removeAll { $0 === connection } }

  /// The connection has no operation in flight any more and its socket is closed, or handed over.
  func removed(_ connection: Connection) {
    connections[ObjectIdentifier(connection)] = nil
    loginEnded(connection)
    finishPortalWaits()
    finishStoppingIfIdle()
  }

  /// Says that a limit turns initiators away, naming the key that raises it. Once a second at most:
  /// a flood must not fill the log, too.
  func limitReached(_ key: String) {
    guard reactor.now >= nextLimitWarning else { return }
    nextLimitWarning = reactor.now + .seconds(1)
    context.logger.warning("a limit turns initiators away", metadata: ["limit": "\(key)"])
  }

  // MARK: Sessions

  func session(_ key: SessionKey) -> Session? { sessions[key] }

  func sessions(ofTarget name: String) -> [Session] {
    sessions.values.filter { $0.key?.targetName == name }
      .sorted { $0.handle.rawValue < $1.handle.rawValue }
  }

  /// In an order that does not depend on hashing.
  var allSessions: [Session] {
    sessions.values.sorted { $0.handle.rawValue < $1.handle.rawValue }
  }

  func add(_ session: Session, for key: SessionKey) {
    sessions[key] = session
    if let observed = session.observed { context.observer?.sessionStarted(observed) }
  }

  func removed(_ session: Session) {
    guard let key = session.key, sessions[key] === session else { return }
    sessions[key] = nil
    finishStoppingIfIdle()
  }

  /// The most memory that the commands of one session may hold, and what all sessions of one
  /// initiator may hold together that waits for it (`InitiatorAccount`).
  var sessionMemoryMax: Int { reactor.buffers.shareBytesMax }

  /// The account of the initiator `name` for one more session, until `closeAccount`.
  func openAccount(of name: String) -> InitiatorAccount {
    let account = accounts[name] ?? InitiatorAccount(bytesMax: sessionMemoryMax)
    account.sessionCount += 1
    accounts[name] = account
    return account
  }

  func closeAccount(of name: String) {
    guard let account = accounts[name] else { return }
    account.sessionCount -= 1
    if account.sessionCount == 0 { accounts[name] = nil }
  }

  // MARK: Tasks

  func takeTask() -> CommandTask { freeTasks.popLast() ?? CommandTask() }

  func returnTask(_ task: CommandTask) { freeTasks.append(task) }

  // MARK: Stop

  /// Asks every initiator to log out, then closes what is left after `grace`; `completion` once no
  /// connection and no session is left, and so no operation of theirs in flight.
  public func stop(grace: Milliseconds, completion: @escaping () -> Void) {
    precondition(stopping == nil, "a worker stops once")
    stopping = completion
    for connection in halfOpen { connection.close(.serverStopping) }
    let oldestFirst = connections.values.sorted {
      $0.socket.handle.rawValue < $1.socket.handle.rawValue
    }
    for connection in oldestFirst { connection.requestLogout(within: grace) }
    finishStoppingIfIdle()
  }

  private func finishStoppingIfIdle() {
    guard connections.isEmpty, sessions.isEmpty, let completion = stopping else { return }
    stopping = {}
    completion()
  }
}
