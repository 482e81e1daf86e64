/// What is left over when a command's length and the Expected Data Transfer Length differ
/// (RFC 7143 §11.4.5).
public enum Residual: Hashable, Sendable, BitwiseCopyable {
  case none
  /// U: so many bytes of those expected were not transferred.
  case underflow(UInt32)
  /// O: so many bytes were not transferred because the initiator did not expect them.
  case overflow(UInt32)

  /// Which way a command moves data, as its operation code defines it, whatever R and W said.
  public enum Direction: Hashable, Sendable { case none, read, write }

  /// The residual of a command that by its CDB moves `transferLength` bytes in `direction`.
  ///
  /// Expectation in the other direction than the command's does not count: a READ sent without R
  /// had no room at all, so all of it overflows (§11.3.1, §11.4.5.1).
  public init(
    of command: SCSICommandRequest, transferLength: UInt64, direction: Direction
  ) {
    let expected = command.expectedDataTransferLength
    switch direction {
    case .none: self.init(expected: expected, transferLength: 0)
    case .read:
      self.init(expected: command.isRead ? expected : 0, transferLength: transferLength)
    case .write:
      self.init(expected: command.isWrite ? expected : 0, transferLength: transferLength)
    }
  }

  /// The residual of `transferLength` bytes against an Expected Data Transfer Length. The 32-bit
  /// count saturates: a 16-byte CDB can ask for more than 4 GiB.
  @inlinable
  public init(expected: UInt32, transferLength: UInt64) {
    let expected = UInt64(expected)
    if transferLength > expected {
      self = .overflow(UInt32(clamping: transferLength - expected))
    } else if transferLength < expected {
      self = .underflow(UInt32(clamping: expected - transferLength))
    } else {
      self = .none
    }
  }

  /// The Residual Count field.
  @inlinable
  var count: UInt32 {
    switch self {
    case .none: 0
    case .underflow(let count), .overflow(let count): count
    }
  }

  /// The bit of byte 1 that says what the count means; which bit depends on the field.
  @inlinable
  func flags(overflow: UInt8, underflow: UInt8) -> UInt8 {
    switch self {
    case .none: 0
    case .underflow: underflow
    case .overflow: overflow
    }
  }

  /// Both bits at once is a protocol error of the sender (§11.4.1) and reads as overflow here.
  @inlinable
  init(overflow: Bool, underflow: Bool, count: UInt32) {
    self = overflow ? .overflow(count) : underflow ? .underflow(count) : .none
  }
}
