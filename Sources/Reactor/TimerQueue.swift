internal import HeapModule

/// Is told when its time has come.
public protocol TimerHandler: AnyObject {
  func timerFired(_ timer: TimerID)
}

/// Names one timer for as long as it is pending.
public struct TimerID: Hashable, Sendable, BitwiseCopyable {
  let rawValue: UInt64
}

/// Pending timers, soonest first. A cancelled timer leaves its entry behind until its time; whoever
/// re-arms per event (NOP, login time-out) does so at most a few times a second.
struct TimerQueue {
  private struct Entry: Comparable {
    var deadline: MonotonicTime
    var id: UInt64

    static func < (left: Entry, right: Entry) -> Bool {
      (left.deadline, left.id) < (right.deadline, right.id)
    }
  }

  private var heap = Heap<Entry>()
  private var handlers: [UInt64: any TimerHandler] = [:]
  private var nextID: UInt64 = 0

  /// When the next timer is due; nil when none is pending.
  mutating func nextDeadline() -> MonotonicTime? {
    while let entry = heap.min {
      if handlers[entry.id] != nil { return entry.deadline }
      heap.removeMin()
    }
    return nil
  }

  mutating func add(_ handler: any TimerHandler, at deadline: MonotonicTime) -> TimerID {
    nextID += 1
    handlers[nextID] = handler
    heap.insert(Entry(deadline: deadline, id: nextID))
    return TimerID(rawValue: nextID)
  }

  mutating func cancel(_ timer: TimerID) { handlers[timer.rawValue] = nil }

  /// Removes one timer that is due.
  mutating func popDue(at now: MonotonicTime) -> (TimerID, any TimerHandler)? {
    while let entry = heap.min, entry.deadline <= now {
      heap.removeMin()
      if let handler = handlers.removeValue(forKey: entry.id) {
        return (TimerID(rawValue: entry.id), handler)
      }
    }
    return nil
  }
}
