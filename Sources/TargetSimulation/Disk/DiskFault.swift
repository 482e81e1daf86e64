public import Reactor

public enum DiskOperationKind: UInt8, Sendable, CaseIterable {
  case read, write, synchronize, punchHole, zeroRange
}

/// What goes wrong with which operations of a disk.
public struct DiskFault: Sendable {
  public enum Effect: Sendable, Equatable {
    /// Answers the error. With `lands` a write takes effect all the same: after a failure the
    /// contents are not known.
    case failure(SystemError, lands: Bool = false)
    /// Transfers at most so many bytes.
    case shortCount(Int)
    /// Takes so much longer.
    case delay(Milliseconds)
    /// Neither takes effect nor completes until released.
    case hang
  }

  public var effect: Effect
  /// nil: all kinds.
  public var kind: DiskOperationKind?
  /// Only operations that touch this range of bytes; a synchronize touches every range.
  public var range: Range<UInt64>?
  /// How many operations that match are let through first: n − 1 makes the n-th fail.
  public var skipping: Int
  /// How many are hit; nil: all that follow.
  public var count: Int?

  public init(
    _ effect: Effect, on kind: DiskOperationKind? = nil, in range: Range<UInt64>? = nil,
    skipping: Int = 0, count: Int? = 1
  ) {
    self.effect = effect
    self.kind = kind
    self.range = range
    self.skipping = skipping
    self.count = count
  }
}

/// A fault that was injected into a disk.
public final class InjectedFault {
  public let fault: DiskFault
  /// How many operations it has hit.
  public private(set) var hits = 0
  /// It hits nothing any more.
  public private(set) var isOver = false
  private var seen = 0
  private var held: [DiskOperation] = []
  private unowned let disk: SimulatedDisk

  init(_ fault: DiskFault, disk: SimulatedDisk) {
    self.fault = fault
    self.disk = disk
  }

  /// Operations that hang now.
  public var heldCount: Int { held.count }

  /// Ends the fault and lets what it holds go on.
  public func release() {
    isOver = true
    let operations = held
    held.removeAll()
    for operation in operations where !operation.isAbandoned { disk.schedule(operation) }
  }

  /// Whether it hits `operation`; counts it if it matches.
  func hits(_ operation: DiskOperation) -> Bool {
    guard !isOver, matches(operation) else { return false }
    seen += 1
    guard seen > fault.skipping else { return false }
    hits += 1
    if let count = fault.count, hits >= count { isOver = true }
    return true
  }

  func hold(_ operation: DiskOperation) { held.append(operation) }

  private func matches(_ operation: DiskOperation) -> Bool {
    if let kind = fault.kind, kind != operation.kind { return false }
    guard let range = fault.range, operation.kind != .synchronize else { return true }
    let end = operation.offset.addingReportingOverflow(operation.count)
    return operation.offset < range.upperBound
      && range.lowerBound < (end.overflow ? .max : end.partialValue)
  }
}
