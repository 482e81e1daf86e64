internal import BackingStore
internal import Reactor
internal import SCSIModel

// UNMAP (SBC-3 §5.28). The whole list is checked before the first block is touched.
extension DeviceServer {
  /// What admission checks of UNMAP alone: ANCHOR goes with ANC_SUP.
  func checkUnmap(_ task: SCSITask) throws(Refusal) {
    if task.cdb.isAnchor, !unit.store.capabilities.canAnchor {
      throw Refusal(.invalidFieldInCDB(byte: 1, bit: 0))
    }
  }

  func unmap(_ task: SCSITask) {
    do throws(SenseData) {
      task.unmapRanges = try unmapRanges(task).reversed()
    } catch {
      return end(task, error)
    }
    if task.unmapRanges.isEmpty { return end(task, .good) }
    unmapNext(task)
  }

  private func unmapRanges(_ task: SCSITask) throws(SenseData) -> [BlockRange] {
    let bytes = try parameterList(of: task)
    // PARAMETER LIST LENGTH 0 asks for nothing.
    guard !bytes.isEmpty else { return [] }
    let list = try UnmapParameterList(decoding: bytes, limits: unit.unmapLimits)
    for range in list.ranges where !range.isWithin(unit.capacity) {
      throw .logicalBlockAddressOutOfRange
    }
    return list.ranges.filter { !$0.count.isZero }
  }

  func unmapNext(_ task: SCSITask) {
    guard let range = task.unmapRanges.popLast() else { return finishDurably(task) }
    guard let place = range.bytes(blockLengthBytes: unit.logicalBlockBytes) else {
      preconditionFailure("a range within the capacity has an offset and a length")
    }
    task.request.prepare(
      task.cdb.isAnchor ? .zeroRange : .punchHole, at: UInt64(place.offset),
      count: UInt64(place.length))
    start(task, then: .unmapRange)
  }
}
