/// The threads that perform a reactor's buffered writes, one for each device that it writes to: a
/// device that hangs stops its own thread, and with it neither the reactor nor another device.
///
/// The reactor publishes a turn's writes together and looks for results whenever it is awake, so a
/// thread is woken once for a batch, and wakes the reactor once, if that sleeps.
final class WriteThreads {
  /// More devices than this have their writes queued otherwise.
  static let countMax = 32

  /// A copy of 4 KiB into the page cache, with what the system call costs, on a slow machine.
  /// Longer ones are not waited for to the end.
  static let nanosecondsPerWriteMax: UInt32 = 5000
  /// For the change to the thread and back, which it does not see.
  static let switchNanoseconds: UInt32 = 3000
  static let gatheredCountMin = 8
  /// Bounds the wait, and so what it adds to others' latency, to 0.16 ms.
  static let gatheredCountMax = 32

  private let waker: EventWaker
  private let call: WriteThread.Call?
  private var threads: ContiguousArray<WriteThread> = []
  /// Writes begun whose results have not been taken.
  private var outstandingCount = 0

  init(waker: EventWaker, call: WriteThread.Call?) {
    self.waker = waker
    self.call = call
  }

  /// False: there is no thread to be had, and the write has not begun.
  func start(
    _ file: FileHandle, from slice: BufferSlice, at position: Int, id: OperationID
  ) -> Bool {
    guard let thread = thread(for: file.device) else { return false }
    thread.start(file, from: slice, at: position, id: id)
    outstandingCount += 1
    return true
  }

  private func thread(for device: DeviceNumber) -> WriteThread? {
    for thread in threads where thread.device == device { return thread }
    guard threads.count < WriteThreads.countMax,
      let thread = try? WriteThread(device: device, waker: waker, call: call)
    else { return nil }
    threads.append(thread)
    return thread
  }

  /// Shows the threads what has been started since.
  func publish() {
    guard outstandingCount > 0 else { return }
    for thread in threads { thread.publish() }
  }

  /// How long the writes that were shown may take: the time in which the reactor lets them gather,
  /// and with them what comes from the network. 0 when they are too few to wait for.
  var gatheringNanoseconds: UInt32 {
    guard outstandingCount >= WriteThreads.gatheredCountMin else { return 0 }
    var count = 0
    var nanoseconds = WriteThreads.switchNanoseconds
    for thread in threads {
      let expected = thread.expectedCount
      count += expected
      // At most 32 threads of 256 writes of 5 µs: 41 ms.
      nanoseconds += UInt32(expected) * thread.nanosecondsPerWrite
    }
    guard count >= WriteThreads.gatheredCountMin else { return 0 }
    let limit =
      UInt32(min(count, WriteThreads.gatheredCountMax)) * WriteThreads.nanosecondsPerWriteMax
    return min(nanoseconds, limit)
  }

  /// That time has passed. False: there are no results to take.
  func gathered() -> Bool {
    guard outstandingCount > 0 else { return false }
    for thread in threads { thread.gathered() }
    return threads.contains { $0.hasResults }
  }

  func takeResults(into completions: inout [Completion]) {
    guard outstandingCount > 0 else { return }
    for thread in threads { outstandingCount -= thread.takeResults(into: &completions) }
  }

  /// Announces that the reactor is about to sleep. False: it must not, there are results to take.
  func allowSleep() -> Bool {
    guard outstandingCount > 0 else { return true }
    waker.fallAsleep()
    return !threads.contains { $0.hasResults }
  }
}
