internal import CLinux
internal import Glibc

/// One io_uring: set-up with all the flags the kernel knows, submission, completion. Belongs to the
/// thread that made it.
@safe
final class UringQueue {
  /// Enough for a turn of 32 sessions with 32 commands; a fuller turn submits early.
  static let submissionEntries: UInt32 = 1024
  /// Operations in flight beyond this cost the kernel an allocation each, and are not lost.
  static let completionEntries: UInt32 = 8192
  /// Completions taken per turn, so that timers and mailbox get theirs.
  static let completionsPerTurnMax = 4096
  private static let batchCapacity: UInt32 = 256
  /// Enough gathered to go on at once.
  private static let gatheringCompletionsMax: UInt32 = 64

  /// Every opcode the engine uses; the ring refuses all others, which seccomp could not. Costs
  /// about 1 % of a turn of one send and one receive (0.1 of 6.6 µs).
  static let opcodes: [io_uring_op] = [
    IORING_OP_SENDMSG, IORING_OP_RECVMSG, IORING_OP_ACCEPT, IORING_OP_READ, IORING_OP_WRITE,
    IORING_OP_FSYNC, IORING_OP_FALLOCATE, IORING_OP_POLL_ADD, IORING_OP_ASYNC_CANCEL,
  ]

  private let ring: UnsafeMutablePointer<io_uring>
  private let batch: UnsafeMutablePointer<UnsafeMutablePointer<io_uring_cqe>?>
  /// Whether the kernel took the list of allowed opcodes.
  let isRestricted: Bool

  init() throws(EngineError) {
    let ring = UnsafeMutablePointer<io_uring>.allocate(capacity: 1)
    unsafe ring.initialize(to: io_uring())
    var status: Int32 = -EINVAL
    for flags in UringQueue.setupFlags where status == -EINVAL {
      status = unsafe UringQueue.setUp(ring, flags: flags)
    }
    guard status == 0 else {
      unsafe ring.deallocate()
      throw EngineError.ringRefused("io_uring_setup", SystemError(rawValue: 0 &- status))
    }
    do throws(EngineError) {
      isRestricted = try unsafe UringQueue.enable(ring)
    } catch {
      unsafe io_uring_queue_exit(ring)
      unsafe ring.deallocate()
      throw error
    }
    unsafe self.ring = ring
    unsafe batch = .allocate(capacity: Int(UringQueue.batchCapacity))
  }

  deinit {
    unsafe io_uring_queue_exit(ring)
    unsafe ring.deallocate()
    unsafe batch.deallocate()
  }

  // MARK: Set-up

  /// Best first. SINGLE_ISSUER and DEFER_TASKRUN (6.1): completions are worked off when this thread
  /// asks, never in the middle of something else. COOP_TASKRUN (5.19): at least without interrupts.
  private static let setupFlags: [UInt32] = {
    let common = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED
    return [
      common | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
      common | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN,
      common,
    ]
  }()

  private static func setUp(_ ring: UnsafeMutablePointer<io_uring>, flags: UInt32) -> Int32 {
    var parameters = io_uring_params()
    parameters.flags = flags
    parameters.cq_entries = completionEntries
    return unsafe io_uring_queue_init_params(submissionEntries, ring, &parameters)
  }

  /// Checks the opcodes, restricts the ring to them and starts it. Whether it is restricted.
  private static func enable(_ ring: UnsafeMutablePointer<io_uring>) throws(EngineError) -> Bool {
    if let missing = unsafe firstMissingOpcode(ring) {
      throw EngineError(
        call: "io_uring_register", error: .notSupported,
        advice: "this kernel's io_uring lacks operation \(missing)")
    }
    let allowed = opcodes.map { UInt8($0.rawValue) }
    let restricted = unsafe clinux_ring_restrict(ring, allowed, UInt32(allowed.count)) == 0
    let status = unsafe clinux_ring_enable(ring)
    guard status >= 0 else {
      throw EngineError.ringRefused("io_uring_register", SystemError(rawValue: 0 &- status))
    }
    return restricted
  }

  private static func firstMissingOpcode(_ ring: UnsafeMutablePointer<io_uring>) -> UInt32? {
    guard let probe = unsafe io_uring_get_probe_ring(ring) else { return opcodes[0].rawValue }
    defer { unsafe io_uring_free_probe(probe) }
    return opcodes.first { unsafe io_uring_opcode_supported(probe, Int32($0.rawValue)) == 0 }?
      .rawValue
  }

  // MARK: Submission

  /// An entry to prepare, submitting early when all are taken. nil when the kernel takes none.
  func nextEntry() -> UnsafeMutablePointer<io_uring_sqe>? {
    var attempts = 0
    while true {
      if let entry = unsafe io_uring_get_sqe(ring) { return unsafe entry }
      guard attempts < 1000 else { return nil }
      if unsafe io_uring_submit(ring) < 0 { pauseAfterRefusal() }
      attempts += 1
    }
  }

  enum Wait {
    case no, forever
    case atMost(timespec)
    /// For as long, whatever completes; less than a second.
    case gathering(nanoseconds: UInt32)
  }

  /// Submits everything and lets the kernel post what has completed, in one system call; sleeps in
  /// it only if nothing has. False: the kernel was short of something, and what it did not take
  /// stays queued.
  func submit(wait: Wait) -> Bool {
    let status: Int32
    switch wait {
    case .no: status = unsafe io_uring_submit_and_get_events(ring)
    case .forever: status = unsafe io_uring_submit_and_wait(ring, 1)
    case .atMost(let interval):
      var time = __kernel_timespec(
        tv_sec: Int64(interval.tv_sec), tv_nsec: Int64(interval.tv_nsec))
      var first: UnsafeMutablePointer<io_uring_cqe>?
      status = unsafe io_uring_submit_and_wait_timeout(ring, &first, 1, &time, nil)
    case .gathering(let nanoseconds):
      var time = __kernel_timespec(tv_sec: 0, tv_nsec: Int64(nanoseconds))
      var first: UnsafeMutablePointer<io_uring_cqe>?
      status = unsafe io_uring_submit_and_wait_timeout(
        ring, &first, UringQueue.gatheringCompletionsMax, &time, nil)
    }
    return status >= 0 || status == -ETIME || status == -EINTR
  }

  // MARK: Completion

  /// Whether the kernel has posted anything. No system call.
  var hasCompletions: Bool { unsafe io_uring_cq_ready(ring) > 0 }

  /// Hands over what the kernel has posted: user data, result, flags. No system call.
  func drain(_ body: (UInt64, Int32, UInt32) -> Void) {
    var taken = 0
    while taken < UringQueue.completionsPerTurnMax {
      let count = unsafe io_uring_peek_batch_cqe(ring, batch, UringQueue.batchCapacity)
      for index in 0..<Int(count) {
        // The kernel filled `count` pointers, none of them null.
        guard let entry = unsafe batch[index] else { continue }
        unsafe body(entry.pointee.user_data, entry.pointee.res, entry.pointee.flags)
      }
      unsafe io_uring_cq_advance(ring, count)
      taken += Int(count)
      if count < UringQueue.batchCapacity { return }
    }
  }
}

extension EngineError {
  /// Names what commonly forbids io_uring.
  static func ringRefused(_ call: String, _ error: SystemError) -> EngineError {
    let advice =
      switch error {
      case .noSuchCall: "the kernel was built without io_uring, or a container hides it"
      case .notPermitted, .permissionDenied:
        "kernel.io_uring_disabled, a seccomp filter or a security module forbids io_uring"
      case .outOfMemory: "raise the limit of locked memory (LimitMEMLOCK=)"
      case .tooManyFiles, .tooManyFilesInSystem: "raise the limit of open files (LimitNOFILE=)"
      case .invalidArgument: "the kernel is older than 5.10"
      default: ""
      }
    return EngineError(call: call, error: error, advice: advice)
  }
}
