// Every number that names something has a type of its own, so that one tag cannot pass for another.

/// Names a task from the initiator's side, unique among its session's tasks (RFC 7143 §11.2.1.8).
public struct InitiatorTaskTag: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// 0xFFFFFFFF: no task. In a NOP-Out it means "do not answer" (§11.18.1).
  public static let reserved = InitiatorTaskTag(rawValue: 0xFFFF_FFFF)
}

/// Names an R2T, a target NOP-In or a text exchange from the target's side (RFC 7143 §11.7.4).
public struct TargetTransferTag: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt32

  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// 0xFFFFFFFF: none. In Data-Out it marks unsolicited data.
  public static let reserved = TargetTransferTag(rawValue: 0xFFFF_FFFF)
}

/// The initiator's part of a session's identity, six bytes (RFC 7143 §11.12.5). With the initiator
/// name it is the SCSI initiator port, so it must compare byte for byte.
public struct InitiatorSessionID: RawRepresentable, Hashable, Sendable, BitwiseCopyable,
  CustomStringConvertible
{
  /// The six bytes in the low 48 bits.
  public let rawValue: UInt64

  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue & 0xFFFF_FFFF_FFFF }

  /// Twelve hexadecimal digits, as in an iSCSI TransportID (SPC-4 §7.6.4.6).
  public var description: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 12 - digits.count) + digits
  }
}

/// The target's handle of a session (RFC 7143 §11.12.6); zero asks for a new one.
public struct TargetSessionID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let none = TargetSessionID(rawValue: 0)
}

/// Names a connection within its session (RFC 7143 §11.12.7).
public struct ConnectionID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt16

  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }
}
