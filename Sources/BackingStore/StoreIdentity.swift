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

  /// What a file is on; nil: of a device.
  public var fileSystem: UInt64? {
    if case .file(let device, _) = self { device } else { nil }
  }

  // MARK: Loop devices

  /// More of them, each on the one before, are not followed.
  private static let loopCountMax = 8

  /// What keeps the blocks in the end: of a loop device the file or device that it is set up on.
  /// One that has only a part of it is a device of its own, for parts may well be beside each
  /// other. `path`: where it is found.
  public func resolved(at path: String) -> StoreIdentity {
    resolved { LoopBacking(ofDevice: $0, at: path) }
  }

  /// `backing`: of the device of that number, if it is a loop device.
  func resolved(_ backing: (UInt64) -> LoopBacking?) -> StoreIdentity {
    var identity = self
    for _ in 0..<Self.loopCountMax {
      guard case .blockDevice(let number) = identity, let below = backing(number), !below.isPart
      else { break }
      identity = below.identity
    }
    return identity
  }
}
