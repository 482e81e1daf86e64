internal import Reactor
internal import SCSIModel

/// A device server's part in the reservations of its unit: the copy that its reactor admits by, the
/// commands that wait for the home reactor, and on that reactor the home itself.
final class ReservationAgent {
  private let unit: LogicalUnit
  private let reactor: Reactor
  /// nil on all reactors but the unit's home.
  let home: ReservationHome?
  private unowned let server: DeviceServer

  private(set) var copy: ReservationCopy
  /// What `copy` makes of the nexuses.
  private var gates: ReservationGates
  private var waiting: [UInt64: SCSITask] = [:]
  private var lastTicketNumber: UInt64 = 0

  init(_ server: DeviceServer) {
    self.server = server
    unit = server.unit
    reactor = server.reactor
    copy = ReservationCopy(state: unit.reservationState)
    gates = copy.gates
    home =
      reactor.index == unit.homeReactorIndex
      ? ReservationHome(unit: unit, reactor: reactor, copy: copy) : nil
  }

  private var courier: Courier { reactor.courier }

  // MARK: Commands

  /// Sends the reservation command of `task` to the home reactor. The task has no operation in
  /// flight and ends when the answer comes, aborted or not.
  func ask(_ task: SCSITask, _ nexus: LogicalUnitNexus, _ action: ReservationRequest.Action) {
    guard let homeServer = unit.homeServer else { return server.end(task, .busy) }
    let ticket = takeTicket()
    task.reservationTicket = ticket.number
    waiting[ticket.number] = task
    let request = ReservationRequest(
      action: action, nexus: nexus.initiatorTarget.identity, nexusNumber: nexus.number,
      targetPorts: nexus.initiatorTarget.reservationPorts,
      ticket: ticket,
      origin: ReactorBound(server, on: reactor))
    courier.send(to: homeServer) { $0.reservations.take(request) }
  }

  /// A name for what the home reactor is to know again.
  func takeTicket() -> ReservationTicket {
    lastTicketNumber += 1
    return ReservationTicket(reactorIndex: reactor.index, number: lastTicketNumber)
  }

  /// `task` waits for the home reactor and has been aborted: if its turn has not come it need not.
  func withdraw(_ task: SCSITask) {
    guard let homeServer = unit.homeServer else { return }
    let ticket = ReservationTicket(reactorIndex: reactor.index, number: task.reservationTicket)
    // Behind the request, which the same courier has taken.
    courier.send(to: homeServer) { $0.reservations.home?.withdraw(ticket) }
  }

  private func take(_ request: ReservationRequest) {
    if let home { return home.take(request) }
    // A unit without a server on its home reactor decides nothing.
    let ticket = request.ticket
    courier.send(to: request.origin) { $0.reservations.answered(ticket, .busy) }
  }

  func answered(_ ticket: ReservationTicket, _ answer: ReservationAnswer) {
    precondition(ticket.reactorIndex == reactor.index)
    guard let task = waiting.removeValue(forKey: ticket.number) else {
      preconditionFailure("a reservation command is answered once")
    }
    task.reservationTicket = 0
    server.reservationAnswered(task, answer)
  }

  // MARK: Nexuses

  func gate(for nexus: LogicalUnitNexus) -> ReservationGate {
    gates.gate(for: nexus.initiatorTarget.identity)
  }

  /// An I_T nexus loss ends its RESERVE, whichever of its sessions made that; its registration
  /// stays (SPC-4 §5.13.5). `body` follows when that is in force.
  func nexusLost(_ nexus: LogicalUnitNexus, then body: @escaping () -> Void) {
    guard let holder = copy.legacyHolder, holder.nexus == nexus.initiatorTarget.identity else {
      return body()
    }
    tellHome({ $0.releaseLegacyReservation(of: holder.number, $1) }, then: body)
  }

  /// A session of the nexus has ended, with its RESERVE; one of its successor stays.
  func nexusEnded(_ nexus: LogicalUnitNexus) {
    guard copy.legacyHolder?.number == nexus.number else { return }
    let number = nexus.number
    tellHome({ $0.releaseLegacyReservation(of: number, $1) }, then: {})
  }

  /// The tasks before the reset `ticket` have ended: RESERVE ends, too. `body` follows when that is
  /// in force.
  func resetEnded(_ ticket: ReservationTicket, then body: @escaping () -> Void) {
    tellHome({ $0.resetEnded(ticket, $1) }, then: body)
  }

  /// Gives the home `message`; `body` follows here when the barrier that comes with it is over.
  private func tellHome(
    _ message: @escaping @Sendable (ReservationHome, DrainBarrier) -> Void,
    then body: @escaping () -> Void
  ) {
    guard let homeServer = unit.homeServer else { return body() }
    let gathering = Gathering(count: 1, completion: body)
    let answer = ReactorBound(gathering, on: server.reactor)
    courier.send(to: homeServer) { home in
      let barrier = DrainBarrier { [courier = home.courier] in
        courier.send(to: answer) { $0.arrived() }
      }
      if let home = home.reservations.home { message(home, barrier) }
      barrier.arm()
    }
  }

  // MARK: Installing

  /// Admits by the new copy from here on; `installed` follows when nothing is under way here that
  /// it forbids.
  func install(_ installation: ReservationInstallation, then installed: @escaping () -> Void) {
    precondition(installation.copy.version > copy.version, "changes come in their order")
    copy = installation.copy
    gates = copy.gates
    let barrier = DrainBarrier(completion: installed)
    server.admit(by: installation, barrier)
    barrier.arm()
  }
}
