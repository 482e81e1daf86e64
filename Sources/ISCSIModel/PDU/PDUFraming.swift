/// How many bytes a PDU takes on the wire, from its header alone (RFC 7143 §11.2).
///
/// | part             | bytes                                              |
/// |------------------|----------------------------------------------------|
/// | BHS              | 48                                                 |
/// | AHS              | 0…1020, a multiple of 4                            |
/// | header digest    | 4 if negotiated                                    |
/// | data segment     | 0…2^24−1                                           |
/// | padding          | 0…3, of zeros                                      |
/// | data digest      | 4 if negotiated and the data segment is not empty  |
///
/// During login both digests are off (§13.1).
public struct PDUFraming: Hashable, Sendable, BitwiseCopyable {
  public static let digestByteCount = 4

  public var headerDigest: Bool
  public var dataDigest: Bool

  @inlinable
  public init(headerDigest: Bool = false, dataDigest: Bool = false) {
    self.headerDigest = headerDigest
    self.dataDigest = dataDigest
  }

  /// Bytes that pad `length` to a multiple of four: 0…3. `length` is not negative.
  @inlinable
  public static func padding(of length: Int) -> Int { -length & 3 }

  /// BHS, AHS and header digest: what must be there before the header may be believed.
  @inlinable
  public func headerLength(of header: BasicHeaderSegment) -> Int {
    BasicHeaderSegment.byteCount + header.totalAHSLengthBytes
      + (headerDigest ? Self.digestByteCount : 0)
  }

  /// Padding and data digest behind a data segment of `dataSegmentLength` bytes.
  @inlinable
  public func dataTrailerLength(of dataSegmentLength: Int) -> Int {
    guard dataSegmentLength > 0 else { return 0 }
    return Self.padding(of: dataSegmentLength) + (dataDigest ? Self.digestByteCount : 0)
  }

  /// Data segment, padding and data digest.
  @inlinable
  public func dataLength(of header: BasicHeaderSegment) -> Int {
    header.dataSegmentLength + dataTrailerLength(of: header.dataSegmentLength)
  }

  /// The whole PDU: 48…16,778,296 bytes.
  @inlinable
  public func totalLength(of header: BasicHeaderSegment) -> Int {
    headerLength(of: header) + dataLength(of: header)
  }
}
