import BackingStore
import Reactor
import SCSIModel

@testable import SCSITarget

/// A disk in memory, used by reactors that one thread turns. What an operation does, it does when
/// it completes, so that one which is held back can be seen to land late.
final class TestStore: Store, @unchecked Sendable {
  struct Entry: Equatable {
    var operation: StoreRequest.Operation
    var offset: UInt64
    var count: UInt64
    var isDurable: Bool
  }

  let geometry: StoreGeometry
  var capabilities: StoreCapabilities
  var readiness = StoreReadiness.ready
  var image: [UInt8]

  /// Operations started, in order.
  var log: [Entry] = []
  /// Whether something has changed that no synchronization has covered.
  var isDirty = false
  /// What the n-th operation from now, counted from 1, fails with.
  var faults: [Int: StoreFailure] = [:]
  /// How many bytes an operation that fails has done before.
  var doneBeforeFault = 0
  /// Punching and zeroing turn out not to work, whatever `capabilities` say.
  var refusesAllocation = false
  /// What a search for extents finds.
  var extents: [StoreExtent] = []
  var isHolding = false
  private var held: [(request: StoreRequest, number: Int)] = []
  /// Hears of every operation when it starts.
  var onStart: ((StoreRequest) -> Void)?

  init(
    blockBytes: UInt32, blocks: Int,
    capabilities: StoreCapabilities = StoreCapabilities(
      canPunchHoles: true, canZeroRanges: true, atomicWriteBytesMax: 1 << 20)
  ) {
    geometry = StoreGeometry(
      capacityBytes: UInt64(blocks) * UInt64(blockBytes), logicalBlockBytes: blockBytes,
      physicalBlockBytes: 4096)
    self.capabilities = capabilities
    // No block is like its neighbours, none is zero, none holds A5h.
    let pattern = (0..<112 * 16).map { UInt8(truncatingIfNeeded: $0 / 7 & 0x0F | 0x10) }
    image = [UInt8](repeating: 0, count: blocks * Int(blockBytes))
    for start in stride(from: 0, to: image.count, by: pattern.count) {
      overwrite(&image, at: start, with: pattern, count: min(pattern.count, image.count - start))
    }
  }

  func start(_ request: StoreRequest, on reactor: Reactor) {
    precondition(request.offset + request.count <= geometry.capacityBytes)
    log.append(
      Entry(
        operation: request.operation, offset: request.offset, count: request.count,
        isDurable: request.isDurable))
    onStart?(request)
    if isHolding {
      held.append((request, log.count))
    } else {
      let arrival = Arrival(request: request, number: log.count, store: self)
      reactor.complete(OperationResult(rawValue: 0), for: arrival)
    }
  }

  /// Completes what was held back, on the caller's stack, and holds nothing back any more.
  func releaseHeld() {
    isHolding = false
    let requests = held
    held = []
    for (request, number) in requests { perform(request, number: number) }
  }

  var heldCount: Int { held.count }

  /// Completes one of those held back; the others and what starts later stay held.
  func releaseHeld(at index: Int) {
    let (request, number) = held.remove(at: index)
    perform(request, number: number)
  }

  private final class Arrival: OperationHandler {
    let request: StoreRequest
    let number: Int
    let store: TestStore
    init(request: StoreRequest, number: Int, store: TestStore) {
      self.request = request
      self.number = number
      self.store = store
    }
    func operationCompleted(_ context: UInt32, _ result: OperationResult) {
      store.perform(request, number: number)
    }
  }

  private func perform(_ request: StoreRequest, number: Int) {
    if let failure = faults[number] {
      if request.operation == .synchronize, case .medium = failure { readiness = .latched }
      request.advance(by: doneBeforeFault)
      return request.finish(failure)
    }
    let range = Int(request.offset)..<Int(request.offset + request.count)
    switch request.operation {
    case .read:
      let slice = request.slice
      image.withUnsafeBytes {
        slice.unsafeAddress.copyMemory(
          from: $0.baseAddress! + range.lowerBound, byteCount: range.count)
      }
    case .write:
      let slice = request.slice
      image.withUnsafeMutableBytes {
        ($0.baseAddress! + range.lowerBound).copyMemory(
          from: slice.unsafeAddress, byteCount: range.count)
      }
      if !request.isDurable { isDirty = true }
    case .synchronize:
      isDirty = false
    case .findExtents:
      request.noteExtents(extents)
    case .punchHole, .zeroRange:
      if refusesAllocation { return request.finish(.unsupported) }
      clear(&image, range)
      isDirty = true
    }
    request.finish(nil)
  }

  func resetLog() {
    log = []
    faults = [:]
  }

  var changes: [Entry] {
    log.filter { ![.read, .synchronize, .findExtents].contains($0.operation) }
  }
}

/// An engine without a kernel: nothing ever completes but what a store completes itself.
final class TestEngine: IOEngine {
  struct NoWaker: EngineWaker { func wake() {} }
  let kind = EngineKind.simulated
  var now = MonotonicTime(rawValue: 0)
  let waker: any EngineWaker = NoWaker()

  func prepare(_ socket: SocketHandle) -> ConnectionEnds? { nil }
  func detach(_ socket: SocketHandle) {}
  func accept(on listener: SocketHandle, id: OperationID) {}
  func receive(on socket: SocketHandle, into list: ScatterGatherList, id: OperationID) {}
  func send(on socket: SocketHandle, from list: ScatterGatherList, id: OperationID) {}
  func shutDown(_ socket: SocketHandle) {}
  func close(_ socket: SocketHandle) {}
  func read(_ file: FileHandle, into slice: BufferSlice, at offset: UInt64, id: OperationID) {}
  func write(
    _ file: FileHandle, from slice: BufferSlice, at offset: UInt64, isDurable: Bool,
    id: OperationID
  ) {}
  func synchronize(_ file: FileHandle, id: OperationID) {}
  func allocate(
    _ file: FileHandle, _ mode: AllocationMode, at offset: UInt64, count: UInt64, id: OperationID
  ) {}
  func wait(until deadline: MonotonicTime?, completions: inout [Completion]) {}
}
