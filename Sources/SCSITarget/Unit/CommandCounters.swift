internal import SCSIModel

/// What the commands of a session came to, each counted when its status is settled.
public struct CommandCounters: Sendable, Hashable {
  /// READ and WRITE commands that ended with GOOD, and their bytes.
  public var reads: UInt64 = 0
  public var writes: UInt64 = 0
  public var bytesRead: UInt64 = 0
  public var bytesWritten: UInt64 = 0
  /// All other commands that ended with GOOD.
  public var others: UInt64 = 0
  /// CHECK CONDITION by sense key, unit attentions among them; 16 of them.
  public var failures = [UInt64](repeating: 0, count: 16)
  public var reservationConflicts: UInt64 = 0
  /// BUSY and TASK SET FULL.
  public var busy: UInt64 = 0
  /// TASK ABORTED.
  public var aborted: UInt64 = 0

  public init() {}

  /// Counts a task that has ended. Plain additions: one look at the command for what succeeds.
  public mutating func count(_ task: SCSITask) {
    guard task.status == .good else { return countFailure(task.status, task.sense) }
    switch task.command.access {
    case .read:
      reads &+= 1
      bytesRead &+= UInt64(truncatingIfNeeded: task.dataCount)
    case .write:
      writes &+= 1
      bytesWritten &+= UInt64(truncatingIfNeeded: task.dataCount)
    case .other: others &+= 1
    }
  }

  mutating func countFailure(_ status: SCSIStatus, _ sense: SenseData?) {
    switch status {
    case .reservationConflict: reservationConflicts &+= 1
    case .busy, .taskSetFull: busy &+= 1
    case .taskAborted: aborted &+= 1
    default: failures[Int(sense?.key.rawValue ?? 0) & 15] &+= 1
    }
  }
}

extension Command {
  enum Access { case read, write, other }

  /// Whether it is a READ or a WRITE.
  var access: Access {
    switch self {
    case .read6, .read10, .read12, .read16, .read32: .read
    case .write6, .write10, .write12, .write16, .write32, .writeAndVerify10, .writeAndVerify12,
      .writeAndVerify16, .writeAndVerify32, .writeAtomic16:
      .write
    default: .other
    }
  }
}
