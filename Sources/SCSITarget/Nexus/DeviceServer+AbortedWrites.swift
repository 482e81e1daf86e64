internal import SCSIModel

// Writes that others have aborted, and that may still land.
//
// A reset, or CLEAR TASK SET without TAS, tells a nexus by a unit attention that its commands have
// ended. Those in flight end by their own completion, and only who asked for the abort waits for
// that. A nexus that took the unit attention at its word, and wrote the same blocks anew, would
// find the old data on top of the new. So while such a write of it is in flight, an I_T nexus is
// kept from the medium: BUSY, for the reason that `DeviceServer+Generations` has.
//
// Only what reads or writes the medium is kept back, and what would let others in whom that write
// could still overwrite, through whatever path of the initiator, after reservations were asked
// (`AbortedWriters`). A disk that hangs keeps nobody from fencing by PERSISTENT RESERVE OUT because
// somebody has reset it, nor from what fencing agents send before, such as TEST UNIT READY.
extension DeviceServer {
  /// Keeps the I_T nexus of `task`, which executes and has been aborted, from every medium that the
  /// task may still change, until it has ended. A third-party copy came in at one unit, and changes
  /// others.
  func keepFromMedia(until task: SCSITask) {
    if let copy = task.copy {
      for nexus in copy.destinations { nexus.server.keepFromMedium(nexus, until: task) }
    } else if let nexus = task.nexus, table[task.command].traits.contains(.writesMedium) {
      keepFromMedium(nexus, until: task)
    }
  }

  private func keepFromMedium(_ nexus: LogicalUnitNexus, until task: SCSITask) {
    let initiatorTarget = nexus.initiatorTarget
    count(1, of: initiatorTarget)
    let end = DrainBarrier { [self] in count(-1, of: initiatorTarget) }
    end.add()
    task.barriers.append(end)
    end.arm()
  }

  /// Under whichever LUN, it is the same disk.
  private func count(_ change: Int, of initiatorTarget: InitiatorTargetNexus) {
    let key = ObjectIdentifier(initiatorTarget)
    let count = (abortedWriteCounts[key] ?? 0) + change
    abortedWriteCounts[key] = count > 0 ? count : nil
    unit.abortedWriters.count(change, of: initiatorTarget.identity)
    for nexus in nexuses where nexus.initiatorTarget === initiatorTarget {
      nexus.abortedWriteCount = count
    }
  }

  /// Refuses what touches the medium, or gives it to others, to a nexus that is kept from it. One
  /// look at a count for all others.
  func passAbortedWrites(_ task: SCSITask, _ nexus: LogicalUnitNexus) throws(Refusal) {
    guard nexus.isKeptFromMedium else { return }
    guard !table[task.command].touchesMedium, !Self.keptBesides.contains(task.command) else {
      throw .busy
    }
  }

  private static let keptBesides: Set<Command> = [.release6, .release10]
}
