/// Builds a byte string field by field, big-endian as every iSCSI and SCSI structure is. For
/// answers outside the hot path: INQUIRY data, mode pages, parameter lists, text.
public struct ByteWriter {
  public private(set) var bytes: [UInt8] = []

  public init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

  public var count: Int { bytes.count }

  public mutating func uint8(_ value: UInt8) { bytes.append(value) }
  public mutating func uint16(_ value: UInt16) { integer(UInt64(value), byteCount: 2) }
  public mutating func uint24(_ value: UInt32) { integer(UInt64(value), byteCount: 3) }
  public mutating func uint32(_ value: UInt32) { integer(UInt64(value), byteCount: 4) }
  public mutating func uint64(_ value: UInt64) { integer(value, byteCount: 8) }

  public mutating func zeros(_ count: Int) {
    bytes.append(contentsOf: repeatElement(0, count: count))
  }

  public mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

  /// ASCII, cut or padded with spaces to `width`: the form of INQUIRY's identification fields
  /// (SPC-4 §4.3.1, left-aligned ASCII data).
  public mutating func leftAlignedASCII(_ text: String, width: Int) {
    var field = text.utf8.prefix(width).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    field.append(contentsOf: repeatElement(UInt8(ascii: " "), count: width - field.count))
    bytes.append(contentsOf: field)
  }

  private mutating func integer(_ value: UInt64, byteCount: Int) {
    for shift in stride(from: (byteCount - 1) * 8, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }
}
