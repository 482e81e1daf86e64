internal import BackingStore
internal import Reactor
internal import SCSIModel

// GET LBA STATUS and READ DEFECT DATA (SBC-3 §5.4, §5.17, §5.18).
extension DeviceServer {
  func getLBAStatus(_ task: SCSITask) {
    let start = task.cdb.startingBlock.rawValue
    // Once: the capacity may change at any time.
    let capacity = unit.capacity.rawValue
    guard start < capacity else {
      return end(task, .logicalBlockAddressOutOfRange)
    }
    let blockBytes = UInt64(unit.blockBytes)
    task.workOffset = start * blockBytes
    task.request.prepare(
      .findExtents, at: task.workOffset, count: (capacity - start) * blockBytes)
    self.start(task, then: .reportExtents)
  }

  func reportExtents(_ task: SCSITask) {
    let status = lbaStatus(task.request.extents, at: task.workOffset)
    answer(task, status.encoded(lengthMax: table[task.command].allocationLength(of: task.cdb)))
  }

  /// A block is deallocated if all of it is, and anchored likewise. A store that cannot tell has
  /// everything mapped.
  private func lbaStatus(_ extents: [StoreExtent], at offset: UInt64) -> LBAStatus {
    let blockBytes = UInt64(unit.blockBytes)
    var status = LBAStatus()
    var next = offset / blockBytes
    for extent in extents where unit.store.capabilities.canPunchHoles {
      let end = extent.offset + extent.count
      let isMapped = extent.state == .mapped
      // The first block that is not wholly in the extent, or the first that it has no part of.
      let last = isMapped ? (end + blockBytes - 1) / blockBytes : end / blockBytes
      let first = isMapped ? next : (extent.offset + blockBytes - 1) / blockBytes
      guard last > next, last > first else { continue }
      if first > next { status.append(BlockRange(start: next, count: first - next), .mapped) }
      let begin = max(first, next)
      status.append(BlockRange(start: begin, count: last - begin), extent.state.status)
      next = last
    }
    if status.descriptors.isEmpty {
      let count = max(unit.capacity.rawValue, next + 1) - next
      status.append(BlockRange(start: next, count: count), .mapped)
    }
    return status
  }

  /// The lists are empty: what is below has taken care of its defects.
  func readDefectData(_ task: SCSITask) { answer(task, DefectData.empty(for: task.cdb)) }
}

extension StoreExtent.State {
  fileprivate var status: LBAStatus.ProvisioningStatus {
    switch self {
    case .mapped: .mapped
    case .anchored: .anchored
    case .deallocated: .deallocated
    }
  }
}
