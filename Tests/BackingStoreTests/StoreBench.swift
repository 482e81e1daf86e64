import BackingStore
import CLinux
import Glibc
import Reactor
import Synchronization
import Testing

/// A reactor on a plain engine with one client, whose requests run to their end one by one.
final class StoreBench: StoreClient {
  let engine = PlainEngine()
  let reactor: Reactor
  private var endings: [StoreFailure?] = []

  init() {
    reactor = Reactor(index: 0, engine: engine, memoryBudgetBytes: 64 << 20)
  }

  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
    endings.append(failure)
  }

  /// Runs one request; nil when all of it was done.
  func run(
    _ store: any Store, sourceLocation: SourceLocation = #_sourceLocation,
    _ prepare: (StoreRequest) -> Void
  ) throws -> StoreFailure? {
    let request = StoreRequest(client: self)
    prepare(request)
    endings = []
    store.start(request, on: reactor)
    #expect(endings.isEmpty, "ended before start returned", sourceLocation: sourceLocation)
    for _ in 0..<1000 where request.isInFlight { reactor.turn() }
    #expect(endings.count == 1 && !request.isInFlight, sourceLocation: sourceLocation)
    return try #require(endings.first, sourceLocation: sourceLocation)
  }

  func write(
    _ bytes: [UInt8], at offset: UInt64, to store: any Store, isDurable: Bool = false
  ) throws -> StoreFailure? {
    let buffer = try #require(reactor.buffers.allocate(bytes.count))
    defer { reactor.buffers.release(buffer) }
    buffer.store(bytes, at: 0)
    return try run(store) {
      $0.prepareWrite(from: buffer.slice(0..<bytes.count), at: offset, isDurable: isDurable)
    }
  }

  /// What reading found, over a buffer full of 0xEE.
  func read(
    _ count: Int, at offset: UInt64, of store: any Store
  ) throws -> (bytes: [UInt8], failure: StoreFailure?) {
    let buffer = try #require(reactor.buffers.allocate(count))
    defer { reactor.buffers.release(buffer) }
    buffer.fill(0..<count, with: 0xEE)
    let failure = try run(store) { $0.prepareRead(into: buffer.slice(0..<count), at: offset) }
    return (buffer.bytes(0..<count), failure)
  }

  func synchronize(_ store: any Store) throws -> StoreFailure? {
    try run(store) { $0.prepareSynchronize() }
  }

  func allocate(
    _ operation: StoreRequest.Operation, at offset: UInt64, count: UInt64, of store: any Store
  ) throws -> StoreFailure? {
    try run(store) { $0.prepare(operation, at: offset, count: count) }
  }
}

/// A directory of its own for each test, removed with everything in it.
final class Scratch {
  let path: String

  init(in parent: String = "/var/tmp") throws {
    path = "\(parent)/store-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    try #require(mkdir(path, 0o700) == 0)
  }

  deinit {
    for name in names { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

  var names: [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// A file of `size` bytes that are not there.
  func makeFile(_ name: String, size: Int) throws -> String {
    let path = self(name)
    let descriptor = clinux_open(path, O_RDWR | O_CREAT, 0o600)
    try #require(descriptor >= 0)
    try #require(ftruncate(descriptor, off_t(size)) == 0)
    close(descriptor)
    return path
  }
}

func status(_ path: String) throws -> stat {
  var status = stat()
  try #require(lstat(path, &status) == 0)
  return status
}

/// What `onLatch` was told.
final class LatchLog: Sendable {
  private let log = Mutex<[SystemError]>([])
  var errors: [SystemError] { log.withLock { $0 } }
  var callback: @Sendable (SystemError) -> Void {
    { [self] error in log.withLock { $0.append(error) } }
  }
}

func open(
  _ options: StoreOptions, onLatch: @escaping @Sendable (SystemError) -> Void = { _ in }
) throws -> DescriptorStore {
  try DescriptorStore.open(options, onLatch: onLatch)
}

/// The sentence that opening fails with.
func complaint(_ options: StoreOptions) throws -> String {
  let error = #expect(throws: StoreError.self) { try open(options) }
  return try #require(error).description
}

extension [UInt8] {
  /// Bytes that differ from their neighbours.
  static func pattern(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) &+ seed }
  }
}

extension DescriptorStore {
  /// Whether it gets its lock within half a minute: a child process that another test has just
  /// started may keep what was closed here for a moment.
  var getsLock: Bool {
    get throws {
      for _ in 0..<15_000 {
        if try retryLock() { return true }
        usleep(2000)
      }
      return false
    }
  }
}
