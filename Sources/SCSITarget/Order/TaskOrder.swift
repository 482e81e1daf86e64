internal import SCSIModel

/// What one share of a task set knows of the order in it (SAM-5 §8.7). Nothing is here, and nobody
/// asks, while all tasks are SIMPLE.
///
/// A nexus's own tasks follow each other in the order of their **entry**. Between nexuses no
/// initiator can know an order of arrival, so there a task gets its **place** when it could start
/// but for other nexuses' tasks: its data is there, and its own predecessors have ended. So nobody
/// ever waits for data that another initiator withholds.
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
  /// `frontier` is of now. A nexus's own ORDERED and HEAD OF QUEUE tasks came after it, or it had
  /// no place yet.
  private func mayStart(_ task: SCSITask, _ frontier: Frontier) -> Bool {
    switch task.attribute {
    case .headOfQueue: true
    case _ where task.command.isReservationCommand: true
    case .ordered: isGranted && asking?.task === task
    case .simple, .aca:
      task.place < boundary ?? SCSITask.noPlace
        && task.place < frontier.place(otherThan: task.nexus)
    }
  }

  /// The first places of ORDERED and HEAD OF QUEUE tasks: the very first, and the first of another
  /// nexus than that.
  private struct Frontier {
    var first = SCSITask.noPlace
    var nexus: LogicalUnitNexus?
    var firstOfOthers = SCSITask.noPlace

    func place(otherThan nexus: LogicalUnitNexus?) -> UInt64 {
      nexus === self.nexus ? firstOfOthers : first
    }

    mutating func add(_ task: SCSITask) {
      if task.nexus === nexus {
        first = min(first, task.place)
      } else if task.place < first {
        firstOfOthers = first
        first = task.place
        nexus = task.nexus
      } else {
        firstOfOthers = min(firstOfOthers, task.place)
      }
    }
  }

  private var frontier: Frontier {
    var frontier = Frontier()
    for task in ordered where task.hasPlace { frontier.add(task) }
    for task in heads where task.hasPlace { frontier.add(task) }
    return frontier
  }

  /// The first ORDERED task that has a place.
  var firstOrdered: SCSITask? {
    var first: SCSITask?
    for task in ordered where task.hasPlace && task.place < first?.place ?? SCSITask.noPlace {
      first = task
    }
    return first
  }

  /// The boundary of a share that is closed now. All that waits since an earlier turn is before it,
  /// or it would wait for ever when turns follow each other; its own ORDERED tasks, and what waits
  /// for them, have their turns later.
  func boundary(nextPlace: UInt64) -> UInt64 {
    ordered.reduce(nextPlace) { min($0, $1.place) }
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
    TaskOrder.remove(task, from: &waiting)
    if let asking, asking.task === task {
      ended = asking.ask
      self.asking = nil
      isGranted = false
    }
    switch task.attribute {
    case .simple, .aca: break
    case .ordered where !task.command.isReservationCommand: TaskOrder.remove(task, from: &ordered)
    case .ordered, .headOfQueue: TaskOrder.remove(task, from: &heads)
    }
  }

  private static func remove(_ task: SCSITask, from tasks: inout [SCSITask]) {
    if let index = tasks.firstIndex(where: { $0 === task }) { tasks.remove(at: index) }
  }

  /// The waiting tasks that may start, taken out in their order, each with its entry: by that one
  /// knows a task that has become another command since. An aborted one stays: whoever aborted it
  /// ends it.
  mutating func takeReady() -> [(task: SCSITask, entry: UInt64)] {
    guard !waiting.isEmpty else { return [] }
    let frontier = self.frontier
    var ready: [(task: SCSITask, entry: UInt64)] = []
    var others: [SCSITask] = []
    for task in waiting {
      if !task.isAborted, task.hasPlace, mayStart(task, frontier) {
        ready.append((task, task.entry))
      } else {
        others.append(task)
      }
    }
    if !ready.isEmpty { waiting = others }
    return ready
  }
}
