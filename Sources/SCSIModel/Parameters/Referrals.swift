internal import Bytes

// Referrals (SBC-3 §5.23, §6.5.5): through which target port groups the blocks can be reached.
// Every group leads to every block here, so the whole medium is one user data segment.

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

extension AsymmetricAccessState {
  /// Whether a referral names a group in this state: every one through which the blocks can be
  /// reached, or soon. Not in standby, nor unavailable, which it may name: neither serves them.
  fileprivate var isReferredTo: Bool { isActive || self == .transitioning }
}

/// A user data segment referral descriptor: the whole medium, and the groups that lead to it.
///
/// | byte | field                                                                             |
/// |------|-----------------------------------------------------------------------------------|
/// | 3    | NUMBER OF TARGET PORT GROUP DESCRIPTORS                                           |
/// | 4–11 | FIRST USER DATA SEGMENT LBA: 0                                                    |
/// | 12–19 | LAST USER DATA SEGMENT LBA: the last of the medium                               |
/// | 20…  | four bytes for each group: bits 3–0 of byte 0 ASYMMETRIC ACCESS STATE, bytes 2–3   |
/// |      | TARGET PORT GROUP                                                                 |
public struct UserDataSegmentReferral: Hashable, Sendable {
  public let lastBlock: LogicalBlockAddress
  /// Those that serve the segment, or soon may.
  public let groups: [TargetPortGroup]

  /// `groups`: all of the target, in whatever state.
  public init(lastBlock: LogicalBlockAddress, groups: [TargetPortGroup]) {
    self.lastBlock = lastBlock
    self.groups = groups.filter(\.state.isReferredTo)
  }

  /// ADDITIONAL SENSE LENGTH is 244 at most (SPC-4 §4.5.2).
  private static let senseDescriptorBytesMax = 244
  private static let headerBytes = 20

  /// The first `countMax` groups, of which there are 255 at most; nothing if there are none.
  private func encoded(countMax: Int) -> [UInt8] {
    let groups = groups.prefix(countMax)
    guard !groups.isEmpty else { return [] }
    var writer = ByteWriter(reserving: Self.headerBytes + 4 * groups.count)
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

  /// The parameter data of REPORT REFERRALS (SBC-3 §5.23.2), whichever LBA and ONE_SEG are asked
  /// for: the length of what follows in bytes 2–3, then the descriptor.
  public var parameterData: [UInt8] {
    let descriptor = encoded(countMax: Int(UInt8.max))
    var writer = ByteWriter(reserving: 4 + descriptor.count)
    writer.uint16(0)
    writer.uint16(UInt16(descriptor.count))
    writer.append(descriptor)
    return writer.bytes
  }

  /// The user data segment referral sense data descriptor. Only a whole segment may stand in it:
  /// one with more groups than fit is left out.
  ///
  /// | byte | field                                        |
  /// |------|----------------------------------------------|
  /// | 0    | DESCRIPTOR TYPE 0Bh                          |
  /// | 1    | ADDITIONAL LENGTH: bytes that follow         |
  /// | 2    | bit 0 NOT_ALL_R: the segment is not there     |
  /// | 4…   | the segment                                  |
  fileprivate var senseDescriptor: [UInt8] {
    let countMax = (Self.senseDescriptorBytesMax - 4 - Self.headerBytes) / 4
    let isWhole = groups.count <= countMax
    let descriptor = isWhole ? encoded(countMax: countMax) : []
    return [0x0B, UInt8(2 + descriptor.count), isWhole ? 0 : 0x01, 0] + descriptor
  }
}

// MARK: - Sense data

extension SenseData {
  /// 0F/3F/15, with GOOD: the blocks had better be reached through another group.
  public static var referralIsAdvised: SenseData {
    SenseData(.completed, asc: 0x3F, ascq: 0x15)
  }
  /// 0B/3F/15: the blocks can be reached through another group only.
  public static var referralIsNecessary: SenseData {
    SenseData(.abortedCommand, asc: 0x3F, ascq: 0x15)
  }

  /// INSPECT REFERRALS SENSE DESCRIPTORS.
  public var isReferral: Bool {
    additionalSenseCode == 0x3F && additionalSenseCodeQualifier == 0x15
  }

  /// Descriptor format, the only one that can carry a referral.
  public func encoded(referring referral: UserDataSegmentReferral) -> [UInt8] {
    precondition(isReferral, "no other condition has descriptors that leave room for it")
    var bytes = encoded(.descriptor).bytes + referral.senseDescriptor
    bytes[7] = UInt8(bytes.count - 8)
    return bytes
  }
}
