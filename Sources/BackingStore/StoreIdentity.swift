internal import Reactor

/// What a store keeps its blocks in, whatever it is called: two stores of one identity would
/// overwrite each other.
public enum StoreIdentity: Hashable, Sendable {
  case file(device: UInt64, inode: UInt64)
  case blockDevice(number: UInt64)

  /// The block device, or what the file's file system is on.
  var device: DeviceNumber {
    switch self {
    case .file(let number, _), .blockDevice(let number): DeviceNumber(rawValue: number)
    }
  }

  // MARK: Loop devices

  /// More of them, each on the one before, are not followed.
  private static let loopCountMax = 8

  /// What keeps the blocks in the end: of a loop device the file or device that it is set up on.
  /// One that has only a part of it is a device of its own, for parts may well be beside each
  /// other. `sysfs`: where that is mounted.
  public func resolved(sysfs: String = "/sys") -> StoreIdentity {
    var identity = self
    for _ in 0..<Self.loopCountMax {
      guard let below = identity.belowLoop(sysfs) else { break }
      identity = below
    }
    return identity
  }

  private func belowLoop(_ sysfs: String) -> StoreIdentity? {
    guard case .blockDevice(let number) = self else { return nil }
    let device = BlockDeviceDirectory(deviceNumber: number, sysfs: sysfs)
    guard let path = device.text("loop/backing_file"), device.number("loop/offset") == 0,
      device.number("loop/sizelimit") == 0,
      let status = try? FileStatus.of(path, followsLink: true), status.kind != nil
    else { return nil }
    return status.identity
  }
}
