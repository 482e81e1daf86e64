internal import Reactor
internal import SCSIModel

// What travels between the reactor of a command and the unit's home reactor.

/// A command that waits for the home reactor's answer.
struct ReservationTicket: Hashable, Sendable {
  /// Where it waits.
  var reactorIndex: Int
  /// Not used again on that reactor; 0 is none.
  var number: UInt64
}

/// A reservation command, decoded, as the home reactor gets it.
struct ReservationRequest: Sendable {
  enum Action: Sendable {
    case change(PersistentReserveOut)
    /// RESERVE(6), RESERVE(10).
    case reserve
    /// RELEASE(6), RELEASE(10).
    case release
    /// PERSISTENT RESERVE IN.
    case report
  }

  var action: Action
  var nexus: NexusIdentity
  /// `LogicalUnitNexus.number`.
  var nexusNumber: UInt64
  var targetPorts: [ReservationPorts.Port]
  var ticket: ReservationTicket
  var origin: ReactorBound<DeviceServer>
}

/// What has become of a reservation command.
enum ReservationAnswer: Sendable {
  /// The change is in force on every reactor, and nothing is under way that it forbids.
  case good
  case report(ReservationState)
  case refused(ReservationRefusal)
  /// Too many are waiting, a reset is under way, or writes of the initiator that were aborted are.
  case busy
  /// It was aborted before its turn and has changed nothing.
  case withdrawn
}

/// The reservations of a logical unit as a reactor admits by them.
struct ReservationCopy: Sendable {
  /// Ascends with every change.
  var version: UInt64 = 0
  var state: ReservationState
  /// The nexus that holds the unit by RESERVE (SPC-2 §5.5), if one does.
  var legacyHolder: LegacyHolder?

  var gates: ReservationGates { ReservationGates(state, reservedBy: legacyHolder?.nexus) }
}

/// Who holds a logical unit by RESERVE. A session that follows under the same identity may use the
/// unit until the end of the one before has been heard of; the number tells whose end ends the
/// reservation.
struct LegacyHolder: Equatable, Sendable {
  var nexus: NexusIdentity
  /// `LogicalUnitNexus.number`.
  var number: UInt64
}

/// A decided and saved change on its way to every reactor.
struct ReservationInstallation: Sendable {
  var copy: ReservationCopy
  var attentions: [ReservationAttention] = []
  /// PREEMPT AND ABORT: whose tasks to abort.
  var aborted: [NexusIdentity] = []
  /// The command that asks for it, and is no victim of its own.
  var issuer: ReservationTicket?
  /// Through which it came: it is not told of what it did to its own tasks.
  var issuerNexus: NexusIdentity?
}
