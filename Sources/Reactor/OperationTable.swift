/// Receives the completions of operations it started.
public protocol OperationHandler: AnyObject {
  /// `context` is what the handler gave when it started the operation.
  func operationCompleted(_ context: UInt32, _ result: OperationResult)
}

/// The operations in flight: who started each, found by slot number without hashing. A generation
/// per slot exposes a completion that arrives for an operation which has ended.
///
/// Holding the handler here keeps it, and with it the memory it lent to the kernel, alive until the
/// completion: nothing is freed under an operation in flight.
struct OperationTable {
  private struct Slot {
    var handler: (any OperationHandler)?
    var context: UInt32
    var generation: UInt32
  }

  private var slots: ContiguousArray<Slot> = []
  private var freeSlots: ContiguousArray<Int> = []
  private(set) var count = 0

  mutating func insert(_ handler: any OperationHandler, context: UInt32) -> OperationID {
    count += 1
    if let index = freeSlots.popLast() {
      slots[index].handler = handler
      slots[index].context = context
      return OperationID(slot: index, generation: slots[index].generation)
    }
    slots.append(Slot(handler: handler, context: context, generation: 1))
    freeSlots.reserveCapacity(slots.count)
    return OperationID(slot: slots.count - 1, generation: 1)
  }

  mutating func remove(_ id: OperationID) -> (handler: any OperationHandler, context: UInt32) {
    let index = id.slot
    precondition(
      index < slots.count && slots[index].generation == id.generation,
      "an engine completed an operation twice")
    guard let handler = slots[index].handler.take() else {
      preconditionFailure("an engine completed an operation that was never started")
    }
    slots[index].generation &+= 1
    freeSlots.append(index)
    count -= 1
    return (handler, slots[index].context)
  }
}

extension OperationID {
  init(slot: Int, generation: UInt32) {
    self.init(rawValue: UInt64(generation) << 32 | UInt64(UInt32(slot)))
  }
  var slot: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }
  var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}
