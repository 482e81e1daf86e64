internal import CLinux
internal import DequeModule
internal import Glibc
internal import Synchronization

/// A thread that performs the buffered writes of one reactor to one device, one after the other.
///
/// Such a write is normally a copy into the page cache, and on the spot it would cost least. But
/// when the kernel throttles writers or the file system needs a block from its disk, it sleeps for
/// as long as that takes; if the disk hangs, so does whoever made the call. Here that is this
/// thread: all that waits for it are further writes to the same device. io_uring leaves these
/// writes to kernel workers, on ext4; for 4 KiB at depth 32 a command then costs 15.6 µs of CPU,
/// against 8.1 here and 8.0 on the spot. And it serializes them by a hash of the inode with 64
/// values: writes to a file that hangs would hold up some of another disk.
///
/// Between the two threads there is no lock: the reactor fills slots and then raises `published`,
/// this thread performs what they say and then raises `ended`, and neither ever goes back. So
/// results come in the order of the writes. Used on the reactor's thread only.
@safe
final class WriteThread {
  /// Writes that the thread can see at a time; further ones wait with the reactor.
  static let slotCount = 256

  /// What tests put in the place of pwrite(2): a call that hangs.
  typealias Call = @Sendable (Write) -> OperationResult

  let device: DeviceNumber
  private let shared: Shared
  private let thread: PlatformThread
  /// Writes ever given a slot, shown to the thread, and taken back with their results.
  private var filled = 0
  private var published = 0
  private var taken = 0
  /// Whether the last time spent waiting for results brought any.
  private var isMoving = true
  /// Where the thread runs.
  private var cpu: Int32 = -1
  /// Writes for which there was no slot, in order.
  private var waiting: Deque<Write> = []

  /// Throws when the kernel has no thread left to give.
  init(
    device: DeviceNumber, waker: EventWaker, call: Call?
  ) throws(SystemError) {
    let shared = Shared(waker: waker, call: call)
    self.device = device
    self.shared = shared
    thread = try PlatformThread(name: "writes") { shared.work() }
  }

  /// Waits for the write that is being performed: nobody may free its memory before. What has not
  /// begun is not begun any more.
  deinit {
    shared.end()
    thread.join()
  }

  /// The slice's memory is the operation's until its completion.
  func start(_ file: FileHandle, from slice: BufferSlice, at position: Int, id: OperationID) {
    let write = Write(file, slice, position, id)
    guard filled - taken < WriteThread.slotCount else { return waiting.append(write) }
    fill(write)
  }

  private func fill(_ write: Write) {
    // The slot is free: fewer than `slotCount` are filled and not taken.
    unsafe shared.slots[filled % WriteThread.slotCount] = write
    filled += 1
  }

  /// Shows the thread what has been started since; wakes it, once, if it sleeps: on this CPU, which
  /// the reactor is about to leave. To wake it on another one costs more than a small write, and on
  /// this one the two together do what the reactor alone would do with the writes on the spot.
  func publish() {
    guard published != filled else { return }
    published = filled
    cpu = thread.follow(cpu)
    shared.publish(filled)
  }

  /// Writes that will soon have ended: none, if it hangs.
  var expectedCount: Int { isMoving ? published - taken : 0 }

  /// What one of them takes, by those before.
  var nanosecondsPerWrite: UInt32 { shared.nanosecondsPerWrite.load(ordering: .relaxed) }

  /// Time was given to them.
  func gathered() { isMoving = hasResults || published == taken }

  /// Whether `takeResults` would find any.
  var hasResults: Bool { shared.endedCount != taken }

  /// How many have ended.
  func takeResults(into completions: inout [Completion]) -> Int {
    let count = shared.endedCount - taken
    if count > 0 { isMoving = true }
    for _ in 0..<count {
      // Below `ended`: the thread has done with it.
      let write = unsafe shared.slots[taken % WriteThread.slotCount]
      completions.append(Completion(id: write.id, result: write.result))
      taken += 1
    }
    while filled - taken < WriteThread.slotCount, let write = waiting.popFirst() {
      fill(write)
    }
    return count
  }

  /// One write, and its result when it has ended.
  @safe
  struct Write {
    let file: FileHandle
    private let bytes: UnsafeRawPointer
    private let count: Int
    private let position: Int
    fileprivate let id: OperationID
    fileprivate var result = OperationResult(rawValue: 0)

    fileprivate init(
      _ file: FileHandle, _ slice: BufferSlice, _ position: Int, _ id: OperationID
    ) {
      self.file = file
      // Valid until the operation's completion, which follows this write's end.
      unsafe bytes = UnsafeRawPointer(slice.unsafeAddress)
      count = slice.count
      self.position = position
      self.id = id
    }

    /// Blocks until the call ends.
    func perform() -> OperationResult {
      kernelResult { unsafe pwrite(file.rawValue, bytes, count, position) }
    }
  }

  /// What both threads see. Sendable although the slots are bare memory: one that is filled belongs
  /// to the thread from `published` to `ended`, and to the reactor otherwise.
  @safe
  private final class Shared: @unchecked Sendable {
    let slots: UnsafeMutablePointer<Write>
    private let published = Atomic<Int>(0)
    private let ended = Atomic<Int>(0)
    private let isEnding = Atomic<Bool>(false)
    /// What a write took in the last batches, eight or so. Stored by the thread only.
    let nanosecondsPerWrite = Atomic<UInt32>(WriteThreads.nanosecondsPerWriteMax)
    /// Signalled at least once after `published` was raised.
    private let arrived = Semaphore()
    private let waker: EventWaker
    private let call: Call?

    init(waker: EventWaker, call: Call?) {
      unsafe slots = .allocate(capacity: WriteThread.slotCount)
      self.waker = waker
      self.call = call
    }

    deinit { unsafe slots.deallocate() }

    var endedCount: Int { ended.load(ordering: .sequentiallyConsistent) }

    func publish(_ count: Int) {
      published.store(count, ordering: .releasing)
      arrived.signal()
    }

    func end() {
      isEnding.store(true, ordering: .releasing)
      arrived.signal()
    }

    func work() {
      var next = 0
      while true {
        arrived.wait()
        var last = published.load(ordering: .acquiring)
        while next != last {
          guard performBatch(&next, last) else { return }
          last = published.load(ordering: .acquiring)
        }
        if isEnding.load(ordering: .acquiring) { return }
        waker.wakeSleeper()
      }
    }

    /// Performs the writes from `next` to `last`. False: the thread is to end. A batch that nobody
    /// would wait for is not timed, so a write that comes alone costs no clock.
    private func performBatch(_ next: inout Int, _ last: Int) -> Bool {
      let count = last - next
      let isTimed = count >= WriteThreads.gatheredCountMin
      let start = isTimed ? MonotonicTime.current : MonotonicTime(rawValue: 0)
      while next != last {
        if isEnding.load(ordering: .acquiring) { return false }
        perform(next % WriteThread.slotCount)
        next += 1
        ended.store(next, ordering: .sequentiallyConsistent)
      }
      let now = MonotonicTime.current
      if isTimed, now > start { noteDuration((now.rawValue - start.rawValue) / UInt64(count)) }
      return true
    }

    /// Time in which something else had the CPU counts too: who is told too little wakes up in the
    /// midst of a batch, makes that take longer, and is told more.
    private func noteDuration(_ nanoseconds: UInt64) {
      let sample = UInt32(min(nanoseconds, UInt64(WriteThreads.nanosecondsPerWriteMax)))
      let average = nanosecondsPerWrite.load(ordering: .relaxed)
      nanosecondsPerWrite.store((average * 7 + sample) / 8, ordering: .relaxed)
    }

    private func perform(_ index: Int) {
      let write = unsafe slots[index]
      unsafe slots[index].result = call?(write) ?? write.perform()
    }
  }
}
