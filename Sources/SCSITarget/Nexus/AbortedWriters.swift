internal import SCSIModel
internal import Synchronization

/// The I_T nexuses that have aborted writes under way on one unit, on whatever reactor.
///
/// They are asked for by the initiator's name, since an initiator may give up what it holds through
/// any of its paths: each registrant releases a reservation of all registrants, and ALL_TG_PT
/// unregisters through other target ports. The lock is taken for aborted writes, by who would give
/// something up, and after BUSY: never for others.
final class AbortedWriters: Sendable {
  private let counts = Mutex<[NexusIdentity: Int]>([:])

  /// One more, or one less, of `nexus`.
  func count(_ change: Int, of nexus: NexusIdentity) {
    counts.withLock { counts in
      let count = (counts[nexus] ?? 0) + change
      counts[nexus] = count > 0 ? count : nil
    }
  }

  /// Those of the initiator `name`.
  func nexuses(of name: String) -> [NexusIdentity] {
    counts.withLock { counts in counts.keys.filter { $0.initiator.name == name } }
  }
}

extension ReservationHome {
  /// Whether `change` would let others in, whom an aborted write of the sender's initiator could
  /// overwrite; or would wait for such a write, and hold up all that comes behind.
  ///
  /// PREEMPT of the sender's own key may do neither: a holder stays what it is, and fence_scsi
  /// sends that before it fences.
  func isTooEarly(
    _ change: ReservationChange, _ request: PersistentReserveOut, from sender: NexusIdentity
  ) -> Bool {
    guard !request.preemptsOthers else { return false }
    let writers = unit.abortedWriters.nexuses(of: sender.initiator.name)
    guard !writers.isEmpty else { return false }
    return givesUpReservation(change, sender) || writers.contains { isWaited(for: $0, change) }
  }

  /// It ends, is of another type, or another initiator's.
  private func givesUpReservation(_ change: ReservationChange, _ sender: NexusIdentity) -> Bool {
    guard let reservation = copy.state.reservation else { return false }
    guard let next = change.state.reservation, next.type == reservation.type else { return true }
    guard let holder = next.holder, holder != reservation.holder else { return false }
    return holder.initiator.name != sender.initiator.name
  }

  /// Whether `change` aborts or forbids what `writer` has in flight.
  private func isWaited(for writer: NexusIdentity, _ change: ReservationChange) -> Bool {
    change.aborted.contains(writer)
      || ReservationGate(copy.state, for: writer).admits(.write)
        && !ReservationGate(change.state, for: writer).admits(.write)
  }
}

extension PersistentReserveOut {
  /// What it takes is not its sender's.
  fileprivate var preemptsOthers: Bool {
    switch action {
    case .preempt, .preemptAndAbort: serviceActionKey != reservationKey
    case .register, .registerAndIgnoreExistingKey, .reserve, .release, .clear, .registerAndMove,
      .replaceLostReservation:
      false
    }
  }
}
