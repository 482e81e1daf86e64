import Reactor
import Synchronization
import Testing

@Suite("Threads")
struct PlatformThreadTests {
  /// What has ended.
  final class Count: Sendable {
    let value = Atomic<Int>(0)
  }

  /// glibc keeps a few stacks of threads that have ended, and unmaps the others: only then a look
  /// at such a thread is fatal, so many end at a time. One that detached them from outside would be
  /// caught by chance only: its window is two instructions wide.
  @Test("Threads that end at once, by themselves, may be started by the thousand")
  func endAtOnce() throws {
    let ended = Count()
    for round in 1...50 {
      for _ in 0..<32 {
        try PlatformThread.start(name: "brief") {
          ended.value.add(1, ordering: .sequentiallyConsistent)
        }
      }
      while ended.value.load(ordering: .sequentiallyConsistent) < round * 32 {
        PlatformThread.pause(microseconds: 100)
      }
    }
    #expect(ended.value.load(ordering: .sequentiallyConsistent) == 1_600)
  }
}
