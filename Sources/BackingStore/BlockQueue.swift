internal import CLinux
internal import Reactor

/// What the kernel says of a block device's request queue (/sys/dev/block/MAJ:MIN/queue).
struct BlockQueue {
  let discardMaxBytes: UInt64
  let discardGranularityBytes: UInt32
  let writeZeroesMaxBytes: UInt64
  let isRotational: Bool

  /// A partition has no queue of its own; its disk, one directory up, has.
  init(deviceNumber: UInt64) {
    let number = "\(major(deviceNumber)):\(minor(deviceNumber))"
    let directories = ["/sys/dev/block/\(number)/queue", "/sys/dev/block/\(number)/../queue"]
    func value(_ name: String) -> UInt64 {
      for directory in directories {
        if let value = readNumber("\(directory)/\(name)") { return value }
      }
      return 0
    }
    discardMaxBytes = value("discard_max_bytes")
    discardGranularityBytes = UInt32(clamping: value("discard_granularity"))
    writeZeroesMaxBytes = value("write_zeroes_max_bytes")
    isRotational = value("rotational") != 0
  }
}

/// The number that a file in sysfs holds.
private func readNumber(_ path: String) -> UInt64? {
  guard let descriptor = try? FileDescriptor.open(path, O_RDONLY) else { return nil }
  var digits = [UInt8](repeating: 0, count: 32)
  let count = unsafe digits.withUnsafeMutableBytes {
    unsafe read(descriptor.rawValue, $0.baseAddress, $0.count)
  }
  guard count > 0 else { return nil }
  let text = String(decoding: digits.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self)
  return UInt64(text)
}

// The macros of sys/sysmacros.h: 12 bits of major and 20 bits of minor number, interleaved.
private func major(_ number: UInt64) -> UInt64 {
  number >> 8 & 0xFFF | number >> 32 & 0xFFFF_F000
}

private func minor(_ number: UInt64) -> UInt64 {
  number & 0xFF | number >> 12 & 0xFFFF_FF00
}
