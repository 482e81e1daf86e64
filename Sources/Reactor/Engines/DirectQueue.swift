internal import CLinux
internal import Glibc

/// Reads and writes past the page cache through the kernel's asynchronous I/O, submitted a turn's
/// worth at a time. Signals `descriptor` when one has ended.
///
/// io_submit(2) waits where the device's queue is full, or where the file system has to ask the
/// disk first. So every operation says that it must not (RWF_NOWAIT, Linux 4.13); what cannot be
/// done so goes to the pool, whose threads may wait.
@safe
final class DirectQueue {
  /// Operations the kernel holds at a time, a share of fs.aio-max-nr (65,536 by default for the
  /// whole machine); what is more, or more than a device's part of it, waits here.
  static let capacityWanted = 512
  private static let capacityMin = 16

  struct Request {
    let file: FileHandle
    let slice: BufferSlice
    let offset: Int
    let isWrite: Bool
    let isDurable: Bool
    let id: OperationID
  }

  /// An eventfd, watched for edges and never read.
  let descriptor: Int32
  private let context: io_context_t
  let capacity: Int
  private let blocks: UnsafeMutablePointer<iocb>
  private let batch: UnsafeMutablePointer<UnsafeMutablePointer<iocb>?>
  private let events: UnsafeMutablePointer<io_event>
  private var batchCount = 0
  private let pool: BlockingPool
  /// What each block asks for, as long as the kernel has it.
  private var requests: [Request?]
  private var freeBlocks: [Int]
  /// One for each block.
  private var places: DevicePlaces<Request>

  /// Takes fewer places if fs.aio-max-nr leaves no more.
  init(pool: BlockingPool) throws(EngineError) {
    var context: io_context_t?
    var capacity = DirectQueue.capacityWanted
    var status = unsafe io_setup(Int32(capacity), &context)
    while status == -EAGAIN, capacity > DirectQueue.capacityMin {
      capacity /= 2
      status = unsafe io_setup(Int32(capacity), &context)
    }
    guard status == 0, let context = unsafe context else {
      throw EngineError(
        call: "io_setup", error: SystemError(rawValue: 0 &- status),
        advice: status == -EAGAIN ? "raise fs.aio-max-nr" : "")
    }
    descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard descriptor >= 0 else {
      let error = SystemError.last
      unsafe _ = io_destroy(context)
      throw EngineError(call: "eventfd", error: error)
    }
    self.pool = pool
    unsafe self.context = context
    self.capacity = capacity
    unsafe blocks = .allocate(capacity: capacity)
    unsafe batch = .allocate(capacity: capacity)
    unsafe events = .allocate(capacity: capacity)
    requests = Array(repeating: nil, count: capacity)
    freeBlocks = Array((0..<capacity).reversed())
    places = DevicePlaces(count: capacity)
  }

  /// Waits for what the kernel still has, so that it writes into nobody's memory afterwards.
  deinit {
    unsafe _ = io_destroy(context)
    _ = close(descriptor)
    unsafe blocks.deallocate()
    unsafe batch.deallocate()
    unsafe events.deallocate()
  }

  func start(_ request: Request) {
    if places.enter(request, of: request.file.device) { prepare(request) }
  }

  private func prepare(_ request: Request) {
    guard let index = freeBlocks.popLast() else { preconditionFailure("a place without a block") }
    requests[index] = request
    // index < capacity, and a block is in the batch once at most: batchCount < capacity.
    unsafe clinux_aio_prepare(
      blocks + index, request.file.rawValue, request.isWrite ? 1 : 0, request.slice.unsafeAddress,
      request.slice.count, Int64(request.offset),
      RWF_NOWAIT | (request.isDurable ? RWF_DSYNC : 0), descriptor, UInt(index))
    unsafe batch[batchCount] = blocks + index
    batchCount += 1
  }

  /// Submits the turn's operations. One that the kernel refuses completes with its error. False:
  /// the kernel is short of something, the rest stays queued.
  func submit(completions: inout [Completion]) -> Bool {
    var start = 0
    var accepted = true
    while start < batchCount {
      let status = unsafe io_submit(context, batchCount - start, batch + start)
      if status == -EINTR { continue }
      guard status != -EAGAIN, status != -ENOMEM, status != 0 else {
        accepted = false
        break
      }
      if status > 0 {
        start += Int(status)
      } else {
        // The first of the batch is at fault: bad descriptor, no RWF_NOWAIT, …
        if let block = unsafe batch[start] {
          end(Int(unsafe block - blocks), with: status, completions: &completions)
        }
        start += 1
      }
    }
    unsafe batch.update(from: batch + start, count: batchCount - start)
    batchCount -= start
    startWaiting()
    return accepted
  }

  /// Takes what has ended, and starts what has waited for a place.
  func takeResults(into completions: inout [Completion]) {
    var noWait = timespec()
    while true {
      let count = unsafe io_getevents(context, 0, capacity, events, &noWait)
      if count == -EINTR { continue }
      guard count > 0 else { break }
      for index in 0..<Int(count) {
        let event = unsafe events[index]
        let result = Int32(truncatingIfNeeded: unsafe event.res)
        end(Int(bitPattern: unsafe event.data), with: result, completions: &completions)
      }
    }
    startWaiting()
  }

  private func end(_ index: Int, with result: Int32, completions: inout [Completion]) {
    guard let request = requests[index].take() else {
      preconditionFailure("the kernel ended an operation twice")
    }
    freeBlocks.append(index)
    places.leave(request.file.device)
    // It would have to wait, or it is never done without.
    if result == -EAGAIN || result == -EOPNOTSUPP { return pool.start(request) }
    completions.append(Completion(id: request.id, result: OperationResult(rawValue: result)))
  }

  private func startWaiting() {
    while let request = places.next() { prepare(request) }
  }

  /// Whether there is something to submit.
  var hasBatch: Bool { batchCount > 0 }
}

extension BlockingPool {
  fileprivate func start(_ request: DirectQueue.Request) {
    let work: Work =
      request.isWrite
      ? .write(request.slice, offset: request.offset, isDurable: request.isDurable)
      : .read(request.slice, offset: request.offset)
    start(work, on: request.file, id: request.id)
  }
}
