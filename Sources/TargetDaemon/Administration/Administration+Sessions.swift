internal import AdministrationModel
internal import ConfigurationChanges
internal import ISCSIModel
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSIModel
internal import SCSITarget

// Sessions and reservations.
extension Administration {
  /// How long a clearing waits for its turn among the reservation commands and for stable storage,
  /// which a disk that is slow to sync takes seconds for.
  private static let clearingPatience = Duration.seconds(20)

  func sessions(id: UInt64?) async throws(AdministrationError) -> [SessionResource] {
    let all = try await summaries()
    guard let id else { return all.sorted { $0.id.rawValue < $1.id.rawValue }.map { .init($0) } }
    guard let session = all.first(where: { $0.id.rawValue == id }) else {
      throw .noSession(id)
    }
    return [SessionResource(session)]
  }

  /// Returns when the initiator has been asked, or the connections are being closed; what runs may
  /// take longer.
  func endSession(_ id: UInt64, by ending: SessionEnding) async throws(AdministrationError) {
    // Where an answer takes long it is too late to say that there is no such session.
    _ = try await sessions(id: id)
    let session = SessionID(rawValue: id)
    let outcome: TimelyAnswer<Bool> = await daemon.worker.answer(within: ending.patience) {
      worker, answer in
      switch ending {
      case .logout: worker.logOut(session, grace: Daemon.logoutGrace) { answer($0) }
      case .kill: worker.kill(session) { answer($0) }
      }
    }
    let isEnded: Bool
    switch outcome {
    case .answered(true): isEnded = true
    case .answered(false): throw .noSession(id)
    case .pending: isEnded = false
    case .notAsked: throw .tooBusy
    }
    logger.notice(
      "\(ending.sentence(isEnded: isEnded))", metadata: ["session": "\(id)"])
  }

  // MARK: Reservations

  func reservations(store: String?) async throws(AdministrationError) -> [ReservationResource] {
    if let store {
      return [try await reservations(of: try unit(of: store))]
    }
    var resources: [ReservationResource] = []
    for unit in daemon.inventory.units {
      // Only who registers can reserve, but for the older RESERVE, which the home alone knows of.
      let resource = try await reservations(of: unit)
      if !resource.isEmpty { resources.append(resource) }
    }
    return resources
  }

  private func unit(of store: String) throws(AdministrationError) -> LogicalUnit {
    guard let served = daemon.inventory.served(named: store) else {
      throw .missing("store", store, of: daemon.inventory.units.map(\.identity.name))
    }
    return served.unit
  }

  private func reservations(
    of unit: LogicalUnit
  ) async throws(AdministrationError) -> ReservationResource {
    guard !unit.isOffline else { return .damaged(unit.identity.name) }
    let snapshot = await withinTime(Self.patience) { answer in unit.reservations { answer($0) } }
    guard let snapshot = snapshot.value else { throw .tooBusy }
    return ReservationResource(snapshot, of: unit.identity.name)
  }

  func clearReservations(store: String) async throws(AdministrationError) {
    try await clearReservations(store: store, within: Self.clearingPatience)
  }

  func clearReservations(
    store: String, within patience: Duration
  ) async throws(AdministrationError) {
    let unit = try unit(of: store)
    let outcome = await withinTime(patience) { answer in
      unit.clearReservations { answer($0) }
    }
    switch outcome {
    case .answered(.cleared):
      logger.notice("the reservations were cleared", metadata: ["store": "\(store)"])
    case .answered(.notSaved):
      throw AdministrationError(
        .unavailable, "the reservations of \(store) stay: that they are cleared cannot be saved",
        remedy: "see to the state directory")
    case .answered(.offline):
      throw AdministrationError(
        .storeFailed, "what is known of the reservations of \(store) is damaged",
        remedy: "the log names the file, and what to do")
    case .pending:
      throw AdministrationError(
        .unanswered,
        "operations of \(store) do not end: its reservations are cleared when they have",
        remedy: "do not ask again: reservation list tells when they are gone")
    case .notAsked: throw .tooBusy
    }
  }
}

extension ReservationResource {
  static func damaged(_ store: String) -> ReservationResource {
    var resource = ReservationResource(store: store)
    resource.problem =
      "what is on record of the reservations of \(store) is damaged: the log names the file, and "
      + "what to do"
    return resource
  }
}

extension SessionEnding {
  /// How long whoever asks waits for the end. A logout is the initiator's to do, so it is enough
  /// that it was asked; connections are closed at once but for operations that hang.
  fileprivate var patience: Duration {
    switch self {
    case .logout: .milliseconds(300)
    case .kill: .seconds(2)
    }
  }

  fileprivate func sentence(isEnded: Bool) -> String {
    switch self {
    case .logout: isEnded ? "an initiator has logged out" : "an initiator was asked to log out"
    case .kill:
      isEnded ? "a session was ended" : "a session is being ended: its last operations go on"
    }
  }
}

extension SessionResource {
  init(_ session: SessionSummary) {
    self.init(
      id: session.id.rawValue, initiator: session.initiatorName, target: session.targetName,
      since: Timestamp(session.since))
    initiatorAlias = session.initiatorAlias
    isid = "\(session.initiatorSessionID)"
    tsih = session.handle.rawValue
    user = session.user
    luns = session.units.map(\.lun)
    taskCount = session.queueDepth
    counters = IOCounters(session.commands, inFlight: session.queueDepth)
    connections = session.connections.map { connection in
      var resource = ConnectionResource(
        cid: connection.id.rawValue, localAddress: "\(connection.localAddress)",
        remoteAddress: "\(connection.peerAddress)", portalGroup: session.portalGroupTag,
        headerDigest: connection.headerDigest ? "CRC32C" : "None",
        dataDigest: connection.dataDigest ? "CRC32C" : "None", since: Timestamp(connection.since))
      resource.receivedBytes = connection.counters.bytesReceived
      resource.sentBytes = connection.counters.bytesSent
      return resource
    }
  }
}

extension IOCounters {
  init(_ commands: CommandCounters, inFlight: Int) {
    self.init()
    reads = commands.reads
    writes = commands.writes
    others = commands.others
    readBytes = commands.bytesRead
    writtenBytes = commands.bytesWritten
    let unitAttention = Int(SenseKey.unitAttention.rawValue)
    errors = commands.failures.indices.reduce(0) { sum, key in
      key == unitAttention ? sum : sum &+ commands.failures[key]
    }
    reservationConflicts = commands.reservationConflicts
    self.inFlight = UInt64(clamping: inFlight)
  }
}

extension ReservationResource {
  init(_ snapshot: ReservationSnapshot, of store: String) {
    self.init(store: store, generation: snapshot.generation)
    persists = snapshot.persistsThroughPowerLoss
    registrants = snapshot.registrations.map { registration in
      var registrant = RegistrantResource(
        key: Self.text(registration.key), initiator: registration.nexus.initiator.name,
        isid: "\(InitiatorSessionID(rawValue: registration.nexus.initiator.isid))",
        target: registration.nexus.target.name)
      registrant.portalGroup = registration.nexus.target.portalGroupTag
      registrant.isHolder = registration.isHolder
      registrant.isLoggedIn = registration.isLoggedIn
      return registrant
    }
    if let type = snapshot.type {
      let holders = snapshot.registrations.filter(\.isHolder)
      reservation = HeldReservation(
        type: type.title, holders: holders.map(\.nexus.initiator.name),
        key: holders.count == 1 ? holders.first.map { Self.text($0.key) } : nil,
        since: snapshot.since.map { Timestamp($0) })
    } else if let holder = snapshot.legacyHolder {
      reservation = HeldReservation(type: "RESERVE(6)", holders: [holder.initiator.name])
    }
  }

  /// `0x` and 16 digits.
  private static func text(_ key: UInt64) -> String {
    let digits = String(key, radix: 16)
    return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
  }
}

extension AdministrationError {
  fileprivate static func noSession(_ id: UInt64) -> AdministrationError {
    AdministrationError(
      .notFound, "there is no session \"\(id)\"", path: "sessions",
      remedy: "swift-tgtadm session list; a node that has logged in again has another number")
  }
}
