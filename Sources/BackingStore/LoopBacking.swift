internal import CLinux
internal import Reactor

/// What a loop device is set up on, by the device itself: the path of it in sysfs is that of
/// whoever set it up, and may mean another file here, or none.
struct LoopBacking {
  let identity: StoreIdentity
  /// Whether the device has only a part of that.
  let isPart: Bool
}

extension LoopBacking {
  /// As in linux/major.h; no other device is opened for this.
  private static let loopMajor: UInt64 = 7

  /// Nil: the device of that number is no loop device, is on nothing, or is to be found neither at
  /// `path` nor in /dev.
  init?(ofDevice number: UInt64, at path: String) {
    guard major(number) == Self.loopMajor else { return nil }
    var paths = [path]
    if let name = BlockDeviceDirectory(deviceNumber: number).name { paths.append("/dev/\(name)") }
    for path in paths {
      // Somebody may have exchanged it, and a pipe must not hang who opens it.
      guard let device = try? FileDescriptor.open(path, O_RDONLY | O_NONBLOCK),
        let status = try? device.status(), status.kind == .blockDevice,
        status.deviceNumber == number
      else { continue }
      guard let backing = device.loopBacking() else { return nil }
      self = backing
      return
    }
    return nil
  }
}
