internal import Bytes

/// A name of a logical unit, of a target port or of the target device (SPC-4 §7.8.6.2):
///
/// | byte | field                                                                        |
/// |------|------------------------------------------------------------------------------|
/// | 0    | bits 7–4 PROTOCOL IDENTIFIER (5: iSCSI), bits 3–0 CODE SET                    |
/// | 1    | bit 7 PIV, bits 5–4 ASSOCIATION, bits 3–0 DESIGNATOR TYPE                     |
/// | 3    | DESIGNATOR LENGTH                                                            |
/// | 4…   | DESIGNATOR                                                                   |
struct Designator {
  enum CodeSet: UInt8 { case binary = 1, ascii = 2, utf8 = 3 }
  enum Association: UInt8 { case logicalUnit = 0, targetPort = 1, targetDevice = 2 }
  enum Kind: UInt8 {
    case t10Vendor = 1, naa = 3, relativeTargetPort = 4, targetPortGroup = 5,
      logicalUnitGroup = 6, scsiName = 8
  }

  let codeSet: CodeSet
  let association: Association
  let kind: Kind
  /// At most 252.
  let bytes: [UInt8]

  private init(
    _ kind: Kind, _ association: Association, _ codeSet: CodeSet, _ bytes: [UInt8]
  ) {
    self.kind = kind
    self.association = association
    self.codeSet = codeSet
    self.bytes = bytes
  }

  // MARK: Of the logical unit

  /// NAA (SPC-4 §7.8.6.6).
  static func naa(_ identifier: NAAIdentifier) -> Designator {
    var writer = ByteWriter(reserving: 16)
    writer.uint64(identifier.high)
    writer.uint64(identifier.low)
    return Designator(.naa, .logicalUnit, .binary, writer.bytes)
  }

  /// T10 vendor identification (SPC-4 §7.8.6.4), cut where the length would not fit.
  static func t10Vendor(_ vendor: String, _ vendorSpecific: String) -> Designator {
    var writer = ByteWriter()
    writer.leftAlignedASCII(vendor, width: 8)
    writer.leftAlignedASCII(vendorSpecific, width: min(vendorSpecific.utf8.count, 244))
    return Designator(.t10Vendor, .logicalUnit, .ascii, writer.bytes)
  }

  /// SPC-4 §7.8.6.9.
  static func logicalUnitGroup(_ group: UInt16) -> Designator {
    Designator(.logicalUnitGroup, .logicalUnit, .binary, wide(group))
  }

  // MARK: Of the port and the device

  /// SPC-4 §7.8.6.7.
  static func relativeTargetPort(_ identifier: UInt16) -> Designator {
    Designator(.relativeTargetPort, .targetPort, .binary, wide(identifier))
  }

  /// SPC-4 §7.8.6.8.
  static func targetPortGroup(_ group: UInt16) -> Designator {
    Designator(.targetPortGroup, .targetPort, .binary, wide(group))
  }

  /// SCSI name string (SPC-4 §7.8.6.11): NUL-terminated and padded with NULs to a multiple of four.
  /// iSCSI names have at most 223 bytes, so nothing is cut.
  static func scsiName(_ name: String, of association: Association) -> Designator {
    let text = Array(name.utf8.prefix(251))
    let padding = [UInt8](repeating: 0, count: 4 - text.count % 4)
    return Designator(.scsiName, association, .utf8, text + padding)
  }

  /// Two reserved or obsolete bytes, then the identifier.
  private static func wide(_ value: UInt16) -> [UInt8] {
    [0, 0, UInt8(value >> 8), UInt8(value & 0xFF)]
  }

  func write(to writer: inout ByteWriter) {
    let isOfTransport = association != .logicalUnit
    writer.uint8((isOfTransport ? 0x50 : 0) | codeSet.rawValue)
    writer.uint8((isOfTransport ? 0x80 : 0) | association.rawValue << 4 | kind.rawValue)
    writer.uint8(0)
    writer.uint8(UInt8(bytes.count))
    writer.append(bytes)
  }
}
