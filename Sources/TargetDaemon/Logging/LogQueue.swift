internal import CLinux
internal import Glibc
internal import Logging
internal import Reactor
internal import class Reactor.Semaphore
internal import Synchronization

/// Lines on their way to a descriptor, which one thread writes in the order they came, each with
/// its own write(2). Whoever logs never waits for the reader: a journal that is stuck would stop
/// every reactor at its next line.
///
/// Over its bounds lines are dropped and counted; the count stands in the log where they are
/// missing. What a process that dies has not written yet is lost with it.
final class LogQueue: Sendable {
  /// Lines waiting, and those of them that the thread has taken but not written yet.
  static let linesMax = 1024
  static let bytesMax = 1 << 20
  /// How long the end of the process waits for the reader.
  static let flushBound = Milliseconds.seconds(1)

  private enum Entry: Sendable {
    case line([UInt8])
    /// Everything before is written.
    case flushed(Semaphore)
  }

  private struct State {
    var waiting: [Entry] = []
    var unwrittenLines = 0
    var unwrittenBytes = 0
    var droppedLines = 0

    /// Once lines are missing, half of the queue has to be free again: one gap, not one for every
    /// line that the reader takes.
    func hasRoom(for count: Int) -> Bool {
      let share = droppedLines == 0 ? 1 : 2
      return unwrittenLines < linesMax / share && unwrittenBytes + count <= bytesMax / share
    }

    mutating func append(_ line: [UInt8]) {
      waiting.append(.line(line))
      unwrittenLines += 1
      unwrittenBytes += line.count
    }
  }

  private let descriptor: Int32
  private let style: LineLogHandler.Style
  private let state = Mutex(State())
  private let arrived = Semaphore()

  private init(_ descriptor: Int32, _ style: LineLogHandler.Style) {
    self.descriptor = descriptor
    self.style = style
  }

  /// Starts the thread, which lives as long as the process.
  static func start(
    _ descriptor: Int32, _ style: LineLogHandler.Style
  ) throws(DaemonError) -> LogQueue {
    let queue = LogQueue(descriptor, style)
    try PlatformThread.startDetached(name: "log") {
      while true { queue.writeWaiting() }
    }
    return queue
  }

  /// Hands a line over, without sleeping.
  func append(_ line: String) {
    let bytes = Array(line.utf8)
    let isAccepted = state.withLock { state in
      guard state.hasRoom(for: bytes.count) else {
        state.droppedLines += 1
        return false
      }
      noteDropped(&state)
      state.append(bytes)
      return true
    }
    if isAccepted { arrived.signal() }
  }

  /// Waits until every line so far is written. False: it is not, by `deadline`.
  func flush(by deadline: MonotonicTime) -> Bool {
    let flushed = Semaphore()
    state.withLock { state in
      noteDropped(&state)
      state.waiting.append(.flushed(flushed))
    }
    arrived.signal()
    return flushed.wait(until: deadline)
  }

  private func noteDropped(_ state: inout State) {
    guard state.droppedLines > 0 else { return }
    let subject = state.droppedLines == 1 ? "1 line was" : "\(state.droppedLines) lines were"
    let message = "\(subject) dropped: the log was not read as fast as it was written"
    state.droppedLines = 0
    state.append(Array(LineLogHandler.line(style, .warning, message, [:]).utf8))
  }

  // MARK: The thread

  private func writeWaiting() {
    arrived.wait()
    for entry in takeWaiting() {
      switch entry {
      case .line(let bytes):
        write(bytes)
        state.withLock { state in
          state.unwrittenLines -= 1
          state.unwrittenBytes -= bytes.count
        }
      case .flushed(let semaphore): semaphore.signal()
      }
    }
    // Nobody may log any more, and the gap would stay untold.
    let isNoted = state.withLock { state in
      guard state.droppedLines > 0, state.hasRoom(for: 0) else { return false }
      noteDropped(&state)
      return true
    }
    if isNoted { arrived.signal() }
  }

  private func takeWaiting() -> [Entry] {
    state.withLock { state in
      let entries = state.waiting
      state.waiting = []
      return entries
    }
  }

  /// A log that cannot be written to is nobody's reason to stop.
  private func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else {
        switch clinux_errno() {
        case EINTR: continue
        case EAGAIN: waitForRoom()
        default: return
        }
      }
    }
  }

  /// Whoever shares the descriptor may have made it one that does not block.
  private func waitForRoom() {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    unsafe _ = poll(&wanted, 1, -1)
  }
}
