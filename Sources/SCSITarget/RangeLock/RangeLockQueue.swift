/// The range locks of one logical unit as its home reactor orders them: one after another of those
/// that overlap, in the order of arrival. At most `RangeClaimCount.max` of them, and every event
/// looks at each once.
struct RangeLockQueue {
  private struct Waiting {
    let lock: RangeLock
    /// Overlapping locks before it that are not released; it begins when there is none.
    var obstacles: Int
  }

  /// Begun, not released.
  private(set) var begun: [RangeLock] = []
  /// In the order of arrival.
  private var waiting: [Waiting] = []

  /// Enters a lock. True: nothing is in its way, it begins.
  mutating func enter(_ lock: RangeLock) -> Bool {
    let obstacles =
      begun.count { $0.overlaps(lock) } + waiting.count { $0.lock.overlaps(lock) }
    if obstacles == 0 {
      begun.append(lock)
    } else {
      waiting.append(Waiting(lock: lock, obstacles: obstacles))
    }
    return obstacles == 0
  }

  /// Takes a begun lock out; those that begin now, in the order of their arrival. nil: it is not
  /// here.
  mutating func release(_ identifier: RangeLock.Identifier) -> [RangeLock]? {
    guard let index = begun.firstIndex(where: { $0.identifier == identifier }) else { return nil }
    let released = begun.remove(at: index)
    var next: [RangeLock] = []
    for index in waiting.indices where waiting[index].lock.overlaps(released) {
      waiting[index].obstacles -= 1
      if waiting[index].obstacles == 0 { next.append(waiting[index].lock) }
    }
    guard !next.isEmpty else { return [] }
    waiting.removeAll { $0.obstacles == 0 }
    begun += next
    return next
  }
}
