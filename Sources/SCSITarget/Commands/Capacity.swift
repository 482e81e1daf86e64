internal import BackingStore
internal import SCSIModel

// READ CAPACITY (SBC-3 §5.15, §5.16).
extension DeviceServer {
  func readCapacity(_ task: SCSITask) {
    // A last block is reported, so there must be one.
    guard !unit.capacity.isZero else { return end(task, .mediumNotPresent) }
    let geometry = unit.geometry
    let ratio = max(geometry.physicalBlockBytes / geometry.logicalBlockBytes, 1)
    let canUnmap = unit.store.capabilities.canPunchHoles
    let capacity = ReadCapacityData(
      capacity: unit.capacity, blockLengthBytes: geometry.logicalBlockBytes,
      physicalBlockExponent: UInt8(min(ratio.trailingZeroBitCount, 15)),
      isProvisioningManaged: canUnmap, isUnmappedReadAsZeros: canUnmap)
    answer(task, task.command == .readCapacity10 ? capacity.encoded10() : capacity.encoded16())
  }
}
