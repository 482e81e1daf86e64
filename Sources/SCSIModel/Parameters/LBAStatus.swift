internal import Bytes

/// The parameter data of GET LBA STATUS (SBC-3 §5.4.2).
///
/// | byte | field                                                                       |
/// |------|-----------------------------------------------------------------------------|
/// | 0–3  | PARAMETER DATA LENGTH: bytes that follow it                                 |
/// | 8…   | descriptors of 16 bytes: LBA (8), NUMBER OF LOGICAL BLOCKS (4), bits 3–0 of |
/// |      | byte 12 PROVISIONING STATUS, reserved (3)                                   |
public struct LBAStatus: Sendable {
  public enum ProvisioningStatus: UInt8, Sendable {
    case mapped = 0
    case deallocated = 1
    case anchored = 2
  }

  public struct Descriptor: Hashable, Sendable {
    public var range: BlockRange
    public var status: ProvisioningStatus

    public init(_ range: BlockRange, _ status: ProvisioningStatus) {
      self.range = range
      self.status = status
    }
  }

  public static let headerBytes = 8
  public static let descriptorBytes = 16

  public private(set) var descriptors: [Descriptor] = []

  public init() {}

  /// Adds `range` after the others, joined to the last if it continues that.
  public mutating func append(_ range: BlockRange, _ status: ProvisioningStatus) {
    guard !range.count.isZero else { return }
    if let last = descriptors.last, last.status == status,
      last.range.start.rawValue + last.range.count.rawValue == range.start.rawValue
    {
      let count = last.range.count.rawValue + range.count.rawValue
      descriptors[descriptors.count - 1].range = BlockRange(
        start: last.range.start.rawValue, count: count)
    } else {
      descriptors.append(Descriptor(range, status))
    }
  }

  /// As many descriptors as `lengthMax` bytes hold whole, and always the first: what does not fit
  /// is asked for by another command. A count that passes 32 bits is continued by another
  /// descriptor.
  public func encoded(lengthMax: Int) -> [UInt8] {
    let countMax = max(1, (lengthMax - Self.headerBytes) / Self.descriptorBytes)
    var writer = ByteWriter(reserving: 64)
    var count = 0
    for descriptor in descriptors where count < countMax {
      var start = descriptor.range.start.rawValue
      var left = descriptor.range.count.rawValue
      while left > 0, count < countMax {
        let blocks = UInt32(clamping: left)
        writer.uint64(start)
        writer.uint32(blocks)
        writer.uint8(descriptor.status.rawValue)
        writer.zeros(3)
        start += UInt64(blocks)
        left -= UInt64(blocks)
        count += 1
      }
    }
    var header = ByteWriter(reserving: Self.headerBytes)
    header.uint32(UInt32(writer.count + 4))
    header.zeros(4)
    return header.bytes + writer.bytes
  }
}
