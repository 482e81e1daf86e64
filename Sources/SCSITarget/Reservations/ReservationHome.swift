internal import Reactor
internal import SCSIModel

/// Decides the reservations of a logical unit, one change at a time, on the unit's home reactor
/// (SPC-4 §5.13, SPC-2 §5.5).
///
/// A change is computed → saved → installed on every reactor → in force: each reactor has answered
/// that it admits by it and that nothing is under way that it forbids. Only then GOOD. Whatever
/// does not answer (a save, a reactor, an operation of a victim) holds up the command and all
/// behind it, and nothing is concluded from its silence: a fencing agent that times out has not
/// fenced.
///
/// What PERSISTENT RESERVE IN reports is the last change in force, so that nobody sees a key gone
/// whose owner may still be writing.
final class ReservationHome {
  /// Commands that may wait for their turn: more than a large cluster sends at once. Beyond it
  /// BUSY, but for the first of a nexus, which no other can keep out.
  static let queueMax = 256
  /// Those of one nexus among them.
  static let queueMaxPerNexus = 8

  /// What waits for its turn.
  enum Job {
    case command(ReservationRequest)
    /// The end of a RESERVE: of the nexus that ended, or of whichever at a reset.
    case releaseLegacy(of: UInt64?, DrainBarrier?)
    /// The administrator's CLEAR.
    case clear((ReservationClearing) -> Void)
  }

  /// The change under way.
  private struct Transaction {
    var job: Job
    var installation: ReservationInstallation
    /// It is on its way to stable storage.
    var isBeingSaved = false
  }

  let unit: LogicalUnit
  private let reactor: Reactor
  /// The last change in force.
  private(set) var copy: ReservationCopy
  /// When the reservation came into force, in milliseconds since 1970; nil: before this process.
  private(set) var since: UInt64?
  var queue: [Job] = []
  private var current: Transaction?
  /// The resets whose tasks drain. Until they have, RESERVE and RELEASE are BUSY: the end of a
  /// reset must end what it found, and nothing that somebody was granted since.
  private var resets: Set<ReservationTicket> = []

  init(unit: LogicalUnit, reactor: Reactor, copy: ReservationCopy) {
    self.unit = unit
    self.reactor = reactor
    self.copy = copy
  }

  // MARK: Commands

  func take(_ request: ReservationRequest) {
    if case .report = request.action { return answer(request, .report(copy.state)) }
    guard hasRoom(for: request) else { return answer(request, .busy) }
    queue.append(.command(request))
    proceed()
  }

  private func hasRoom(for request: ReservationRequest) -> Bool {
    let count = queue.count { job in
      if case .command(let other) = job { other.nexusNumber == request.nexusNumber } else { false }
    }
    guard count > 0 else { return true }
    return count < ReservationHome.queueMaxPerNexus && queue.count < ReservationHome.queueMax
  }

  /// Takes back a command that was aborted. One whose turn has come completes: its change may be
  /// saved and installed already, and its end is waited for.
  func withdraw(_ ticket: ReservationTicket) {
    let index = queue.firstIndex {
      if case .command(let request) = $0 { request.ticket == ticket } else { false }
    }
    guard let index, case .command(let request) = queue.remove(at: index) else { return }
    answer(request, .withdrawn)
  }

  /// Ends the RESERVE of the nexus `number`, or with nil any, those on the way too; `barrier` waits
  /// for it.
  func releaseLegacyReservation(of number: UInt64?, _ barrier: DrainBarrier?) {
    barrier?.add()
    queue.append(.releaseLegacy(of: number, barrier))
    proceed()
  }

  /// A reset has begun, of which every nexus hears.
  func resetBegan(_ ticket: ReservationTicket) { resets.insert(ticket) }

  /// The reset `ticket`, if this home was told of it, is done but for RESERVE.
  func resetEnded(_ ticket: ReservationTicket, _ barrier: DrainBarrier) {
    guard resets.remove(ticket) != nil else { return }
    releaseLegacyReservation(of: nil, barrier)
  }

  private func answer(_ request: ReservationRequest, _ answer: ReservationAnswer) {
    let ticket = request.ticket
    reactor.courier.send(to: request.origin) { $0.reservations.answered(ticket, answer) }
  }

  // MARK: One at a time

  func proceed() {
    while current == nil, !queue.isEmpty { begin(queue.removeFirst()) }
  }

  private func begin(_ job: Job) {
    switch job {
    case .releaseLegacy(let number, let barrier):
      guard let holder = copy.legacyHolder?.number, number ?? holder == holder else {
        barrier?.taskEnded()
        return
      }
      install(job, legacyHolder: nil)
    case .clear(let completion): clear(completion)
    case .command(let request):
      switch request.action {
      case .change(let parameters): change(request, parameters)
      case .reserve, .release: changeLegacy(request)
      case .report: preconditionFailure("a report has no turn to wait for")
      }
    }
  }

  private func change(_ request: ReservationRequest, _ parameters: PersistentReserveOut) {
    // SPC-2 §5.5.1: while the unit is held by RESERVE, whoever asks.
    guard copy.legacyHolder == nil else { return answer(request, .refused(.conflict)) }
    let change: ReservationChange
    do throws(ReservationRefusal) {
      change = try copy.state.applying(
        parameters, from: request.nexus, ports: ports(known: request))
    } catch {
      return answer(request, .refused(error))
    }
    if isTooEarly(change, parameters, from: request.nexus) { return answer(request, .busy) }
    var installation = ReservationInstallation(
      copy: copy, attentions: change.attentions, aborted: change.aborted,
      issuer: request.ticket, issuerNexus: request.nexus)
    installation.copy.state = change.state
    carryOut(.command(request), installation)
  }

  /// Saves the state of `installation`, if it is another one, then installs it.
  func carryOut(_ job: Job, _ installation: ReservationInstallation) {
    let state = installation.copy.state
    var transaction = Transaction(job: job, installation: installation)
    guard let persistence = unit.reservationPersistence, state != copy.state else {
      current = transaction
      return install()
    }
    transaction.isBeingSaved = true
    current = transaction
    persistence.save(state, of: unit.identity, on: reactor) { [self] in saved($0) }
  }

  private func ports(known request: ReservationRequest) -> ReservationPorts {
    ReservationPorts(
      targetPorts: request.targetPorts,
      initiatorPorts: unit.initiatorPorts(atTarget: request.nexus.target.name))
  }

  /// RESERVE and RELEASE under the rules of SPC-4 §5.13.3.
  private func changeLegacy(_ request: ReservationRequest) {
    switch copy.state.legacyOutcome(for: request.nexus) {
    case .conflict: return answer(request, .refused(.conflict))
    case .withoutEffect: return answer(request, .good)
    case .proceed: break
    }
    guard resets.isEmpty else { return answer(request, .busy) }
    let holder = LegacyHolder(nexus: request.nexus, number: request.nexusNumber)
    switch request.action {
    case .reserve:
      if copy.legacyHolder == holder { return answer(request, .good) }
      guard copy.legacyHolder?.nexus ?? holder.nexus == holder.nexus else {
        return answer(request, .refused(.conflict))
      }
      install(.command(request), legacyHolder: holder)
    default:
      // SPC-2 §7.21: not an error, and nothing, from a nexus that holds nothing.
      guard copy.legacyHolder?.nexus == holder.nexus else { return answer(request, .good) }
      install(.command(request), legacyHolder: nil)
    }
  }

  // MARK: Saving

  private func saved(_ error: SystemError?) {
    guard let transaction = current, transaction.isBeingSaved else {
      preconditionFailure("the change under way is saved once")
    }
    current?.isBeingSaved = false
    guard error != nil else { return install() }
    current = nil
    // Nothing of it is in force: it is not known to outlive the next crash. 04/44/00, which says
    // that the fault is here and that the command can be tried again.
    switch transaction.job {
    case .command(let request): answer(request, .refused(.check(.internalTargetFailure)))
    case .clear(let completion): completion(.notSaved)
    case .releaseLegacy: break
    }
    proceed()
  }

  // MARK: Installing

  private func install(_ job: Job, legacyHolder: LegacyHolder?) {
    var installation = ReservationInstallation(copy: copy)
    installation.copy.legacyHolder = legacyHolder
    if case .command(let request) = job {
      installation.issuer = request.ticket
      installation.issuerNexus = request.nexus
    }
    current = Transaction(job: job, installation: installation)
    install()
  }

  private func install() {
    guard var transaction = current else { preconditionFailure("a change is under way") }
    precondition(!transaction.isBeingSaved, "what is not saved is not installed")
    transaction.installation.copy.version += 1
    current = transaction
    let installation = transaction.installation
    unit.askEveryReactor(from: reactor) { server, installed in
      server.reservations.install(installation, then: installed)
    } then: { [self] in
      finish(installation.copy.version)
    }
  }

  /// Every reactor admits by the change and holds nothing that it forbids.
  private func finish(_ version: UInt64) {
    guard let transaction = current, transaction.installation.copy.version == version else {
      preconditionFailure("the reactors answer the change under way")
    }
    let before = copy.state.reservation
    copy = transaction.installation.copy
    if copy.state.reservation != before { since = WallClock.milliseconds }
    unit.note(copy.state)
    current = nil
    switch transaction.job {
    case .command(let request): answer(request, .good)
    case .releaseLegacy(_, let barrier): barrier?.taskEnded()
    case .clear(let completion): completion(.cleared)
    }
    proceed()
  }
}
