public import BackingStore
internal import Reactor
internal import SCSIModel
internal import Synchronization

/// Why a unit keeps its capacity.
public enum ResizeRefusal: Error, Sendable, Equatable {
  /// Not a whole number of blocks, or none.
  case partialBlock
  /// The store is smaller than that.
  case beyondStore(bytes: UInt64)
  /// What lies behind the new end would be out of reach, and nobody has allowed that.
  case wouldShrink
  /// A FORMAT UNIT or SANITIZE works on all blocks there are.
  case wiping
}

// A capacity that changes while initiators use the unit (SBC-3 §4.4).
extension LogicalUnit {
  public var geometry: StoreGeometry {
    StoreGeometry(
      capacityBytes: capacity.rawValue * UInt64(logicalBlockBytes),
      logicalBlockBytes: logicalBlockBytes, physicalBlockBytes: physicalBlockBytes)
  }

  /// Gives the unit the capacity of `bytes`, at once for every command that is admitted from here
  /// on; whether it became smaller. Then every device server is to be told: `capacityChanged`. From
  /// one thread at a time.
  public func setCapacity(
    bytes: UInt64, allowsShrinking: Bool
  ) throws(ResizeRefusal) -> Bool {
    if let refusal = resizeRefusal(bytes: bytes, allowsShrinking: allowsShrinking) { throw refusal }
    let available = store.geometry.capacityBytes
    guard bytes <= available else { throw .beyondStore(bytes: available) }
    let count = bytes / UInt64(logicalBlockBytes)
    let shrinks = count < capacity.rawValue
    blockCount.store(count, ordering: .releasing)
    provisioning.setCapacity(BlockCount(count))
    return shrinks
  }

  /// Why the unit would not take that capacity, whatever its store has; nil: it would.
  public func resizeRefusal(bytes: UInt64, allowsShrinking: Bool) -> ResizeRefusal? {
    guard bytes > 0, bytes.isMultiple(of: UInt64(logicalBlockBytes)) else { return .partialBlock }
    let shrinks = bytes / UInt64(logicalBlockBytes) < capacity.rawValue
    guard !shrinks || allowsShrinking else { return .wouldShrink }
    guard medium.condition != .formatting, medium.condition != .sanitizing else { return .wiping }
    return nil
  }
}

extension DeviceServer {
  /// Tells every nexus here that the capacity has changed (2A/09). Of a unit that has `shrunk`,
  /// what was admitted before and reaches behind the end is refused if it has not begun;
  /// `completion` when no operation is under way any more that could be there, else at once.
  public func capacityChanged(shrunk: Bool, completion: @escaping () -> Void) {
    establishForAll(.capacityDataHasChanged)
    guard shrunk else { return completion() }
    let barrier = DrainBarrier(completion: completion)
    for task in tasks where isPastEnd(task) {
      // An owner that hears of one may use its task for another command, which is within the end.
      if isPastEnd(task) { end(task, .logicalBlockAddressOutOfRange) }
    }
    // Of a copy the steps count, which are tasks of their own.
    waitForExecuting(barrier) { !table[$0.command].traits.contains(.copies) }
    barrier.arm()
  }

  private func isPastEnd(_ task: SCSITask) -> Bool {
    guard task.phase == .collectingData || task.phase == .held, !task.isAborted else {
      return false
    }
    let end = unit.capacity.rawValue * UInt64(unit.logicalBlockBytes)
    return task.workOffset + UInt64(task.workCount) > end
  }
}
