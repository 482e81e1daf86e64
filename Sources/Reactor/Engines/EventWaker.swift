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

  init() throws(EngineError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard descriptor >= 0 else { throw EngineError(call: "eventfd", error: .last) }
  }

  deinit { _ = close(descriptor) }

  func wake() {
    guard !isOnItsWay.exchange(true, ordering: .acquiringAndReleasing) else { return }
    _ = eventfd_write(descriptor, 1)
  }

  /// The engine's thread has woken up and is about to look for work.
  func acknowledge() { _ = isOnItsWay.exchange(false, ordering: .acquiringAndReleasing) }
}
