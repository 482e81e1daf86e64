internal import CLinux
internal import Reactor

/// What the kernel says of a block device: the files in /sys/dev/block/MAJ:MIN.
struct BlockDeviceDirectory {
  private let path: String

  init(deviceNumber: UInt64) {
    path = "/sys/dev/block/\(major(deviceNumber)):\(minor(deviceNumber))"
  }

  /// What the kernel calls the device, and its node in /dev; nil: there is none of that number.
  var name: String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &bytes, Int(PATH_MAX))
    guard count > 0 else { return nil }
    let target = String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return target.split(separator: "/").last.map { String($0) }
  }

  /// nil: there is no such file, or no number in it.
  func number(_ name: String) -> UInt64? {
    guard let file = try? FileDescriptor.open("\(path)/\(name)", O_RDONLY) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe read(file.rawValue, $0.baseAddress, $0.count)
    }
    guard count > 0 else { return nil }
    return UInt64(String(decoding: bytes.prefix(count).prefix { $0 != 0x0A }, as: UTF8.self))
  }
}

// The macros of sys/sysmacros.h: 12 bits of major and 20 bits of minor number, interleaved.
func major(_ number: UInt64) -> UInt64 {
  number >> 8 & 0xFFF | number >> 32 & 0xFFFF_F000
}

private func minor(_ number: UInt64) -> UInt64 {
  number & 0xFF | number >> 12 & 0xFFFF_FF00
}
