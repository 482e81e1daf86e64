import CLinux
import Reactor

/// An engine of plain system calls: each operation is performed when it is started and completes in
/// the next `wait`. Tests script what the kernel would answer instead.
final class PlainEngine: IOEngine {
  enum Call: Equatable { case read, write, durableWrite, synchronize, punchHole, zeroRange }

  /// What happens instead of the whole operation.
  enum Twist {
    case failure(SystemError)
    /// Only so many bytes are transferred.
    case short(Int)
  }

  private var twists: [(call: Call, twist: Twist)] = []
  private var pending: [Completion] = []
  /// Every operation that was started, in order.
  private(set) var calls: [Call] = []

  /// The next `call` that has no twist yet gets this one.
  func script(_ call: Call, _ twist: Twist) { twists.append((call, twist)) }

  let kind = EngineKind.simulated
  /// Stands still but for tests.
  var now = MonotonicTime(rawValue: 1)
  var waker: any EngineWaker { SilentWaker() }
  private struct SilentWaker: EngineWaker { func wake() {} }

  private func perform(_ call: Call, _ count: Int, _ id: OperationID, _ body: (Int) -> Int) {
    calls.append(call)
    var allowed = count
    if let index = twists.firstIndex(where: { $0.call == call }) {
      switch twists.remove(at: index).twist {
      case .failure(let error):
        return pending.append(Completion(id: id, result: .failure(error)))
      case .short(let few): allowed = few
      }
    }
    let answer = allowed == 0 && count > 0 ? 0 : body(allowed)
    let result = OperationResult(
      rawValue: Int32(answer < 0 ? -Int(SystemError.last.rawValue) : answer))
    pending.append(Completion(id: id, result: result))
  }

  func read(_ file: FileHandle, into slice: BufferSlice, at offset: UInt64, id: OperationID) {
    perform(.read, slice.count, id) { pread(file.rawValue, slice.unsafeAddress, $0, off_t(offset)) }
  }

  func write(
    _ file: FileHandle, from slice: BufferSlice, at offset: UInt64, isDurable: Bool,
    id: OperationID
  ) {
    perform(isDurable ? .durableWrite : .write, slice.count, id) {
      let count = pwrite(file.rawValue, slice.unsafeAddress, $0, off_t(offset))
      return isDurable && count > 0 && fdatasync(file.rawValue) < 0 ? -1 : count
    }
  }

  func synchronize(_ file: FileHandle, id: OperationID) {
    perform(.synchronize, 0, id) { _ in Int(fdatasync(file.rawValue)) }
  }

  func allocate(
    _ file: FileHandle, _ mode: AllocationMode, at offset: UInt64, count: UInt64, id: OperationID
  ) {
    let flag = mode == .punchHole ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE
    perform(mode == .punchHole ? .punchHole : .zeroRange, 0, id) { _ in
      Int(fallocate(file.rawValue, flag | FALLOC_FL_KEEP_SIZE, off_t(offset), off_t(count)))
    }
  }

  func wait(until deadline: MonotonicTime?, completions: inout [Completion]) {
    completions += pending
    pending.removeAll()
  }

  func prepare(_ socket: SocketHandle) -> ConnectionEnds? { nil }
  func detach(_ socket: SocketHandle) {}
  func accept(on listener: SocketHandle, id: OperationID) { fatalError("stores use no network") }
  func receive(on socket: SocketHandle, into list: ScatterGatherList, id: OperationID) {
    fatalError("stores use no network")
  }
  func send(on socket: SocketHandle, from list: ScatterGatherList, id: OperationID) {
    fatalError("stores use no network")
  }
  func shutDown(_ socket: SocketHandle) {}
  func close(_ socket: SocketHandle) {}
}
