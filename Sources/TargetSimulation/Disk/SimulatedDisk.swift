internal import BackingStore
internal import Bytes
public import Reactor

/// A file or block device in memory. An operation takes effect at one instant between its start and
/// its completion, which the seed chooses; a durable write or a synchronize makes durable.
public final class SimulatedDisk {
  public let file: FileHandle
  /// What took effect, and when; in order.
  public private(set) var effects: [DiskEffect] = []
  /// How many operations of each kind were started, for loops that fail the n-th.
  private var started = [Int](repeating: 0, count: DiskOperationKind.allCases.count)

  private unowned let world: SimulatedWorld
  private var contents: DiskContents
  private var faults: [InjectedFault] = []
  private var inFlight: [DiskOperation] = []

  init(world: SimulatedWorld, file: FileHandle, sizeBytes: UInt64, blockBytes: Int) {
    self.world = world
    self.file = file
    contents = DiskContents(blockBytes: blockBytes, sizeBytes: sizeBytes)
  }

  // MARK: For tests

  public var sizeBytes: UInt64 { contents.sizeBytes }
  public var operationsInFlight: Int { inFlight.count }
  /// Bytes of the blocks that are not holes, or keep their place though they are.
  public var allocatedBytes: UInt64 { contents.allocatedBytes }
  /// Blocks whose last change a power failure might undo.
  public var unsynchronizedBlockCount: Int { contents.unsynchronizedBlockCount }

  public func startedCount(_ kind: DiskOperationKind) -> Int { started[Int(kind.rawValue)] }

  /// The effects that changed contents: writes, holes and zeros, but for those of no bytes.
  public var writesLanded: [DiskEffect] {
    effects.filter { $0.kind != .read && $0.kind != .synchronize && $0.count > 0 }
  }

  /// Empties the log, for long runs.
  public func forgetEffects() { effects.removeAll() }

  /// What reads see of a range within the size.
  public func visibleBytes(_ range: Range<UInt64>) -> [UInt8] {
    precondition(range.upperBound <= sizeBytes)
    return contents.visibleBytes(range.lowerBound, range.count)
  }

  /// What is on the medium of a range within the size.
  public func durableBytes(_ range: Range<UInt64>) -> [UInt8] {
    precondition(range.upperBound <= sizeBytes)
    return contents.durableBytes(range.lowerBound, range.count)
  }

  /// Puts contents there as if they had always been.
  public func fill(_ bytes: [UInt8], at offset: UInt64) {
    precondition(offset + UInt64(bytes.count) <= sizeBytes)
    contents.write(bytes, at: offset, isDurable: true)
  }

  @discardableResult
  public func inject(_ fault: DiskFault) -> InjectedFault {
    let injected = InjectedFault(fault, disk: self)
    faults.append(injected)
    return injected
  }

  /// Power is lost and returns: operations in flight never complete and may have arrived in part,
  /// and of each block that was not synchronized any version may be what is left.
  public func crash() {
    for operation in inFlight { tear(operation) }
    inFlight.removeAll()
    faults.removeAll()
    contents.crash(using: &world.random)
    world.record(.diskCrash, number)
  }

  private func tear(_ operation: DiskOperation) {
    operation.isAbandoned = true
    guard operation.kind == .write, !operation.hasTakenEffect, let slice = operation.slice else {
      return
    }
    let count = operation.transferLimit(sizeBytes: sizeBytes)
    contents.tear(
      slice.buffer.bytes(slice.offset..<slice.offset + count), at: operation.offset,
      using: &world.random)
  }

  // MARK: Operations

  func start(_ operation: DiskOperation) {
    started[Int(operation.kind.rawValue)] += 1
    inFlight.append(operation)
    operation.version = contents.lastVersion
    // The memory is the kernel's until the completion: whoever looks earlier shall see garbage.
    if operation.kind == .read, let slice = operation.slice {
      slice.buffer.fill(slice.offset..<slice.offset + slice.count, with: 0xA5)
    }
    guard let injected = faults.first(where: { $0.hits(operation) }) else {
      return schedule(operation)
    }
    world.record(.diskFault, number, UInt64(operation.kind.rawValue), operation.offset)
    operation.fault = injected.fault.effect
    if injected.fault.effect == .hang {
      injected.hold(operation)
    } else {
      schedule(operation)
    }
  }

  func schedule(_ operation: DiskOperation) {
    var latency = world.random.pick(latencyRange(operation.kind))
    if case .delay(let delay) = operation.fault { latency += UInt64(delay.rawValue) * 1_000_000 }
    let effect = world.random.pick(0...latency)
    world.schedule(afterNanoseconds: effect) { [self] in
      if !operation.isAbandoned { takeEffect(operation) }
    }
    world.schedule(afterNanoseconds: latency) { [self] in
      guard !operation.isAbandoned else { return }
      inFlight.removeAll { $0 === operation }
      operation.engine.finish(Completion(id: operation.id, result: operation.result))
    }
  }

  private func latencyRange(_ kind: DiskOperationKind) -> ClosedRange<UInt64> {
    switch kind {
    case .read: world.latencies.diskRead
    case .write: world.latencies.diskWrite
    case .synchronize: world.latencies.diskSynchronize
    case .punchHole, .zeroRange: world.latencies.diskAllocate
    }
  }

  private func takeEffect(_ operation: DiskOperation) {
    operation.hasTakenEffect = true
    var failure: SystemError?
    var lands = true
    if case .failure(let error, let landsToo) = operation.fault {
      failure = error
      lands = landsToo
    }
    let done = perform(operation, lands: lands)
    operation.result = failure.map { .failure($0) } ?? done
    log(operation, count: lands ? operation.effectCount(done) : 0)
  }

  private func perform(_ operation: DiskOperation, lands: Bool) -> OperationResult {
    switch operation.kind {
    case .read: return lands ? read(operation) : OperationResult(rawValue: 0)
    case .write: return lands ? write(operation) : OperationResult(rawValue: 0)
    case .synchronize:
      if lands {
        contents.synchronize(upTo: operation.version)
      } else {
        contents.failSynchronize(upTo: operation.version, using: &world.random)
      }
    case .punchHole, .zeroRange:
      let end = operation.offset.addingReportingOverflow(operation.count)
      guard !end.overflow, end.partialValue <= sizeBytes else { return .failure(.invalidArgument) }
      guard lands else { break }
      if operation.kind == .punchHole {
        contents.punch(operation.offset, operation.count)
      } else {
        contents.anchor(operation.offset, operation.count)
      }
    }
    return OperationResult(rawValue: 0)
  }

  /// What a search finds in a range within the size, at this instant.
  func extents(at offset: UInt64, count: UInt64) -> [StoreExtent] {
    precondition(offset <= sizeBytes && count <= sizeBytes - offset)
    return contents.extents(offset, count, countMax: StoreRequest.extentCountMax)
  }

  private func read(_ operation: DiskOperation) -> OperationResult {
    guard let slice = operation.slice else { return .failure(.invalidArgument) }
    let count = operation.transferLimit(sizeBytes: sizeBytes)
    slice.buffer.store(contents.visibleBytes(operation.offset, count), at: slice.offset)
    return OperationResult(rawValue: Int32(count))
  }

  private func write(_ operation: DiskOperation) -> OperationResult {
    guard let slice = operation.slice else { return .failure(.invalidArgument) }
    let count = operation.transferLimit(sizeBytes: sizeBytes)
    guard count > 0 || operation.offset < sizeBytes else { return .failure(.noSpace) }
    let bytes = slice.buffer.bytes(slice.offset..<slice.offset + count)
    contents.write(bytes, at: operation.offset, isDurable: operation.isDurable)
    return OperationResult(rawValue: Int32(count))
  }

  private func log(_ operation: DiskOperation, count: UInt64) {
    effects.append(
      DiskEffect(
        time: world.now, kind: operation.kind, offset: operation.offset, count: count,
        isDurable: operation.isDurable, result: operation.result))
    var digest = CRC32C()
    if let slice = operation.slice, operation.kind == .write {
      digest.update(slice.buffer.bytes(slice.offset..<slice.offset + slice.count))
    }
    let kindAndDigest = UInt64(operation.kind.rawValue) << 32 | UInt64(digest.value)
    world.record(.diskEffect, kindAndDigest, operation.offset, count)
  }

  private var number: UInt64 { UInt64(file.rawValue) }
}

/// One operation's effect on a disk.
public struct DiskEffect: Sendable, Equatable {
  public var time: MonotonicTime
  public var kind: DiskOperationKind
  public var offset: UInt64
  /// Bytes transferred or zeroed: 0 when the operation had no effect.
  public var count: UInt64
  public var isDurable: Bool
  /// What the completion, possibly later, says.
  public var result: OperationResult
}

/// An operation between its start and its completion. Its slice keeps the memory alive.
final class DiskOperation {
  let kind: DiskOperationKind
  let engine: SimulatedEngine
  let id: OperationID
  let slice: BufferSlice?
  let offset: UInt64
  let count: UInt64
  let isDurable: Bool
  var fault: DiskFault.Effect?
  /// For a synchronize: what had changed when it started.
  var version: UInt64 = 0
  var hasTakenEffect = false
  /// The machine crashed: it takes no effect and never completes.
  var isAbandoned = false
  var result = OperationResult(rawValue: 0)

  init(
    kind: DiskOperationKind, engine: SimulatedEngine, id: OperationID, slice: BufferSlice?,
    offset: UInt64, count: UInt64, isDurable: Bool
  ) {
    self.kind = kind
    self.engine = engine
    self.id = id
    self.slice = slice
    self.offset = offset
    self.count = count
    self.isDurable = isDurable
  }

  /// How many bytes are transferred: less than asked at the end of the disk, or by a fault.
  func transferLimit(sizeBytes: UInt64) -> Int {
    let inside = Int(min(count, sizeBytes - min(offset, sizeBytes)))
    if case .shortCount(let limit) = fault { return min(inside, max(0, limit)) }
    return inside
  }

  func effectCount(_ done: OperationResult) -> UInt64 {
    switch kind {
    case .read, .write: UInt64(done.value ?? 0)
    case .synchronize: 0
    case .punchHole, .zeroRange: done.error == nil ? count : 0
    }
  }
}

extension SimulatedWorld {
  /// A disk of zeros. `blockBytes` is what survives a crash as a whole or not at all.
  public func makeDisk(sizeBytes: UInt64, blockBytes: Int = 512, isBuffered: Bool = false)
    -> SimulatedDisk
  {
    let number = disks.count + 1
    let file = FileHandle(
      rawValue: Int32(number), isBuffered: isBuffered,
      device: DeviceNumber(rawValue: UInt64(number)))
    let disk = SimulatedDisk(
      world: self, file: file, sizeBytes: sizeBytes, blockBytes: blockBytes)
    disks.append(disk)
    return disk
  }

  /// The disk behind `file`.
  public func disk(of file: FileHandle) -> SimulatedDisk {
    let index = Int(file.rawValue) - 1
    precondition(disks.indices.contains(index), "no such file")
    return disks[index]
  }
}
