internal import Bytes

/// How the additional header segments of a PDU lie.
public enum AdditionalHeaderError: Error, Hashable, Sendable {
  /// AHSLength reaches past TotalAHSLength, or fewer bytes than a segment header are left.
  case truncated(offset: Int)
  /// A known type with a length it cannot have.
  case wrongLength(type: UInt8, length: Int)
  /// A known type came twice, so it is not clear which one counts.
  case repeated(type: UInt8)
}

/// What the additional header segments of a SCSI command say (RFC 7143 §11.2.2).
///
/// | byte | field of each segment                                                              |
/// |------|------------------------------------------------------------------------------------|
/// | 0–1  | AHSLength: bytes from byte 3 on, padding not counted                               |
/// | 2    | bits 5–0 AHSType: 1 Extended CDB, 2 Expected Bidirectional Read Data Length        |
/// | 3    | reserved in both types, and counted in AHSLength                                   |
/// | 4–   | type 1: CDB bytes from the seventeenth on; type 2: four bytes of length            |
///
/// Each segment is padded to a multiple of four bytes.
public struct AdditionalHeaderSegments: Hashable, Sendable {
  /// SPC-4 §4.2.3: a variable length CDB has at most 260 bytes, sixteen of them in the header.
  public static let extendedCDBByteCountMax = 260 - 16

  /// CDB bytes from the seventeenth on; empty without an Extended CDB segment.
  public private(set) var extendedCDB: [UInt8] = []
  /// Bytes the initiator has room for in a command that both writes and reads.
  public private(set) var expectedBidirectionalReadDataLength: UInt32?

  /// Parses `bytes`, all that follows the basic header up to TotalAHSLength. Unknown types are
  /// skipped, by a length that is checked first.
  public init(parsing bytes: [UInt8]) throws(AdditionalHeaderError) {
    var reader = ByteReader(bytes)
    while reader.remaining > 0 {
      let start = reader.offset
      guard let length = reader.uint16().map(Int.init), let type = reader.uint8(),
        let content = reader.bytes(length), reader.skip(PDUFraming.padding(of: 3 + length))
      else { throw .truncated(offset: start) }
      try take(type: type & 0x3F, content: content)
    }
  }

  /// `content` starts with the reserved byte 3.
  private mutating func take(
    type: UInt8, content: ArraySlice<UInt8>
  ) throws(AdditionalHeaderError) {
    switch type {
    case 1:
      guard (2...Self.extendedCDBByteCountMax + 1).contains(content.count) else {
        throw .wrongLength(type: type, length: content.count)
      }
      guard extendedCDB.isEmpty else { throw .repeated(type: type) }
      extendedCDB = Array(content.dropFirst())
    case 2:
      guard content.count == 5 else {
        throw .wrongLength(type: type, length: content.count)
      }
      guard expectedBidirectionalReadDataLength == nil else { throw .repeated(type: type) }
      expectedBidirectionalReadDataLength = content.dropFirst().reduce(0) { $0 << 8 | UInt32($1) }
    default: break
    }
  }
}
