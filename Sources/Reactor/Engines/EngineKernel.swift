internal import CLinux
internal import Glibc

/// The time of day, which may be set and may jump: only for telling people and initiators.
public enum WallClock {
  /// Milliseconds since the start of 1970, UTC; 0 before that.
  public static var milliseconds: UInt64 {
    var time = timespec()
    unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(clamping: time.tv_sec) &* 1000 &+ UInt64(clamping: time.tv_nsec / 1_000_000)
  }
}

extension MonotonicTime {
  /// CLOCK_MONOTONIC, read without entering the kernel (20 ns).
  public static var current: MonotonicTime {
    var time = timespec()
    unsafe _ = clock_gettime(CLOCK_MONOTONIC, &time)
    return MonotonicTime(
      rawValue: UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000
        &+ UInt64(bitPattern: Int64(time.tv_nsec)))
  }

  /// How long until this time from `now`, at least zero.
  func interval(from now: MonotonicTime) -> timespec {
    let nanoseconds = rawValue > now.rawValue ? rawValue - now.rawValue : 0
    return timespec(
      tv_sec: Int(clamping: nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
  }
}

extension AllocationMode {
  /// The mode argument of fallocate(2).
  var kernelMode: Int32 {
    switch self {
    case .punchHole: FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE
    case .zeroRange: FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE
    }
  }
}

/// Performs a system call until no signal interrupts it.
func kernelResult(_ call: () -> Int) -> OperationResult {
  while true {
    let value = call()
    if value >= 0 { return OperationResult(rawValue: Int32(clamping: value)) }
    let error = SystemError.last
    if error != .interrupted { return .failure(error) }
  }
}

extension SocketHandle {
  /// Sends what the socket takes now; `.tryAgain` if that is nothing.
  func sendWithoutWaiting(_ list: ScatterGatherList) -> OperationResult {
    kernelResult {
      unsafe sendmsg(rawValue, list.unsafeMessageHeader, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    }
  }
}

/// The range's offset as the kernel takes it; nil when the range ends past the largest file. Kept
/// from the kernel because io_uring takes −1 for "at the file's position".
func kernelOffset(_ offset: UInt64, count: UInt64) -> Int? {
  let (end, overflow) = offset.addingReportingOverflow(count)
  return overflow || end > UInt64(Int.max) ? nil : Int(offset)
}

/// Lets a kernel that is short of memory recover, when there is nothing else to do.
func pauseAfterRefusal() {
  var pause = timespec(tv_sec: 0, tv_nsec: 1_000_000)
  unsafe _ = nanosleep(&pause, nil)
}
