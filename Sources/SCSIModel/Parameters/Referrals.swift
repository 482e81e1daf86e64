internal import Bytes

// Referrals (SBC-3 §5.23, §6.5.5): through which target port groups the blocks can be reached.
// Every group reaches every block here, so the whole medium is one user data segment. Nor is there
// ever a port that some blocks would rather be asked for through: GOOD never carries referrals, and
// a path that is not active answers with the sense of its state, which takes precedence.

extension VitalProductData {
  /// Referrals, B3h (SBC-3 §6.5.5): USER DATA SEGMENT SIZE 0, so that the segment is as long as
  /// REPORT REFERRALS says, and USER DATA SEGMENT MULTIPLIER 0.
  ///
  /// | byte  | field                        |
  /// |-------|------------------------------|
  /// | 8–11  | USER DATA SEGMENT SIZE       |
  /// | 12–15 | USER DATA SEGMENT MULTIPLIER |
  public static var referrals: VitalProductData {
    VitalProductData(.referrals, contents: [UInt8](repeating: 0, count: 0x0C))
  }
}

/// The parameter data of REPORT REFERRALS (SBC-3 §5.23.2): one user data segment referral
/// descriptor, whichever LBA and ONE_SEG are asked for.
///
/// | byte  | field                                                                            |
/// |-------|----------------------------------------------------------------------------------|
/// | 2–3   | USER DATA SEGMENT REFERRAL DESCRIPTOR LENGTH: bytes that follow it               |
/// | 7     | NUMBER OF TARGET PORT GROUP DESCRIPTORS                                          |
/// | 8–15  | FIRST USER DATA SEGMENT LBA: 0                                                   |
/// | 16–23 | LAST USER DATA SEGMENT LBA: the last of the medium                               |
/// | 24…   | four bytes for each group: bits 3–0 of byte 0 ASYMMETRIC ACCESS STATE, bytes 2–3 |
/// |       | TARGET PORT GROUP                                                                |
public struct ReportReferralsData: Sendable {
  public var lastBlock: LogicalBlockAddress
  /// The first 255 are told of.
  public var groups: [TargetPortGroup]

  public init(lastBlock: LogicalBlockAddress, groups: [TargetPortGroup]) {
    self.lastBlock = lastBlock
    self.groups = groups
  }

  public func encoded() -> [UInt8] {
    let groups = groups.prefix(Int(UInt8.max))
    let length = 20 + 4 * groups.count
    var writer = ByteWriter(reserving: 4 + length)
    writer.uint16(0)
    writer.uint16(UInt16(length))
    writer.zeros(3)
    writer.uint8(UInt8(groups.count))
    writer.uint64(0)
    writer.uint64(lastBlock.rawValue)
    for group in groups {
      writer.uint8(group.state.rawValue)
      writer.uint8(0)
      writer.uint16(group.tag)
    }
    return writer.bytes
  }
}
