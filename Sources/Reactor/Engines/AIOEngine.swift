internal import CLinux
internal import Glibc

/// Sockets by epoll, O_DIRECT files by the kernel's asynchronous I/O, buffered writes on a thread
/// for each device, and everything else that may block on a few more: for machines and containers
/// where io_uring is forbidden.
///
/// A socket has at most one accept or receive and one send in flight at a time.
@safe
public final class AIOEngine: IOEngine {
  public let kind = EngineKind.aio
  public var now: MonotonicTime { .current }
  public var waker: any EngineWaker { eventWaker }

  private let eventWaker: EventWaker
  private let poller: Poller
  private let direct: DirectQueue
  private let pool: BlockingPool
  private var sockets: [SocketHandle: SocketState] = [:]
  /// What has ended since the last `wait`.
  private var ready: [Completion] = []
  private let writers: WriteThreads

  public convenience init() throws(EngineError) { try self.init(writingWith: nil) }

  /// `call` stands in for pwrite(2) on buffered files.
  init(writingWith call: WriteThread.Call?) throws(EngineError) {
    eventWaker = try EventWaker()
    writers = WriteThreads(waker: eventWaker, call: call)
    poller = try Poller()
    pool = try BlockingPool(waker: eventWaker)
    direct = try DirectQueue(pool: pool)
    try poller.watch(eventWaker.descriptor, as: .waker)
    try poller.watch(direct.descriptor, as: .direct)
  }

  // MARK: Network

  /// What a socket is waiting for readiness with. An object, because changing a value inside a
  /// dictionary allocates.
  private final class SocketState {
    enum Input {
      case accept(OperationID)
      case receive(ScatterGatherList, OperationID)

      var id: OperationID {
        switch self {
        case .accept(let id), .receive(_, let id): id
        }
      }
    }
    var input: Input?
    var output: (list: ScatterGatherList, id: OperationID)?
  }

  public func accept(on listener: SocketHandle, id: OperationID) {
    // accept4 has no MSG_DONTWAIT; the peer may give up between the event and the call.
    _ = clinux_set_nonblocking(listener.rawValue, 1)
    begin(.accept(id), on: listener)
  }

  public func prepare(_ socket: SocketHandle) -> ConnectionEnds? {
    ConnectionEnds(preparing: socket)
  }

  public func detach(_ socket: SocketHandle) {
    if sockets.removeValue(forKey: socket) != nil { poller.forget(socket) }
  }

  public func receive(on socket: SocketHandle, into list: ScatterGatherList, id: OperationID) {
    begin(.receive(list, id), on: socket)
  }

  private func begin(_ input: SocketState.Input, on socket: SocketHandle) {
    if attempt(input, on: socket) { return }
    do throws(SystemError) {
      let state = try watched(socket)
      precondition(state.input == nil, "a socket has one receive or accept in flight at a time")
      state.input = input
    } catch {
      fail(input.id, error)
    }
  }

  public func send(on socket: SocketHandle, from list: ScatterGatherList, id: OperationID) {
    if attemptSend(list, id, on: socket) { return }
    do throws(SystemError) {
      let state = try watched(socket)
      precondition(state.output == nil, "a socket has one send in flight at a time")
      state.output = (list, id)
    } catch {
      fail(id, error)
    }
  }

  public func shutDown(_ socket: SocketHandle) {
    _ = shutdown(socket.rawValue, Int32(SHUT_RDWR))
    socketIsReady(socket)
  }

  public func transmission(of socket: SocketHandle) -> TransmissionState? {
    TransmissionState(of: socket)
  }

  public func close(_ socket: SocketHandle) {
    sockets[socket] = nil
    _ = Glibc.close(socket.rawValue)
  }

  /// Watches for edges from the first time that the socket is not ready until it is closed. Nothing
  /// that comes between the attempt and this is missed: epoll reports at once what is there
  /// already.
  private func watched(_ socket: SocketHandle) throws(SystemError) -> SocketState {
    if let state = sockets[socket] { return state }
    let status = poller.watch(socket)
    guard status == 0 else { throw SystemError(rawValue: status) }
    let state = SocketState()
    sockets[socket] = state
    return state
  }

  /// False: not ready, nothing has happened.
  private func attempt(_ input: SocketState.Input, on socket: SocketHandle) -> Bool {
    let result: OperationResult
    let id: OperationID
    switch input {
    case .accept(let accept):
      id = accept
      result = kernelResult { Int(clinux_accept(socket.rawValue)) }
    case .receive(let list, let receive):
      id = receive
      result = kernelResult {
        unsafe recvmsg(socket.rawValue, list.unsafeMessageHeader, Int32(MSG_DONTWAIT))
      }
    }
    return finish(id, result)
  }

  private func attemptSend(
    _ list: ScatterGatherList, _ id: OperationID, on socket: SocketHandle
  ) -> Bool {
    finish(id, socket.sendWithoutWaiting(list))
  }

  private func finish(_ id: OperationID, _ result: OperationResult) -> Bool {
    if result.error == .tryAgain { return false }
    ready.append(Completion(id: id, result: result))
    return true
  }

  /// Tries again what waits for the socket. Also right for an event that is late or of no use.
  private func socketIsReady(_ socket: SocketHandle) {
    guard let state = sockets[socket] else { return }
    if let input = state.input, attempt(input, on: socket) { state.input = nil }
    if let output = state.output, attemptSend(output.list, output.id, on: socket) {
      state.output = nil
    }
  }

  // MARK: Storage

  public func read(
    _ file: FileHandle, into slice: BufferSlice, at offset: UInt64, id: OperationID
  ) {
    guard let position = kernelOffset(offset, count: UInt64(slice.count)) else { return refuse(id) }
    guard file.isBuffered else {
      direct.start(
        DirectQueue.Request(
          file: file, slice: slice, offset: position, isWrite: false, isDurable: false, id: id))
      return
    }
    if readFromCache(file, into: slice, at: position, id: id) { return }
    pool.start(.read(slice, offset: position), on: file, id: id)
  }

  /// Succeeds when all of it is in the page cache; anything else is for a thread.
  private func readFromCache(
    _ file: FileHandle, into slice: BufferSlice, at position: Int, id: OperationID
  ) -> Bool {
    let count = unsafe clinux_read(
      file.rawValue, slice.unsafeAddress, slice.count, Int64(position), RWF_NOWAIT)
    guard count == slice.count else { return false }
    ready.append(Completion(id: id, result: OperationResult(rawValue: Int32(clamping: count))))
    return true
  }

  public func write(
    _ file: FileHandle, from slice: BufferSlice, at offset: UInt64, isDurable: Bool,
    id: OperationID
  ) {
    guard let position = kernelOffset(offset, count: UInt64(slice.count)) else { return refuse(id) }
    guard file.isBuffered else {
      direct.start(
        DirectQueue.Request(
          file: file, slice: slice, offset: position, isWrite: true, isDurable: isDurable, id: id))
      return
    }
    if !isDurable, writers.start(file, from: slice, at: position, id: id) { return }
    pool.start(.write(slice, offset: position, isDurable: isDurable), on: file, id: id)
  }

  public func synchronize(_ file: FileHandle, id: OperationID) {
    pool.start(.synchronize, on: file, id: id)
  }

  public func allocate(
    _ file: FileHandle, _ mode: AllocationMode, at offset: UInt64, count: UInt64, id: OperationID
  ) {
    guard let position = kernelOffset(offset, count: count) else { return refuse(id) }
    pool.start(.allocate(mode, offset: position, count: Int(count)), on: file, id: id)
  }

  private func refuse(_ id: OperationID) { fail(id, .invalidArgument) }

  private func fail(_ id: OperationID, _ error: SystemError) {
    ready.append(Completion(id: id, result: .failure(error)))
  }

  // MARK: Turn

  public func wait(until deadline: MonotonicTime?, completions: inout [Completion]) {
    writers.publish()
    let accepted = direct.submit(completions: &ready)
    poller.wait(until: waitLimit(deadline, isShort: !accepted)) { event in
      switch event {
      case .waker:
        eventWaker.acknowledge()
        pool.takeResults(into: &ready)
      case .direct: direct.takeResults(into: &ready)
      case .socket(let socket): socketIsReady(socket)
      }
    }
    eventWaker.stayAwake()
    takeEnded(into: &completions)
  }

  public func takeEnded(into completions: inout [Completion]) {
    writers.takeResults(into: &completions)
    writers.publish()
    completions.append(contentsOf: ready)
    ready.removeAll(keepingCapacity: true)
  }

  /// Does not sleep on what has ended already, nor long on what the kernel could not take yet.
  private func waitLimit(_ deadline: MonotonicTime?, isShort: Bool) -> MonotonicTime? {
    if !ready.isEmpty || direct.hasBatch && !isShort || !writers.allowSleep() {
      return MonotonicTime(rawValue: 0)
    }
    guard isShort else { return deadline }
    let retry = now + Milliseconds(1)
    return min(deadline ?? retry, retry)
  }
}
