internal import SCSIModel

// Sessions of one I_T nexus, one after the other (RFC 7143 §6.3.5). A session that takes another's
// place may begin before a store that hangs has let go of the other's last operations; here it
// waits for them. While an earlier nexus of the same identity is attached, which is as long as one
// of its tasks is in the task set, the later one is shut: its commands are answered BUSY. So no
// two generations ever have operations in flight at a time, and no command is answered before an
// operation of an earlier generation that may still land.
//
// BUSY, and not NOT READY 02/04/07 (operation in progress): all initiators send the command again,
// for as long as they would wait for it (Linux for six times its timeout, before multipath hears
// of it). No error handling begins, which would end in a reset and a new login and take the other
// logical units along. NOT READY makes Linux try to start a disk that it looks at, and a path
// checker of multipath take the path for failed.
//
// The directory of sessions keeps all sessions of an I_T nexus that have not ended on one reactor.
extension DeviceServer {
  /// Whether an earlier nexus of the same identity is attached. The other LUNs under which one
  /// nexus sees the unit are no such.
  func hasElder(_ nexus: LogicalUnitNexus) -> Bool {
    nexuses.contains { other in
      other.number < nexus.number && other.initiatorTarget !== nexus.initiatorTarget
        && other.initiatorTarget.identity == nexus.initiatorTarget.identity
    }
  }

  /// `elder` is detached: its last task has ended. The release of its RESERVE is on its way.
  func openHeirs(of elder: LogicalUnitNexus) {
    let identity = elder.initiatorTarget.identity
    for nexus in nexuses
    where nexus.isShut && nexus.initiatorTarget.identity == identity && !hasElder(nexus) {
      nexus.open()
    }
  }

  /// Aborts the tasks of `nexus`, steps of copies among them; `completion` when the last has ended.
  func drain(_ nexus: LogicalUnitNexus, completion: @escaping () -> Void) {
    let barrier = DrainBarrier(completion: completion)
    abortTasks(barrier: barrier) { $0.nexus === nexus }
    barrier.arm()
  }

  /// INQUIRY, REPORT LUNS and REQUEST SENSE, which tell nothing of the medium, and PERSISTENT
  /// RESERVE IN, which tells what is in force whoever writes. Not PERSISTENT RESERVE OUT: who has
  /// fenced goes on to use the medium, or lets others, and would not know of its own old write.
  func isServedWhileShut(_ cdb: CommandDescriptorBlock) -> Bool {
    guard let command = table.lookup(cdb) else { return false }
    switch command {
    case .readKeys, .readReservation, .reportCapabilities, .readFullStatus: return true
    default: return table[command].traits.contains(.ignoresUnitAttention)
    }
  }
}
