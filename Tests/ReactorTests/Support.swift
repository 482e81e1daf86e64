import CLinux
import CTestSupport
import Glibc
import Testing

@testable import Reactor

/// The engines that talk to a real kernel; each test runs on both.
enum RealEngine: String, CaseIterable, CustomTestStringConvertible {
  case uring, aio

  var testDescription: String { rawValue }

  func make() throws -> any IOEngine {
    try EngineSelection.make(self == .uring ? .uring : .aio)
  }

  func reactor(
    memoryBudgetBytes: Int = 64 << 20, writingWith call: WriteThread.Call? = nil
  ) throws -> Reactor {
    let engine: any IOEngine =
      switch (self, call) {
      case (_, nil): try make()
      case (.uring, let call): try UringEngine(writingWith: call)
      case (.aio, let call): try AIOEngine(writingWith: call)
      }
    return Reactor(index: 0, engine: engine, memoryBudgetBytes: memoryBudgetBytes)
  }
}

/// Collects the completions of the operations it is given to, and keeps what they borrow alive
/// until then, as every handler must.
final class Recorder: OperationHandler {
  private let lent: [AnyObject]
  private(set) var results: [UInt32: OperationResult] = [:]

  init(lending lent: AnyObject...) { self.lent = lent }

  func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    #expect(results[context] == nil, "completed twice")
    results[context] = result
  }
}

struct TimedOut: Error {}

extension Reactor {
  /// Turns until `condition` holds, for a minute at most; sleeps for `nap` at most.
  func turn(napping nap: Milliseconds = .seconds(1), until condition: () -> Bool) throws {
    let bell = Bell()
    let deadline = engine.now + .seconds(60)
    while !condition() {
      guard engine.now < deadline else { throw TimedOut() }
      let timer = startTimer(after: nap, for: bell)
      turn()
      cancelTimer(timer)
    }
  }

  /// Starts one operation and waits for its result.
  func result(
    lending list: ScatterGatherList? = nil, _ start: (Recorder) -> Void
  ) throws -> OperationResult {
    let recorder = list.map { Recorder(lending: $0) } ?? Recorder()
    start(recorder)
    try turn { !recorder.results.isEmpty }
    return try #require(recorder.results.values.first)
  }
}

final class Bell: TimerHandler {
  private(set) var fired: [TimerID] = []
  func timerFired(_ timer: TimerID) { fired.append(timer) }
}

/// A connected pair of TCP sockets on the loopback interface; the client's end is the test's own.
struct Connection {
  let server: SocketHandle
  let client: Int32

  init(_ reactor: Reactor) throws {
    let any = try #require(SocketAddress("127.0.0.1:0"))
    let listener = try ListeningSocket.open(address: any, backlog: 8)
    defer { reactor.engine.close(listener) }
    client = try Connection.connect(to: try #require(SocketAddress(of: listener)))
    let accepted = try reactor.result { reactor.accept(on: listener, for: $0) }
    server = SocketHandle(rawValue: Int32(try #require(accepted.value)))
  }

  static func connect(to address: SocketAddress) throws -> Int32 {
    let client = clinux_tcp_socket(address.ip.isIPv6 ? 1 : 0)
    let status = address.withStorage { clinux_connect(client, $0, $1) }
    try #require(status == 0)
    return client
  }

  func close(_ reactor: Reactor) {
    reactor.engine.close(server)
    _ = Glibc.close(client)
  }
}

/// A file that is gone when the test ends.
final class TemporaryFile {
  let path: String
  let handle: FileHandle

  init(isBuffered: Bool, count: Int, device: UInt64 = 1) throws {
    let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
    var template = Array("\(directory)/reactor-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    try #require(ftruncate(descriptor, count) == 0)
    close(descriptor)
    let flags = O_RDWR | (isBuffered ? 0 : O_DIRECT)
    handle = FileHandle(
      rawValue: clinux_open(path, flags, 0), isBuffered: isBuffered,
      device: DeviceNumber(rawValue: device))
    try #require(handle.rawValue >= 0, "TMPDIR must be on a file system with O_DIRECT")
  }

  deinit {
    close(handle.rawValue)
    unlink(path)
  }
}

/// A pipe that is full: a write to it hangs as one to a disk may, until it is emptied.
final class HangingFile {
  let handle: FileHandle
  private let reader: Int32

  init(isBuffered: Bool = true, device: UInt64) throws {
    var ends: [Int32] = [0, 0]
    try #require(pipe(&ends) == 0)
    reader = ends[0]
    handle = FileHandle(
      rawValue: ends[1], isBuffered: isBuffered, device: DeviceNumber(rawValue: device))
    _ = clinux_set_nonblocking(handle.rawValue, 1)
    let page = [UInt8](repeating: 0, count: 4096)
    while write(handle.rawValue, page, page.count) > 0 {}
    _ = clinux_set_nonblocking(handle.rawValue, 0)
  }

  deinit {
    close(handle.rawValue)
    close(reader)
  }

  func end() {
    var page = [UInt8](repeating: 0, count: 4096)
    _ = clinux_set_nonblocking(reader, 1)
    while read(reader, &page, page.count) > 0 {}
  }
}

func list(_ slices: BufferSlice...) -> ScatterGatherList {
  let list = ScatterGatherList(capacity: max(slices.count, 1))
  for slice in slices { list.append(slice) }
  return list
}
