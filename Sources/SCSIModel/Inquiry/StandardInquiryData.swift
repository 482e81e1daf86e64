internal import Bytes

/// PERIPHERAL QUALIFIER (SPC-4 §6.6.2, table 178).
public enum PeripheralQualifier: UInt8, Sendable, BitwiseCopyable {
  case connected = 0
  /// The unit could be there and is not.
  case notConnected = 1
  /// No unit can be there: the device type is then 1Fh.
  case notCapable = 3
}

/// PERIPHERAL DEVICE TYPE (SPC-4 §6.6.2).
public enum PeripheralDeviceType: UInt8, Sendable, BitwiseCopyable {
  case directAccessBlockDevice = 0x00
  case storageArrayController = 0x0C
  case wellKnownLogicalUnit = 0x1E
  case unknown = 0x1F
}

/// The first byte of every INQUIRY answer: qualifier in bits 7–5, type in bits 4–0.
public struct Peripheral: Hashable, Sendable, BitwiseCopyable {
  public var qualifier: PeripheralQualifier
  public var deviceType: PeripheralDeviceType

  public init(_ qualifier: PeripheralQualifier, _ deviceType: PeripheralDeviceType) {
    self.qualifier = qualifier
    self.deviceType = deviceType
  }

  public static let disk = Peripheral(.connected, .directAccessBlockDevice)
  /// The answer for a LUN that names no unit (SPC-4 §6.6.1): 7Fh. A disk could be there and is not
  /// now: initiators that find it so look again when they are told, where one that is found
  /// connected and not ready may be taken for an empty disk for good.
  public static let notConnected = Peripheral(.notConnected, .unknown)
  public static let absent = Peripheral(.notCapable, .unknown)

  public var rawValue: UInt8 { qualifier.rawValue << 5 | deviceType.rawValue }
}

/// A standard and its version, for the VERSION DESCRIPTORs (SPC-4 annex F.8), "no version claimed".
public struct VersionDescriptor: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let sam5 = VersionDescriptor(rawValue: 0x00A0)
  public static let spc4 = VersionDescriptor(rawValue: 0x0460)
  public static let sbc3 = VersionDescriptor(rawValue: 0x04C0)
  public static let iSCSI = VersionDescriptor(rawValue: 0x0960)
}

/// Standard INQUIRY data, 96 bytes (SPC-4 §6.6.2).
///
/// | byte  | field                                                                       |
/// |-------|-----------------------------------------------------------------------------|
/// | 0     | PERIPHERAL QUALIFIER, PERIPHERAL DEVICE TYPE                                 |
/// | 1     | bit 7 RMB                                                                   |
/// | 2     | VERSION, 6: SPC-4                                                           |
/// | 3     | bit 5 NORMACA 0, bit 4 HISUP 1, bits 3–0 RESPONSE DATA FORMAT 2              |
/// | 4     | ADDITIONAL LENGTH, 91                                                       |
/// | 5     | bits 5–4 TPGS, bit 3 3PC                                                    |
/// | 6     | bit 4 MULTIP                                                                |
/// | 7     | bit 1 CMDQUE 1                                                              |
/// | 8–15  | T10 VENDOR IDENTIFICATION                                                   |
/// | 16–31 | PRODUCT IDENTIFICATION                                                      |
/// | 32–35 | PRODUCT REVISION LEVEL                                                      |
/// | 58–73 | VERSION DESCRIPTORs, eight                                                  |
public struct StandardInquiryData: Sendable {
  public var peripheral: Peripheral
  /// Cut to 8, 16 and 4 characters of ASCII.
  public var vendor: String
  public var product: String
  public var revision: String
  public var isRemovable: Bool
  /// More than one target port leads to the unit.
  public var isMultiPort: Bool
  /// TPGS, 0…3: how asymmetric access is managed (1 implicit, 2 explicit, 3 both).
  public var targetPortGroupSupport: UInt8
  /// 3PC: third-party copy commands are served.
  public var isThirdPartyCopySupported: Bool
  public var versions: [VersionDescriptor]

  public init(
    peripheral: Peripheral = .disk, vendor: String, product: String, revision: String,
    isRemovable: Bool = false, isMultiPort: Bool = false, targetPortGroupSupport: UInt8 = 0,
    isThirdPartyCopySupported: Bool = false,
    versions: [VersionDescriptor] = [.sam5, .spc4, .sbc3, .iSCSI]
  ) {
    precondition(targetPortGroupSupport < 4, "TPGS has two bits")
    precondition(versions.count <= 8, "there is room for eight version descriptors")
    self.peripheral = peripheral
    self.vendor = vendor
    self.product = product
    self.revision = revision
    self.isRemovable = isRemovable
    self.isMultiPort = isMultiPort
    self.targetPortGroupSupport = targetPortGroupSupport
    self.isThirdPartyCopySupported = isThirdPartyCopySupported
    self.versions = versions
  }

  public func encoded() -> [UInt8] {
    var writer = ByteWriter(reserving: 96)
    writer.uint8(peripheral.rawValue)
    writer.uint8(isRemovable ? 0x80 : 0)
    writer.uint8(6)
    writer.uint8(0x12)
    writer.uint8(96 - 5)
    writer.uint8(targetPortGroupSupport << 4 | (isThirdPartyCopySupported ? 0x08 : 0))
    writer.uint8(isMultiPort ? 0x10 : 0)
    writer.uint8(0x02)
    writer.leftAlignedASCII(vendor, width: 8)
    writer.leftAlignedASCII(product, width: 16)
    writer.leftAlignedASCII(revision, width: 4)
    writer.zeros(58 - 36)
    for version in versions { writer.uint16(version.rawValue) }
    writer.zeros(96 - writer.count)
    precondition(writer.count == 96, "standard INQUIRY data is 96 bytes here")
    return writer.bytes
  }
}
