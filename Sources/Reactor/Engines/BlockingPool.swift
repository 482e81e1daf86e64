internal import CLinux
internal import DequeModule
internal import Glibc
internal import Synchronization

/// A few threads for the calls that block and that libaio cannot queue: reads of buffered files,
/// fdatasync, fallocate, and what `DirectQueue` cannot do without waiting. Holds as many calls as
/// there are operations in flight, which the reactor bounds.
///
/// A device occupies only a part of the threads, however many files are on it: two that hang, and
/// whose calls therefore never end, leave some to all the others.
final class BlockingPool {
  static let threadCount = 8
  /// The calls for one device that are queued for a thread or on one; further ones wait for those.
  static let callsPerDeviceMax = 3

  enum Work {
    case read(BufferSlice, offset: Int)
    case write(BufferSlice, offset: Int, isDurable: Bool)
    case synchronize
    case allocate(AllocationMode, offset: Int, count: Int)
  }

  private let shared: Shared
  private let threads: [PlatformThread]

  /// `waker` is woken when there are results to `take`.
  init(waker: EventWaker) throws(EngineError) {
    let shared = Shared(waker: waker)
    self.shared = shared
    var threads: [PlatformThread] = []
    for index in 0..<BlockingPool.threadCount {
      do throws(SystemError) {
        threads.append(try PlatformThread(name: "blocking-\(index)") { shared.work() })
      } catch {
        shared.end(threads)
        throw EngineError(
          call: "pthread_create", error: error,
          advice: "raise the limit of tasks (TasksMax=) or free memory")
      }
    }
    self.threads = threads
  }

  /// Finishes what is queued, so that nothing is written after the pool is gone.
  deinit { shared.end(threads) }

  func start(_ work: Work, on file: FileHandle, id: OperationID) {
    shared.push(Job(work: work, file: file, id: id))
  }

  /// Calls that wait because their device has enough of them on their way.
  var waitingCount: Int { shared.waitingCount }

  func takeResults(into completions: inout [Completion]) {
    shared.results.withLock { results in
      completions.append(contentsOf: results)
      results.removeAll(keepingCapacity: true)
    }
  }

  /// Sendable although a buffer is not: the operation has lent the buffer until its completion, and
  /// the reactor's thread does not touch it before.
  private struct Job: @unchecked Sendable {
    let work: Work
    let file: FileHandle
    let id: OperationID
  }

  /// Which calls go to the threads, and which wait behind others of their device.
  private struct Schedule {
    /// For the threads; nil tells one of them to end.
    var queue: Deque<Job?> = []
    private var devices: [DeviceNumber: (calls: Int, waiting: Deque<Job>)] = [:]

    var waitingCount: Int { devices.values.reduce(0) { $0 + $1.waiting.count } }

    /// False: the job waits.
    mutating func add(_ job: Job) -> Bool {
      let device = job.file.device
      let calls = devices[device]?.calls ?? 0
      guard calls < BlockingPool.callsPerDeviceMax else {
        devices[device]?.waiting.append(job)
        return false
      }
      devices[device, default: (0, [])].calls += 1
      queue.append(job)
      return true
    }

    /// Puts the device's next job at the queue's end, where it holds up no other device. False:
    /// none waits.
    mutating func ended(_ job: Job) -> Bool {
      let device = job.file.device
      if let next = devices[device]?.waiting.popFirst() {
        queue.append(next)
        return true
      }
      devices[device]?.calls -= 1
      if devices[device]?.calls == 0 { devices[device] = nil }
      return false
    }

    /// Queues all that waits, however much it is of one device. How many jobs that is.
    mutating func release() -> Int {
      let waiting = devices.values.flatMap(\.waiting)
      devices = [:]
      queue.append(contentsOf: waiting)
      return waiting.count
    }
  }

  /// What the threads see. The semaphore counts the queue's entries.
  private final class Shared: Sendable {
    private let schedule = Mutex(Schedule())
    let results = Mutex<[Completion]>([])
    private let arrived = Semaphore()
    private let waker: EventWaker

    init(waker: EventWaker) { self.waker = waker }

    var waitingCount: Int { schedule.withLock { $0.waitingCount } }

    func push(_ job: Job) {
      if schedule.withLock({ $0.add(job) }) { arrived.signal() }
    }

    /// Ends the threads when all there is has been done.
    func end(_ threads: [PlatformThread]) {
      let entries = schedule.withLock { schedule in
        let released = schedule.release()
        for _ in threads { schedule.queue.append(nil) }
        return released + threads.count
      }
      for _ in 0..<entries { arrived.signal() }
      for thread in threads { thread.join() }
    }

    func work() {
      while true {
        arrived.wait()
        guard let entry = schedule.withLock({ $0.queue.popFirst() }), let job = entry else {
          return
        }
        let completion = Completion(id: job.id, result: job.work.perform(on: job.file))
        results.withLock { $0.append(completion) }
        if schedule.withLock({ $0.ended(job) }) { arrived.signal() }
        waker.wake()
      }
    }
  }
}

extension BlockingPool.Work {
  /// Blocks until the call ends.
  fileprivate func perform(on file: FileHandle) -> OperationResult {
    let descriptor = file.rawValue
    return switch self {
    case .read(let slice, let offset):
      kernelResult {
        unsafe pread(descriptor, slice.unsafeAddress, slice.count, offset)
      }
    case .write(let slice, let offset, let isDurable):
      kernelResult {
        unsafe clinux_write(
          descriptor, slice.unsafeAddress, slice.count, Int64(offset), isDurable ? RWF_DSYNC : 0)
      }
    case .synchronize:
      kernelResult { Int(fdatasync(descriptor)) }
    case .allocate(let mode, let offset, let count):
      kernelResult { Int(fallocate(descriptor, mode.kernelMode, offset, count)) }
    }
  }
}
