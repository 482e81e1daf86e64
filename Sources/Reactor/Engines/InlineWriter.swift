internal import CLinux
internal import Glibc

/// Performs the writes that their file allows and its gate admits.
struct InlineWriter {
  private var gate = InlineWriteGate()
  /// The thread's voluntary context switches before the turn's first write.
  private var sleepsBefore = 0

  mutating func turnBegan() { gate.turnBegan() }

  /// Performs the write if it may be done here; nil if it must be queued.
  mutating func write(
    _ file: FileHandle, from slice: BufferSlice, at position: Int
  ) -> OperationResult? {
    guard file.mayWriteInline else { return nil }
    let start = MonotonicTime.current
    guard gate.admits(slice.count, at: start) else { return nil }
    if gate.writesThisTurn == 0 { sleepsBefore = clinux_thread_sleeps() }
    let result = kernelResult {
      unsafe pwrite(file.rawValue, slice.unsafeAddress, slice.count, position)
    }
    let before = sleepsBefore
    gate.finished(slice.count, from: start, to: .current) { clinux_thread_sleeps() != before }
    return result
  }
}
