public import Reactor
internal import Synchronization

/// The engine of one reactor in a `SimulatedWorld`. `wait` never blocks: it takes what has
/// completed by now and remembers the deadline, which tells the world how far it may advance the
/// clock.
public final class SimulatedEngine: IOEngine {
  public let kind = EngineKind.simulated
  let world: SimulatedWorld

  private let number: Int
  private let flag = WakeFlag()
  private var completed: [Completion] = []
  /// The deadline of the last `wait`.
  private(set) var deadline: MonotonicTime?
  private(set) var isKilled = false
  private var quietWaits = 0
  private var seenOutsideActivity: UInt64 = 0

  init(world: SimulatedWorld, number: Int) {
    self.world = world
    self.number = number
  }

  public var now: MonotonicTime { world.now }
  public var waker: any EngineWaker { flag }

  // MARK: For the world

  /// Whether a turn of the reactor may do anything. The deadline of a `wait` that found nothing is
  /// good only after a second one: handlers that were waiting for the first one's turn to end may
  /// have started timers.
  var isRunnable: Bool {
    if isKilled { return false }
    if !completed.isEmpty || flag.isRaised || quietWaits < 2 { return true }
    if seenOutsideActivity != world.outsideActivity { return true }
    return deadline.map { $0 <= world.now } ?? false
  }

  func finish(_ completion: Completion) {
    guard !isKilled else { return }
    world.record(
      .completion, UInt64(number), completion.id.rawValue,
      UInt64(bitPattern: Int64(completion.result.rawValue)))
    completed.append(completion)
  }

  func kill() {
    isKilled = true
    completed.removeAll()
  }

  // MARK: Turn

  public func wait(until deadline: MonotonicTime?, completions: inout [Completion]) {
    precondition(!isKilled, "a killed process does not turn")
    let isDue = deadline.map { $0 <= world.now } ?? false
    let isQuiet = !flag.lower() && completed.isEmpty && !isDue
    if seenOutsideActivity != world.outsideActivity { quietWaits = 0 }
    quietWaits = isQuiet ? quietWaits + 1 : 0
    seenOutsideActivity = world.outsideActivity
    self.deadline = deadline
    if !isQuiet { world.record(.turn, UInt64(number), UInt64(completed.count)) }
    completions.append(contentsOf: completed)
    completed.removeAll(keepingCapacity: true)
  }

  // MARK: Network

  public func accept(on listener: SocketHandle, id: OperationID) {
    world.network.listener(listener).accept(for: self, id)
  }

  public func prepare(_ socket: SocketHandle) -> ConnectionEnds? {
    guard let local = SocketAddress(world.localAddress(of: socket)),
      let peer = SocketAddress(world.peerAddress(of: socket))
    else { return nil }
    return ConnectionEnds(local: local, peer: peer)
  }

  public func detach(_ socket: SocketHandle) {}

  public func receive(on socket: SocketHandle, into list: ScatterGatherList, id: OperationID) {
    world.network.connection(socket).receive(SocketTransfer(engine: self, id: id, list: list))
  }

  public func send(on socket: SocketHandle, from list: ScatterGatherList, id: OperationID) {
    world.network.connection(socket).send(SocketTransfer(engine: self, id: id, list: list))
  }

  public func shutDown(_ socket: SocketHandle) { world.network.shutDown(socket) }

  public func transmission(of socket: SocketHandle) -> TransmissionState? {
    world.network.connection(socket).toPeer.transmission
  }

  public func close(_ socket: SocketHandle) { world.network.close(socket) }

  // MARK: Storage

  public func read(
    _ file: FileHandle, into slice: BufferSlice, at offset: UInt64, id: OperationID
  ) {
    start(.read, file, slice, offset, UInt64(slice.count), id: id)
  }

  public func write(
    _ file: FileHandle, from slice: BufferSlice, at offset: UInt64, isDurable: Bool,
    id: OperationID
  ) {
    start(.write, file, slice, offset, UInt64(slice.count), isDurable: isDurable, id: id)
  }

  public func synchronize(_ file: FileHandle, id: OperationID) {
    start(.synchronize, file, nil, 0, 0, id: id)
  }

  public func allocate(
    _ file: FileHandle, _ mode: AllocationMode, at offset: UInt64, count: UInt64, id: OperationID
  ) {
    let kind = mode == .punchHole ? DiskOperationKind.punchHole : .zeroRange
    start(kind, file, nil, offset, count, id: id)
  }

  private func start(
    _ kind: DiskOperationKind, _ file: FileHandle, _ slice: BufferSlice?, _ offset: UInt64,
    _ count: UInt64, isDurable: Bool = false, id: OperationID
  ) {
    world.disk(of: file).start(
      DiskOperation(
        kind: kind, engine: self, id: id, slice: slice, offset: offset, count: count,
        isDurable: isDurable))
  }
}

/// What a mailbox raises when a job arrives. Atomic because a waker may be called on any thread.
private final class WakeFlag: EngineWaker {
  private let raised = Atomic(false)

  func wake() { raised.store(true, ordering: .releasing) }

  var isRaised: Bool { raised.load(ordering: .acquiring) }

  /// Answers whether it was raised.
  func lower() -> Bool { raised.exchange(false, ordering: .acquiringAndReleasing) }
}
