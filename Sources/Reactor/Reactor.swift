internal import DequeModule

/// One thread's event loop: an engine, the operations in flight, timers, a buffer pool and a
/// mailbox. It knows neither SCSI nor iSCSI, and never blocks but in the engine's `wait`.
///
/// Created anywhere, then used on one thread only. Not `Sendable`: what crosses threads goes
/// through its `mailbox`.
public final class Reactor {
  /// 0 … number of reactors − 1.
  public let index: Int
  public let buffers: BufferPool
  public let mailbox: Mailbox
  public let engine: any IOEngine
  /// Takes what must reach another reactor although its mailbox is full.
  public private(set) lazy var courier = Courier(reactor: self)

  private var operations = OperationTable()
  private var timers = TimerQueue()
  private var completions: [Completion] = []
  /// Completions that need no kernel, delivered in the turn that made them.
  private var ready: Deque<Completion> = []
  private var turnEndHandlers: ContiguousArray<any TurnEndHandler> = []
  private var isStopping = false
  private var pace = RequestPace()

  /// The clock as of this turn, or of the last operations that ended in it; reading it costs
  /// nothing.
  public private(set) var now: MonotonicTime

  public init(index: Int, engine: any IOEngine, memoryBudgetBytes: Int) {
    self.index = index
    self.engine = engine
    buffers = BufferPool(budgetBytes: memoryBudgetBytes)
    mailbox = Mailbox(waker: engine.waker)
    now = engine.now
    completions.reserveCapacity(1024)
  }

  /// Operations that have not completed yet.
  public var operationsInFlight: Int { operations.count }

  // MARK: Loop

  /// Turns until `stop` is called.
  public func run() {
    while !isStopping { turn() }
  }

  /// Ends `run` after the current turn. On the reactor's thread; others post it.
  public func stop() { isStopping = true }

  /// Waits once and handles what came: completions, jobs, timers, then the handlers that asked for
  /// the turn's end. What they start and what does not end at once is submitted together by the
  /// next turn's `wait`.
  public func turn() {
    let isIdle = ready.isEmpty && turnEndHandlers.isEmpty
    engine.wait(until: isIdle ? timers.nextDeadline() : now, completions: &completions)
    now = engine.now
    deliverCompletions()
    for job in mailbox.take() { job() }
    while let (timer, handler) = timers.popDue(at: now) { handler.timerFired(timer) }
    deliverReady()
    settle()
    engine.gather(for: pace.turnEnded(at: now))
  }

  /// More rounds than a command has steps; what keeps ending at once goes on in the next turn, so
  /// that nobody waits for it.
  private static let roundsPerTurnMax = 8

  /// Delivers what ended at once and ends the turn, until nothing new comes of it.
  private func settle() {
    for _ in 0..<Reactor.roundsPerTurnMax {
      engine.takeEnded(into: &completions)
      // Once for all that ended meanwhile (20 ns), or what a turn begins and ends would take no
      // time.
      if !completions.isEmpty { now = engine.now }
      deliverCompletions()
      guard !turnEndHandlers.isEmpty else { return }
      endTurn()
    }
  }

  private func deliverCompletions() {
    for completion in completions { deliver(completion) }
    completions.removeAll(keepingCapacity: true)
    deliverReady()
  }

  private func deliver(_ completion: Completion) {
    let (handler, context) = operations.remove(completion.id)
    handler.operationCompleted(context, completion.result)
  }

  /// Bounded per turn, so that work which makes more work cannot keep the sockets waiting.
  private func deliverReady() {
    var budget = 4096
    while budget > 0, let completion = ready.popFirst() {
      deliver(completion)
      budget -= 1
    }
  }

  private func endTurn() {
    var index = 0
    while index < turnEndHandlers.count {
      turnEndHandlers[index].turnEnded()
      index += 1
    }
    turnEndHandlers.removeAll(keepingCapacity: true)
  }

  /// Calls `handler` once when this turn's events are handled: the moment to send the turn's
  /// answers together.
  public func callAtTurnEnd(_ handler: any TurnEndHandler) { turnEndHandlers.append(handler) }

  // MARK: Pace

  /// Notes a request from an initiator that has `outstanding` on their way, this one included: not
  /// answered yet, or answered and the answer not seen. The reactor turns more or less often by it.
  public func requestArrived(outstanding: Int) { pace.requestArrived(outstanding: outstanding) }

  // MARK: Operations

  public func accept(
    on listener: SocketHandle, for handler: any OperationHandler, context: UInt32 = 0
  ) {
    engine.accept(on: listener, id: operations.insert(handler, context: context))
  }

  public func receive(
    on socket: SocketHandle, into list: ScatterGatherList, for handler: any OperationHandler,
    context: UInt32 = 0
  ) {
    engine.receive(on: socket, into: list, id: operations.insert(handler, context: context))
  }

  public func send(
    on socket: SocketHandle, from list: ScatterGatherList, for handler: any OperationHandler,
    context: UInt32 = 0
  ) {
    engine.send(on: socket, from: list, id: operations.insert(handler, context: context))
  }

  public func read(
    _ file: FileHandle, into slice: BufferSlice, at offset: UInt64,
    for handler: any OperationHandler, context: UInt32 = 0
  ) {
    engine.read(file, into: slice, at: offset, id: operations.insert(handler, context: context))
  }

  public func write(
    _ file: FileHandle, from slice: BufferSlice, at offset: UInt64, isDurable: Bool,
    for handler: any OperationHandler, context: UInt32 = 0
  ) {
    let id = operations.insert(handler, context: context)
    engine.write(file, from: slice, at: offset, isDurable: isDurable, id: id)
  }

  public func synchronize(
    _ file: FileHandle, for handler: any OperationHandler, context: UInt32 = 0
  ) {
    engine.synchronize(file, id: operations.insert(handler, context: context))
  }

  public func allocate(
    _ file: FileHandle, _ mode: AllocationMode, at offset: UInt64, count: UInt64,
    for handler: any OperationHandler, context: UInt32 = 0
  ) {
    let id = operations.insert(handler, context: context)
    engine.allocate(file, mode, at: offset, count: count, id: id)
  }

  /// Completes an operation that needed no kernel (a memory store's), after the current event.
  public func complete(
    _ result: OperationResult, for handler: any OperationHandler, context: UInt32 = 0
  ) {
    ready.append(Completion(id: operations.insert(handler, context: context), result: result))
  }

  // MARK: Timers

  public func startTimer(after delay: Milliseconds, for handler: any TimerHandler) -> TimerID {
    timers.add(handler, at: now + delay)
  }

  public func cancelTimer(_ timer: TimerID) { timers.cancel(timer) }
}

/// Wants to be called once after all events of a turn.
public protocol TurnEndHandler: AnyObject {
  func turnEnded()
}
