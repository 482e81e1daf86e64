internal import CLinux
internal import Reactor

/// What the kernel says of a block device: the files in /sys/dev/block/MAJ:MIN.
struct BlockDeviceDirectory {
  private let path: String

  /// `sysfs`: where that is mounted.
  init(deviceNumber: UInt64, sysfs: String = "/sys") {
    path = "\(sysfs)/dev/block/\(major(deviceNumber)):\(minor(deviceNumber))"
  }

  /// nil: there is no such file, or no number in it.
  func number(_ name: String) -> UInt64? { text(name).flatMap { UInt64($0) } }

  /// The first line of a file, as far as a path can be long; nil: there is no such file.
  func text(_ name: String) -> String? {
    guard let file = try? FileDescriptor.open("\(path)/\(name)", O_RDONLY) else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(file.rawValue, $0.baseAddress, $0.count)
    }
    guard count > 0 else { return nil }
    return String(decoding: bytes.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self)
  }
}

// The macros of sys/sysmacros.h: 12 bits of major and 20 bits of minor number, interleaved.
private func major(_ number: UInt64) -> UInt64 {
  number >> 8 & 0xFFF | number >> 32 & 0xFFFF_F000
}

private func minor(_ number: UInt64) -> UInt64 {
  number & 0xFF | number >> 12 & 0xFFFF_FF00
}
