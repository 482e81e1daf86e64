internal import Bytes

/// ROD TYPE: what a token stands for (SPC-4 §5.17.6.3, table 122).
public enum RODType: UInt32, Sendable {
  /// The blocks as they are when the token is used.
  case accessUponReference = 0x0001_0000
  /// Zeros; needs no token to have been made (SBC-3 §4.29.3).
  case blockDeviceZero = 0xFFFF_0001
}

/// A ROD token: 512 bytes that an initiator shows instead of the data (SPC-4 §5.17.6.4).
///
/// | byte    | field                                                              |
/// |---------|--------------------------------------------------------------------|
/// | 0–3     | ROD TYPE                                                           |
/// | 6–7     | ROD TOKEN LENGTH, 01F8h                                            |
/// | 8–15    | COPY MANAGER ROD TOKEN IDENTIFIER                                  |
/// | 16–47   | CREATOR LOGICAL UNIT DESCRIPTOR, a CSCD descriptor                  |
/// | 48–63   | NUMBER OF BYTES REPRESENTED                                        |
/// | 96–127  | DEVICE TYPE SPECIFIC DATA: of a disk the block length in bytes 0–3  |
/// | 480–511 | secret: 256 random bits, which nobody guesses                       |
public enum RODToken {
  public static let byteCount = 512
  public static let secretByteCount = 32

  public static func encoded(
    identifier: UInt64, creator: CSCDDescriptor, byteCount: UInt64, secret: [UInt8]
  ) -> [UInt8] {
    precondition(secret.count == secretByteCount, "a token has a secret of 256 bits")
    var writer = ByteWriter(reserving: Self.byteCount)
    writer.uint32(RODType.accessUponReference.rawValue)
    writer.uint16(0)
    writer.uint16(0x01F8)
    writer.uint64(identifier)
    writer.append(creator.encoded())
    writer.uint64(0)
    writer.uint64(byteCount)
    writer.zeros(32)
    writer.uint32(creator.blockLengthBytes)
    writer.zeros(28)
    writer.zeros(Self.byteCount - secretByteCount - writer.count)
    writer.append(secret)
    precondition(writer.count == Self.byteCount, "a token has 512 bytes")
    return writer.bytes
  }

  /// The type of what an initiator shows as a token; throws what to answer if it cannot be one.
  public static func type(of token: [UInt8]) throws(SenseData) -> RODType {
    var reader = ByteReader(token)
    guard let type = reader.uint32(), reader.skip(2), let length = reader.uint16(),
      token.count == byteCount
    else { throw .invalidTokenLength }
    guard let type = RODType(rawValue: type) else { throw .unsupportedTokenType }
    guard length == 0x01F8 else { throw .invalidTokenLength }
    return type
  }
}
