internal import Bytes

/// The code of a vital product data page (SPC-4 §7.8, SBC-3 §6.5).
public struct VitalProductDataPage: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let supportedPages = VitalProductDataPage(rawValue: 0x00)
  public static let unitSerialNumber = VitalProductDataPage(rawValue: 0x80)
  public static let deviceIdentification = VitalProductDataPage(rawValue: 0x83)
  public static let softwareInterfaceIdentification = VitalProductDataPage(rawValue: 0x84)
  public static let managementNetworkAddresses = VitalProductDataPage(rawValue: 0x85)
  public static let extendedInquiry = VitalProductDataPage(rawValue: 0x86)
  public static let modePagePolicy = VitalProductDataPage(rawValue: 0x87)
  public static let scsiPorts = VitalProductDataPage(rawValue: 0x88)
  public static let thirdPartyCopy = VitalProductDataPage(rawValue: 0x8F)
  public static let blockLimits = VitalProductDataPage(rawValue: 0xB0)
  public static let blockDeviceCharacteristics = VitalProductDataPage(rawValue: 0xB1)
  public static let logicalBlockProvisioning = VitalProductDataPage(rawValue: 0xB2)
  public static let referrals = VitalProductDataPage(rawValue: 0xB3)

  /// What a disk may have, in ascending order.
  public static let ofDisk: [VitalProductDataPage] = [
    .supportedPages, .unitSerialNumber, .deviceIdentification, .softwareInterfaceIdentification,
    .managementNetworkAddresses, .extendedInquiry, .modePagePolicy, .scsiPorts, .thirdPartyCopy,
    .blockLimits,
    .blockDeviceCharacteristics, .logicalBlockProvisioning, .referrals,
  ]

  /// What a disk has that does without some.
  public static func ofDisk(withReferrals: Bool) -> [VitalProductDataPage] {
    ofDisk.filter { $0 != .referrals || withReferrals }
  }
}

/// A page and its header.
///
/// | byte | field                                       |
/// |------|---------------------------------------------|
/// | 0    | PERIPHERAL QUALIFIER, PERIPHERAL DEVICE TYPE |
/// | 1    | PAGE CODE                                   |
/// | 2–3  | PAGE LENGTH: bytes that follow              |
public struct VitalProductData: Sendable {
  public let page: VitalProductDataPage
  public let contents: [UInt8]

  public init(_ page: VitalProductDataPage, contents: [UInt8]) {
    precondition(contents.count <= Int(UInt16.max), "a page's length has 16 bits")
    self.page = page
    self.contents = contents
  }

  public func encoded(_ peripheral: Peripheral = .disk) -> [UInt8] {
    var writer = ByteWriter(reserving: 4 + contents.count)
    writer.uint8(peripheral.rawValue)
    writer.uint8(page.rawValue)
    writer.uint16(UInt16(contents.count))
    writer.append(contents)
    return writer.bytes
  }

  /// Supported VPD pages, 00h (SPC-4 §7.8.14): in ascending order, itself included.
  public static func supportedPages(_ pages: [VitalProductDataPage]) -> VitalProductData {
    VitalProductData(.supportedPages, contents: pages.map(\.rawValue).sorted())
  }

  /// Unit serial number, 80h (SPC-4 §7.8.15): printable ASCII.
  public static func unitSerialNumber(_ serial: String) -> VitalProductData {
    var writer = ByteWriter()
    writer.leftAlignedASCII(serial, width: min(serial.utf8.count, 252))
    return VitalProductData(.unitSerialNumber, contents: writer.bytes)
  }
}
