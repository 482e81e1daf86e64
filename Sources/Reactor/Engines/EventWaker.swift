internal import CLinux
internal import Glibc
internal import Synchronization

/// Wakes an engine through an eventfd that the engine watches for edges and never reads (its
/// counter has room for 2⁶⁴ wake-ups).
///
/// Many wake-ups cost one system call: only the first after an `acknowledge` writes. None is lost:
/// who finds one already on its way published its work before that wake-up is acknowledged, and the
/// reactor looks for work after acknowledging.
final class EventWaker: EngineWaker {
  let descriptor: Int32
  private let isOnItsWay = Atomic<Bool>(false)
  /// Whether the engine's thread sleeps, or is about to.
  private let isAsleep = Atomic<Bool>(false)

  init() throws(EngineError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard descriptor >= 0 else { throw EngineError(call: "eventfd", error: .last) }
  }

  deinit { _ = close(descriptor) }

  func wake() {
    guard !isOnItsWay.exchange(true, ordering: .acquiringAndReleasing) else { return }
    _ = eventfd_write(descriptor, 1)
  }

  /// Wakes the engine's thread if it sleeps; for work that it looks for whenever it is awake, and
  /// once more after `fallAsleep`. Whichever of the two, that look or this one, is the later sees
  /// what the other thread has done.
  func wakeSleeper() {
    if isAsleep.load(ordering: .sequentiallyConsistent) { wake() }
  }

  /// The engine's thread will sleep unless it finds work now.
  func fallAsleep() { isAsleep.store(true, ordering: .sequentiallyConsistent) }

  /// It does not sleep any more.
  func stayAwake() {
    if isAsleep.load(ordering: .relaxed) { isAsleep.store(false, ordering: .relaxed) }
  }

  /// The engine's thread has woken up and is about to look for work.
  func acknowledge() { _ = isOnItsWay.exchange(false, ordering: .acquiringAndReleasing) }
}
