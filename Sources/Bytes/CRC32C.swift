internal import CLinux

/// The iSCSI digest: CRC32C (Castagnoli), reflected, initial value and final XOR of all ones
/// (RFC 7143 §13.1). Feed it a PDU piece by piece; the check value of "123456789" is 0xE3069283.
public struct CRC32C: Sendable {
  private var state: UInt32 = 0xFFFF_FFFF

  public init() {}

  public mutating func update(_ bytes: UnsafeRawBufferPointer) {
    var rest = unsafe bytes
    while let base = rest.baseAddress, rest.count > 0 {
      // ISA-L counts in `int`; it never writes through the pointer, its signature merely forgot
      // `const`.
      let take = min(rest.count, Int(Int32.max))
      let start = unsafe UnsafeMutablePointer(
        mutating: base.assumingMemoryBound(to: UInt8.self))
      state = unsafe crc32_iscsi(start, Int32(take), state)
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[take...])
    }
  }

  public mutating func update(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe update($0) }
  }

  public mutating func update<let count: Int>(_ bytes: borrowing InlineArray<count, UInt8>) {
    unsafe bytes.span.withUnsafeBytes { unsafe update($0) }
  }

  /// The digest as the four bytes that follow the data on the wire: least significant byte first,
  /// because RFC 7143 §13.1 maps the CRC's x^31 coefficient to bit 7 of byte 0 after reflection.
  public var wireBytes: InlineArray<4, UInt8> {
    let digest = ~state
    return [
      UInt8(truncatingIfNeeded: digest), UInt8(truncatingIfNeeded: digest >> 8),
      UInt8(truncatingIfNeeded: digest >> 16), UInt8(truncatingIfNeeded: digest >> 24),
    ]
  }

  public var value: UInt32 { ~state }
}
