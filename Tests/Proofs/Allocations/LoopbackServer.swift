import BackingStore
import Glibc
import ISCSITarget
import Logging
import Reactor
import SCSITarget
import Synchronization

/// The whole target on one real reactor with a thread of its own: a portal on the loopback
/// interface, a disk in a file that the page cache holds.
final class LoopbackServer {
  static let targetName = "iqn.2026-11.com.example:allocations"
  static let diskBytes = 8 << 20

  let port: UInt16
  private let thread: PlatformThread
  private let born: Born
  private let path: String

  /// What the thread made, and that it has.
  private final class Born: Sendable {
    let reactor = Mutex<ReactorBound<Reactor>?>(nil)
    let signal = Signal()
  }

  init(engine kind: EngineKind) throws {
    path = try LoopbackServer.makeFile()
    let store = try DescriptorStore.open(StoreOptions(path: path), onLatch: { _ in })
    let any = try require(SocketAddress("127.0.0.1:0"))
    let socket = try ListeningSocket.open(address: any, backlog: 8)
    let address = try require(SocketAddress(of: socket))
    port = address.port
    let portal = PortalDefinition(address: address, groupTag: 1)
    let born = Born()
    self.born = born
    thread = try PlatformThread(name: "allocations") {
      let reactor = LoopbackServer.makeReactor(kind, store, portal, socket)
      born.reactor.withLock { $0 = ReactorBound(reactor, on: reactor) }
      born.signal.raise()
      reactor.run()
    }
    born.signal.wait()
  }

  private static func makeFile() throws -> String {
    var template = Array("/tmp/allocations-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try require(descriptor >= 0)
    defer { close(descriptor) }
    let zeros = [UInt8](repeating: 0, count: diskBytes)
    try require(write(descriptor, zeros, diskBytes) == diskBytes)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func makeReactor(
    _ kind: EngineKind, _ store: DescriptorStore, _ portal: PortalDefinition,
    _ socket: SocketHandle
  ) -> Reactor {
    guard let engine = try? EngineSelection.make(kind) else {
      preconditionFailure("this machine has both engines")
    }
    let reactor = Reactor(index: 0, engine: engine, memoryBudgetBytes: 64 << 20)
    let target = TargetDefinition(
      name: targetName, portalGroupTags: [1], units: [UnitPresentation(lun: 0, unit: "disk")],
      admitsAnyInitiator: true)
    var logger = Logger(label: "allocations") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    let worker = Worker(
      reactor: reactor,
      context: ServerContext(
        reactorCount: 1,
        limits: ServerLimits(
          sessionsMax: 16, connectionsMax: 16, halfOpenConnectionsMax: 16,
          loginTimeout: .seconds(15)), logger: logger),
      directory: TargetDirectory(targets: [target], portals: [portal]))
    worker.connect(to: [ReactorBound(worker, on: reactor)])
    worker.add(
      LogicalUnit(
        identity: LogicalUnitIdentity(
          name: "disk", naa: [0x60] + [UInt8](repeating: 1, count: 15), serial: "1",
          vendor: "SWIFTTGT", product: "VIRTUAL-DISK", revision: "1"),
        store: store, startsWithWriteCache: true, homeReactorIndex: 0))
    // Its accept in flight keeps it alive.
    PortalListener(portal: portal, socket: socket, worker: worker).start()
    return reactor
  }

  /// Runs `body` on the reactor's thread and waits for what it returns.
  @discardableResult
  func onReactor<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
    let done = Signal()
    let outcome = Outcome<Result>()
    born.reactor.withLock { $0 }?.post { _ in
      let result = body()
      outcome.value.withLock { $0 = result }
      done.raise()
    }
    done.wait()
    guard let result = outcome.value.withLock({ $0 }) else {
      preconditionFailure("the reactor runs what is posted to it")
    }
    return result
  }

  private final class Outcome<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
  }

  /// Lets the reactor do nothing for so long, and waits for nothing.
  func holdReactor(milliseconds: UInt32) {
    born.reactor.withLock { $0 }?.post { _ in usleep(milliseconds * 1_000) }
  }

  func stop() {
    born.reactor.withLock { $0 }?.post { $0.stop() }
    thread.join()
    unlink(path)
  }
}

/// One thread tells another that something has happened.
final class Signal: @unchecked Sendable {
  private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  init() { sem_init(semaphore, 0, 0) }

  deinit {
    sem_destroy(semaphore)
    semaphore.deallocate()
  }

  func raise() { sem_post(semaphore) }

  func wait() {
    while sem_wait(semaphore) != 0 {}
  }
}
