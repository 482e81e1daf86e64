internal import Reactor
internal import SCSIModel

// What reservations do to the task set of a reactor (SPC-4 §5.13).
extension DeviceServer {
  /// Refuses what the reservations of the unit keep from this nexus. One look at a byte for a nexus
  /// that nothing is kept from.
  func passReservations(_ task: SCSITask, _ nexus: LogicalUnitNexus) throws(Refusal) {
    if nexus.gate.isOpen || isAdmitted(task, nexus) { return }
    throw .reservationConflict
  }

  private func isAdmitted(_ task: SCSITask, _ nexus: LogicalUnitNexus) -> Bool {
    nexus.gate.admits(table[task.command].reservation, task.cdb)
  }

  /// Puts a change into force on this reactor. `barrier` waits for the tasks that have to end
  /// first: all of those whose nexuses PREEMPT AND ABORT names, and all under way that the change
  /// forbids.
  func admit(by installation: ReservationInstallation, _ barrier: DrainBarrier) {
    for nexus in nexuses { nexus.gate = reservations.gate(for: nexus) }
    let news = Dictionary(grouping: installation.attentions, by: \.nexus)
    if !news.isEmpty {
      for nexus in nexuses {
        for item in news[nexus.initiatorTarget.identity] ?? [] { nexus.establish(item.attention) }
      }
    }
    fence(barrier)
    if !installation.aborted.isEmpty { preemptAndAbort(installation, barrier) }
  }

  /// Stops what is under way and now forbidden. The operation in flight is waited for; if the
  /// command needs another, it ends with RESERVATION CONFLICT instead, as one of many steps could
  /// otherwise hold up the change for long. What it has written stays, and is before the change.
  private func fence(_ barrier: DrainBarrier) {
    for task in tasks where task.phase == .executing && task.reservationTicket == 0 {
      guard let nexus = task.nexus, !isAdmitted(task, nexus) else { continue }
      task.isFenced = true
      // Its steps here are tasks of their own, and it begins no other.
      if task.copy != nil { continue }
      barrier.add()
      task.barriers.append(barrier)
    }
  }

  /// SPC-4 §5.13.11.2.6: every task of the preempted nexuses but the command itself; who loses some
  /// is told as TAS says (SAM-5 §5.6). None of them keeps the medium in any more.
  private func preemptAndAbort(
    _ installation: ReservationInstallation, _ barrier: DrainBarrier
  ) {
    let victims = Set(installation.aborted)
    for nexus in nexuses where victims.contains(nexus.initiatorTarget.identity) {
      nexus.setPreventsRemoval(false)
    }
    let issuer = installation.issuer
    let index = reactor.index
    clearTasks(by: installation.issuerNexus, barrier: barrier) { task in
      guard let nexus = task.nexus, victims.contains(nexus.initiatorTarget.identity) else {
        return false
      }
      return issuer
        != ReservationTicket(reactorIndex: index, number: task.reservationTicket)
    }
  }
}
