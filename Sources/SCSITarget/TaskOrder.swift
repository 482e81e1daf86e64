/// What one share of a task set knows of the order in it (SAM-5 §8.7). Nothing is here, and nobody
/// asks, while all tasks are SIMPLE.
///
/// A nexus's own tasks follow each other in the order of their **entry**. Between nexuses no initiator
/// can know an order of arrival, so there a task gets its **place** when it could start but for other
/// nexuses' tasks: its data is there, and its own predecessors have ended. So nobody ever waits for
/// data that another initiator withholds.
///
/// A reservation command waits for its own predecessors only: what a dead node has left in the task
/// set, and whatever that waits for, must not keep it from being fenced. The order between nexuses
/// means nothing to it, for a change does not act on the tasks that came before: it waits for those
/// under way that it forbids, and refuses or aborts the rest, started or not.
struct TaskOrder {
  /// ORDERED tasks that have not ended, in the order of their entry.
  var ordered: [SCSITask] = []
  /// HEAD OF QUEUE tasks that have not ended, and ORDERED reservation commands: those after them
  /// wait for them too, and no turn is asked for.
  var heads: [SCSITask] = []
  /// Tasks whose data is there and which have not started, in the order in which it came.
  var waiting: [SCSITask] = []

  /// The ORDERED task for which this share has asked.
  var asking: (task: SCSITask, ask: UnitOrder.Ask)?
  /// What was asked for a task that has ended; to be told.
  var ended: UnitOrder.Ask?
  /// The task asked for may run, or runs.
  var isGranted = false

  /// The last notice about being closed or open.
  var number: UInt64 = 0
  /// Closed for another share's ORDERED task: what has a place before this one has to end, what has
  /// none yet or a later one waits.
  var boundary: UInt64?
  /// It has been said that it has.
  var hasDrained = false

  var isIdle: Bool {
    ordered.isEmpty && heads.isEmpty && waiting.isEmpty && boundary == nil && ended == nil
  }

  /// Whether `task` of those waiting, all of whose own predecessors have ended, may start.
  func mayStart(_ task: SCSITask) -> Bool {
    switch task.attribute {
    case .headOfQueue: true
    case _ where task.command.isReservationCommand: true
    case .ordered: isGranted && asking?.task === task
    case .simple, .aca:
      task.place < boundary ?? SCSITask.noPlace && !ordered.contains { $0.precedes(task) }
        && !heads.contains { $0.precedes(task) }
    }
  }

  /// The boundary of a share that is closed now. All that waits since an earlier turn is before it, or
  /// it would wait for ever when turns follow each other; its own ORDERED tasks, and what waits for
  /// them, have their turns later.
  func boundary(nextPlace: UInt64) -> UInt64 {
    ordered.reduce(nextPlace) { min($0, $1.place) }
  }

  /// Whether `task`, which is SIMPLE, has to wait for a task of its own nexus.
  func hasOwnPredecessor(_ task: SCSITask) -> Bool {
    func precedes(_ other: SCSITask) -> Bool {
      other.nexus === task.nexus && other.entry < task.entry
    }
    return ordered.contains(where: precedes) || heads.contains(where: precedes)
  }

  mutating func entered(_ task: SCSITask) {
    switch task.attribute {
    case .ordered where !task.command.isReservationCommand: ordered.append(task)
    case .ordered, .headOfQueue: heads.append(task)
    case .simple, .aca: break
    }
  }

  /// Forgets a task that left the task set.
  mutating func left(_ task: SCSITask) {
    waiting.removeAll { $0 === task }
    if let asking, asking.task === task {
      ended = asking.ask
      self.asking = nil
      isGranted = false
    }
    switch task.attribute {
    case .simple, .aca: break
    case .ordered where !task.command.isReservationCommand: ordered.removeAll { $0 === task }
    case .ordered, .headOfQueue: heads.removeAll { $0 === task }
    }
  }

  /// The first waiting task that may start, taken out. An aborted one stays: whoever aborted it ends
  /// it.
  mutating func takeReady() -> SCSITask? {
    guard
      let index = waiting.firstIndex(where: { !$0.isAborted && $0.hasPlace && mayStart($0) })
    else { return nil }
    return waiting.remove(at: index)
  }
}
