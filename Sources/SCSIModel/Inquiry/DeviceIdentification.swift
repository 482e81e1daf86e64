internal import Bytes

/// The NAA IEEE Registered Extended designator that names a logical unit (SPC-4 §7.8.6.6.5): 16
/// bytes, the first four bits 6.
public struct NAAIdentifier: Hashable, Sendable, BitwiseCopyable {
  public let high: UInt64
  public let low: UInt64

  /// Nil unless the highest four bits are 6.
  public init?(high: UInt64, low: UInt64) {
    guard high >> 60 == 6 else { return nil }
    self.high = high
    self.low = low
  }

  /// NAA 6, the 24-bit IEEE company identifier, then 36 and 64 bits of the vendor's choice.
  public init(companyID: UInt32, vendorSpecific: UInt64, extension low: UInt64) {
    precondition(companyID < 1 << 24, "an IEEE company identifier has 24 bits")
    precondition(vendorSpecific < 1 << 36, "the vendor specific identifier has 36 bits")
    high = 6 << 60 | UInt64(companyID) << 36 | vendorSpecific
    self.low = low
  }
}

/// What the device identification page tells (VPD 83h, SPC-4 §7.8.6). Each designator:
///
/// | byte | field                                                                        |
/// |------|------------------------------------------------------------------------------|
/// | 0    | bits 7–4 PROTOCOL IDENTIFIER (5: iSCSI), bits 3–0 CODE SET                    |
/// | 1    | bit 7 PIV, bits 5–4 ASSOCIATION, bits 3–0 DESIGNATOR TYPE                     |
/// | 3    | DESIGNATOR LENGTH                                                            |
/// | 4…   | DESIGNATOR                                                                   |
///
/// The NAA designator comes first: it is what multipath and udev should find. There is no logical unit
/// group designator (type 6h): it names units that share the access states of their port groups
/// (SPC-4 §5.15.2.1), and here each unit has its own, which SET TARGET PORT GROUPS changes alone.
public struct DeviceIdentification: Sendable {
  public var naa: NAAIdentifier
  /// T10 VENDOR IDENTIFICATION and what makes it unique, such as product and serial number.
  public var vendor: String
  public var vendorSpecific: String
  /// The group of the port that the command came through (ALUA).
  public var targetPortGroup: UInt16
  /// RELATIVE TARGET PORT IDENTIFIER of that port, from 1.
  public var relativeTargetPort: UInt16
  /// The iSCSI name of the target.
  public var targetName: String
  /// The tag of the iSCSI portal group that is the port.
  public var targetPortalGroupTag: UInt16

  public init(
    naa: NAAIdentifier, vendor: String, vendorSpecific: String, targetPortGroup: UInt16,
    relativeTargetPort: UInt16, targetName: String, targetPortalGroupTag: UInt16
  ) {
    self.naa = naa
    self.vendor = vendor
    self.vendorSpecific = vendorSpecific
    self.targetPortGroup = targetPortGroup
    self.relativeTargetPort = relativeTargetPort
    self.targetName = targetName
    self.targetPortalGroupTag = targetPortalGroupTag
  }

  private enum CodeSet: UInt8 { case binary = 1, ascii = 2, utf8 = 3 }
  private enum Association: UInt8 { case logicalUnit = 0, targetPort = 1, targetDevice = 2 }
  private enum DesignatorType: UInt8 {
    case t10Vendor = 1, naa = 3, relativeTargetPort = 4, targetPortGroup = 5, scsiName = 8
  }

  public var page: VitalProductData {
    var contents = ByteWriter()
    put(naaBytes, .binary, .logicalUnit, .naa, into: &contents)
    put(vendorBytes, .ascii, .logicalUnit, .t10Vendor, into: &contents)
    put(
      wideUInt16(relativeTargetPort), .binary, .targetPort, .relativeTargetPort, into: &contents)
    put(wideUInt16(targetPortGroup), .binary, .targetPort, .targetPortGroup, into: &contents)
    put(scsiName(portName), .utf8, .targetPort, .scsiName, into: &contents)
    put(scsiName(targetName), .utf8, .targetDevice, .scsiName, into: &contents)
    return VitalProductData(.deviceIdentification, contents: contents.bytes)
  }

  /// The SCSI port name: `<name>,t,0x<portal group tag>` (RFC 7143 §4.4.2).
  private var portName: String {
    let digits = String(targetPortalGroupTag, radix: 16)
    return targetName + ",t,0x" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  private var naaBytes: [UInt8] {
    var writer = ByteWriter(reserving: 16)
    writer.uint64(naa.high)
    writer.uint64(naa.low)
    return writer.bytes
  }

  private var vendorBytes: [UInt8] {
    var writer = ByteWriter()
    writer.leftAlignedASCII(vendor, width: 8)
    writer.leftAlignedASCII(vendorSpecific, width: min(vendorSpecific.utf8.count, 244))
    return writer.bytes
  }

  /// Two obsolete bytes, then the identifier (SPC-4 §7.8.6.7, §7.8.6.8).
  private func wideUInt16(_ value: UInt16) -> [UInt8] {
    [0, 0, UInt8(value >> 8), UInt8(value & 0xFF)]
  }

  /// NUL-terminated and padded with NULs to a multiple of four (SPC-4 §7.8.6.11). iSCSI names have
  /// at most 223 bytes, so nothing is cut.
  private func scsiName(_ name: String) -> [UInt8] {
    let text = Array(name.utf8.prefix(251))
    return text + [UInt8](repeating: 0, count: 4 - text.count % 4)
  }

  private func put(
    _ designator: [UInt8], _ codeSet: CodeSet, _ association: Association, _ type: DesignatorType,
    into writer: inout ByteWriter
  ) {
    let isOfPort = association != .logicalUnit
    writer.uint8((isOfPort ? 0x50 : 0) | codeSet.rawValue)
    writer.uint8((isOfPort ? 0x80 : 0) | association.rawValue << 4 | type.rawValue)
    writer.uint8(0)
    writer.uint8(UInt8(designator.count))
    writer.append(designator)
  }
}
