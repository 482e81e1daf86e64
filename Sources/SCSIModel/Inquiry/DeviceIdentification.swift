internal import Bytes

/// The NAA IEEE Registered Extended designator that names a logical unit (SPC-4 §7.8.6.6.5): 16
/// bytes, the first four bits 6.
public struct NAAIdentifier: Hashable, Sendable, BitwiseCopyable {
  public let high: UInt64
  public let low: UInt64

  /// nil unless the highest four bits are 6.
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

/// What the device identification page tells (VPD 83h, SPC-4 §7.8.6): the `Designator`s of the
/// unit, of the port that the command came through, and of the target device.
///
/// The NAA designator comes first: it is what multipath and udev should find. Units of one logical
/// unit group share the access states of their port groups (SPC-4 §5.15.2.1). Here each unit has
/// its own, which SET TARGET PORT GROUPS changes alone: so each is a group of its own.
public struct DeviceIdentification: Sendable {
  public var naa: NAAIdentifier
  /// T10 VENDOR IDENTIFICATION and what makes it unique, such as product and serial number.
  public var vendor: String
  public var vendorSpecific: String
  /// The logical unit group, which no other unit of the target device is in; nil: not told.
  public var group: UInt16?
  /// The port that the command came through.
  public var port: TargetPortIdentity
  /// The iSCSI name of the target.
  public var targetName: String

  public init(
    naa: NAAIdentifier, vendor: String, vendorSpecific: String, group: UInt16? = nil,
    port: TargetPortIdentity, targetName: String
  ) {
    self.naa = naa
    self.vendor = vendor
    self.vendorSpecific = vendorSpecific
    self.group = group
    self.port = port
    self.targetName = targetName
  }

  public var page: VitalProductData {
    let ofUnit: [Designator?] = [
      .naa(naa), .t10Vendor(vendor, vendorSpecific), group.map { .logicalUnitGroup($0) },
    ]
    let ofPortAndDevice: [Designator] = [
      .relativeTargetPort(port.relativePort), .targetPortGroup(port.group),
      .scsiName(port.name, of: .targetPort), .scsiName(targetName, of: .targetDevice),
    ]
    var contents = ByteWriter()
    for designator in ofUnit.compactMap(\.self) + ofPortAndDevice {
      designator.write(to: &contents)
    }
    return VitalProductData(.deviceIdentification, contents: contents.bytes)
  }
}
