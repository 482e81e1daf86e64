/// What the kernel says of a block device's request queue (/sys/dev/block/MAJ:MIN/queue).
struct BlockQueue {
  let discardMaxBytes: UInt64
  let discardGranularityBytes: UInt32
  let writeZeroesMaxBytes: UInt64
  let isRotational: Bool

  /// A partition has no queue of its own; its disk, one directory up, has.
  init(deviceNumber: UInt64) {
    let device = BlockDeviceDirectory(deviceNumber: deviceNumber)
    func value(_ name: String) -> UInt64 {
      for directory in ["queue", "../queue"] {
        if let value = device.number("\(directory)/\(name)") { return value }
      }
      return 0
    }
    discardMaxBytes = value("discard_max_bytes")
    discardGranularityBytes = UInt32(clamping: value("discard_granularity"))
    writeZeroesMaxBytes = value("write_zeroes_max_bytes")
    isRotational = value("rotational") != 0
  }
}
