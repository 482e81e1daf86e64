internal import CLinux
internal import Glibc

/// An epoll instance that reports edges: one system call registers a descriptor for as long as it
/// is open, and no further ones are needed per operation.
@safe
final class Poller {
  enum Event {
    case waker
    case direct
    case socket(SocketHandle)
  }

  private static let eventsPerTurnMax = 256

  private let descriptor: Int32
  private let events: UnsafeMutablePointer<epoll_event>
  /// epoll_pwait2 (5.11) takes nanoseconds; where it is missing or forbidden, milliseconds must do.
  private var hasNanoseconds = true

  init() throws(EngineError) {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw EngineError(call: "epoll_create1", error: .last) }
    unsafe events = .allocate(capacity: Poller.eventsPerTurnMax)
  }

  deinit {
    _ = close(descriptor)
    unsafe events.deallocate()
  }

  /// Watches an eventfd.
  func watch(_ eventDescriptor: Int32, as event: Event) throws(EngineError) {
    let status = clinux_epoll_add(
      descriptor, eventDescriptor, clinux_epoll_in_edges, token(of: event))
    guard status == 0 else {
      throw EngineError(call: "epoll_ctl", error: SystemError(rawValue: 0 &- status))
    }
  }

  /// Watches a socket. 0, or an errno.
  func watch(_ socket: SocketHandle) -> Int32 {
    0
      &- clinux_epoll_add(
        descriptor, socket.rawValue, clinux_epoll_both_edges, token(of: .socket(socket)))
  }

  /// Stops watching a socket that stays open elsewhere.
  func forget(_ socket: SocketHandle) {
    _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, socket.rawValue, nil)
  }

  /// Waits for events until `deadline` (nil: for ever) and hands them over.
  func wait(until deadline: MonotonicTime?, _ body: (Event) -> Void) {
    let count = wait(until: deadline)
    guard count > 0 else { return }
    for index in 0..<Int(count) {
      // The kernel filled `count` events.
      body(event(of: unsafe clinux_epoll_token(events + index)))
    }
  }

  private func wait(until deadline: MonotonicTime?) -> Int32 {
    let capacity = Int32(Poller.eventsPerTurnMax)
    guard let deadline else { return unsafe epoll_wait(descriptor, events, capacity, -1) }
    let now = MonotonicTime.current
    guard deadline > now else { return unsafe epoll_wait(descriptor, events, capacity, 0) }
    if hasNanoseconds {
      var interval = deadline.interval(from: now)
      let count = unsafe epoll_pwait2(descriptor, events, capacity, &interval, nil)
      if count >= 0 || SystemError.last == .interrupted { return count }
      hasNanoseconds = false
    }
    // Rounded up: a timer must not be found not yet due again and again.
    let milliseconds = (deadline.rawValue - now.rawValue + 999_999) / 1_000_000
    return unsafe epoll_wait(descriptor, events, capacity, Int32(clamping: milliseconds))
  }

  /// A socket's token is its descriptor; the others lie above all of those.
  private static let wakerToken = UInt64.max
  private static let directToken = UInt64.max - 1

  private func token(of event: Event) -> UInt64 {
    switch event {
    case .waker: Poller.wakerToken
    case .direct: Poller.directToken
    case .socket(let socket): UInt64(UInt32(bitPattern: socket.rawValue))
    }
  }

  private func event(of token: UInt64) -> Event {
    switch token {
    case Poller.wakerToken: .waker
    case Poller.directToken: .direct
    default: .socket(SocketHandle(rawValue: Int32(truncatingIfNeeded: token)))
    }
  }
}
