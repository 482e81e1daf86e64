internal import SCSIModel

// Writes that others have aborted, and that may still land.
//
// A reset, or CLEAR TASK SET without TAS, tells a nexus by a unit attention that its commands have
// ended. Those in flight end by their own completion, and only who asked for the abort waits for
// that. A nexus that took the unit attention at its word, and wrote the same blocks anew, would
// find the old data on top of the new. So while such a write of it is in flight, an I_T nexus is
// kept from the medium: BUSY, for the reason that `DeviceServer+Generations` has.
//
// Only what reads or writes the medium is kept back, and after reservations were asked. A disk that
// hangs keeps nobody from PERSISTENT RESERVE OUT because somebody has reset it, nor from what
// fencing agents send before, such as TEST UNIT READY.
extension DeviceServer {
  /// Keeps the I_T nexus of `task`, which executes and has been aborted, from the medium until the
  /// task has ended, if that may change the medium.
  func keepFromMedium(until task: SCSITask) {
    guard let nexus = task.nexus, table[task.command].traits.contains(.writesMedium) else { return }
    // Under whichever LUN, it is the same disk.
    let kept = nexuses.filter { $0.initiatorTarget === nexus.initiatorTarget }
    for nexus in kept { nexus.abortedWriteCount += 1 }
    let end = DrainBarrier { for nexus in kept { nexus.abortedWriteCount -= 1 } }
    end.add()
    task.barriers.append(end)
    end.arm()
  }

  /// Refuses what touches the medium to a nexus that is kept from it. One look at a count for all
  /// others.
  func passAbortedWrites(_ task: SCSITask, _ nexus: LogicalUnitNexus) throws(Refusal) {
    guard nexus.isKeptFromMedium else { return }
    let row = table[task.command]
    guard row.blocks == .none, row.traits.isDisjoint(with: [.writesMedium, .copies]) else {
      throw .busy
    }
  }
}
