internal import CLinux
internal import Glibc

/// Sockets and disk on one io_uring: a turn's operations are submitted, and its completions
/// awaited, in one system call.
///
/// Made and dropped on its reactor's thread. Sockets must block (no O_NONBLOCK): for a non-blocking
/// one io_uring answers EAGAIN instead of waiting.
public final class UringEngine: IOEngine {
  public let kind = EngineKind.uring
  public var now: MonotonicTime { .current }
  public var waker: any EngineWaker { eventWaker }

  private let queue: UringQueue
  private let eventWaker: EventWaker
  private var wakerIsArmed = false
  /// Operations the kernel has, or will have with the next submission.
  private var operationsInKernel = 0
  /// Operations that ended without the ring: those performed on the spot, and impossible ranges.
  private var ready: [Completion] = []
  private var inlineReader = InlineReader()
  private let writers: WriteThreads
  private var hasSentThisTurn = false
  private var gatheringNanoseconds: UInt32 = 0

  /// Whether the ring refuses all operations but those the engine uses.
  var isRestricted: Bool { queue.isRestricted }

  public convenience init() throws(EngineError) { try self.init(writingWith: nil) }

  /// `call` stands in for pwrite(2) on buffered files.
  init(writingWith call: WriteThread.Call?) throws(EngineError) {
    eventWaker = try EventWaker()
    writers = WriteThreads(waker: eventWaker, call: call)
    queue = try UringQueue()
    // Else the kernel adds 50 µs to a wait of 40.
    clinux_thread_set_timer_slack(1000)
  }

  deinit { cancelEverything() }

  // MARK: Network

  public func accept(on listener: SocketHandle, id: OperationID) {
    // A listener that systemd made may be non-blocking. One call per connection is nothing.
    _ = clinux_set_nonblocking(listener.rawValue, 0)
    unsafe start(id) { entry in
      unsafe io_uring_prep_accept(
        entry, listener.rawValue, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
    }
  }

  public func prepare(_ socket: SocketHandle) -> ConnectionEnds? {
    ConnectionEnds(preparing: socket)
  }

  /// The ring knows operations, not sockets.
  public func detach(_ socket: SocketHandle) {}

  public func receive(on socket: SocketHandle, into list: ScatterGatherList, id: OperationID) {
    unsafe start(id) { entry in
      unsafe io_uring_prep_recvmsg(entry, socket.rawValue, list.unsafeMessageHeader, 0)
    }
  }

  /// A turn's first send, which is mostly its only one, is performed on the spot: queued, it would
  /// end the wait that submits it, for a turn with nothing to do.
  public func send(on socket: SocketHandle, from list: ScatterGatherList, id: OperationID) {
    if !hasSentThisTurn {
      hasSentThisTurn = true
      let result = socket.sendWithoutWaiting(list)
      if result.error != .tryAgain { return end(id, result) }
    }
    // MSG_WAITALL: the kernel continues a short send by itself.
    let flags = UInt32(MSG_NOSIGNAL) | UInt32(MSG_WAITALL)
    unsafe start(id) { entry in
      unsafe io_uring_prep_sendmsg(entry, socket.rawValue, list.unsafeMessageHeader, flags)
    }
  }

  public func shutDown(_ socket: SocketHandle) {
    _ = shutdown(socket.rawValue, Int32(SHUT_RDWR))
  }

  public func transmission(of socket: SocketHandle) -> TransmissionState? {
    TransmissionState(of: socket)
  }

  public func close(_ socket: SocketHandle) { _ = Glibc.close(socket.rawValue) }

  // MARK: Storage

  public func read(
    _ file: FileHandle, into slice: BufferSlice, at offset: UInt64, id: OperationID
  ) {
    guard let position = kernelOffset(offset, count: UInt64(slice.count)) else { return refuse(id) }
    if let result = inlineReader.read(file, into: slice, at: position) { return end(id, result) }
    unsafe start(id) { entry in
      unsafe io_uring_prep_read(
        entry, file.rawValue, slice.unsafeAddress, UInt32(slice.count), offset)
    }
  }

  public func write(
    _ file: FileHandle, from slice: BufferSlice, at offset: UInt64, isDurable: Bool,
    id: OperationID
  ) {
    guard let position = kernelOffset(offset, count: UInt64(slice.count)) else { return refuse(id) }
    if file.isBuffered, !isDurable, writers.start(file, from: slice, at: position, id: id) {
      return
    }
    unsafe start(id) { entry in
      unsafe clinux_ring_prepare_write(
        entry, file.rawValue, slice.unsafeAddress, UInt32(slice.count), offset,
        isDurable ? RWF_DSYNC : 0)
    }
  }

  public func synchronize(_ file: FileHandle, id: OperationID) {
    unsafe start(id) { entry in
      unsafe io_uring_prep_fsync(entry, file.rawValue, IORING_FSYNC_DATASYNC)
    }
  }

  public func allocate(
    _ file: FileHandle, _ mode: AllocationMode, at offset: UInt64, count: UInt64, id: OperationID
  ) {
    guard let position = kernelOffset(offset, count: count) else { return refuse(id) }
    unsafe start(id) { entry in
      unsafe io_uring_prep_fallocate(
        entry, file.rawValue, mode.kernelMode, position, off_t(count))
    }
  }

  private func refuse(_ id: OperationID) { end(id, .failure(.invalidArgument)) }

  private func end(_ id: OperationID, _ result: OperationResult) {
    ready.append(Completion(id: id, result: result))
  }

  private func start(
    _ id: OperationID, _ prepare: (UnsafeMutablePointer<io_uring_sqe>) -> Void
  ) {
    guard let entry = unsafe queue.nextEntry() else {
      ready.append(Completion(id: id, result: .failure(.notSubmitted)))
      return
    }
    unsafe prepare(entry)
    unsafe io_uring_sqe_set_data64(entry, id.rawValue)
    operationsInKernel += 1
  }

  // MARK: Turn

  public func wait(until deadline: MonotonicTime?, completions: inout [Completion]) {
    inlineReader.turnBegan()
    hasSentThisTurn = false
    if !wakerIsArmed { armWaker() }
    writers.publish()
    let accepted = gather(until: deadline) || queue.submit(wait: waitMode(until: deadline))
    eventWaker.stayAwake()
    let before = completions.count
    queue.drain { data, result, flags in
      take(data, result, flags, into: &completions)
    }
    takeEnded(into: &completions)
    if !accepted, completions.count == before { pauseAfterRefusal() }
  }

  /// Submits, and sleeps for the time set aside for gathering. False: nothing was set aside, or
  /// there is nothing to take.
  private func gather(until deadline: MonotonicTime?) -> Bool {
    let nanoseconds = max(gatheringNanoseconds, writers.gatheringNanoseconds)
    guard nanoseconds > 0, ready.isEmpty else { return false }
    if let deadline, deadline <= now { return false }
    _ = queue.submit(wait: .gathering(nanoseconds: nanoseconds))
    let hasResults = writers.gathered()
    return hasResults || queue.hasCompletions
  }

  private func waitMode(until deadline: MonotonicTime?) -> UringQueue.Wait {
    guard ready.isEmpty, writers.allowSleep() else { return .no }
    guard let deadline else { return .forever }
    let now = self.now
    return deadline > now ? .atMost(deadline.interval(from: now)) : .no
  }

  public func takeEnded(into completions: inout [Completion]) {
    writers.takeResults(into: &completions)
    writers.publish()
    guard !ready.isEmpty else { return }
    completions.append(contentsOf: ready)
    ready.removeAll(keepingCapacity: true)
  }

  private func take(
    _ data: UInt64, _ result: Int32, _ flags: UInt32, into completions: inout [Completion]
  ) {
    switch data {
    case UserData.waker:
      if flags & IORING_CQE_F_MORE == 0 { wakerIsArmed = false }
      eventWaker.acknowledge()
    case UserData.cancellation: break
    default:
      operationsInKernel -= 1
      let id = OperationID(rawValue: data)
      completions.append(Completion(id: id, result: OperationResult(rawValue: result)))
    }
  }

  /// Watches the eventfd for edges, for good: a wake-up costs the ring no entry.
  private func armWaker() {
    guard let entry = unsafe queue.nextEntry() else { return }
    unsafe io_uring_prep_poll_multishot(entry, eventWaker.descriptor, UInt32(POLLIN))
    unsafe io_uring_sqe_set_data64(entry, UserData.waker)
    wakerIsArmed = true
  }

  /// What is not an operation. No `OperationID` is as large: slots are numbered from 0.
  private enum UserData {
    static let waker = UInt64.max
    static let cancellation = UInt64.max - 1
  }

  // MARK: Pace

  public func gather(for nanoseconds: UInt32) { gatheringNanoseconds = nanoseconds }

  // MARK: End

  /// The kernel must not write into memory that is about to be freed. Waits a second at most: a
  /// reactor is dropped when nothing is in flight; this is for one that is dropped in an emergency.
  private func cancelEverything() {
    guard operationsInKernel > 0, let entry = unsafe queue.nextEntry() else { return }
    unsafe io_uring_prep_cancel(entry, nil, Int32(IORING_ASYNC_CANCEL_ANY))
    unsafe io_uring_sqe_set_data64(entry, UserData.cancellation)
    let deadline = now + .seconds(1)
    var completions: [Completion] = []
    while operationsInKernel > 0, now < deadline {
      // Refused for good on a thread that is not the ring's.
      if !queue.submit(wait: .atMost(deadline.interval(from: now))) { pauseAfterRefusal() }
      queue.drain { data, result, flags in take(data, result, flags, into: &completions) }
    }
  }
}
