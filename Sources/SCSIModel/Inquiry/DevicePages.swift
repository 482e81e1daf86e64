internal import Bytes

/// Extended INQUIRY data (VPD 86h, SPC-4 §7.8.7), 64 bytes. What is not named is 0.
///
/// | byte | field                                                                         |
/// |------|-------------------------------------------------------------------------------|
/// | 5    | bit 5 UASK_SUP, bit 4 GROUP_SUP, bit 3 PRIOR_SUP, bits 2–0 HEADSUP, ORDSUP, SIMPSUP |
/// | 6    | bit 0 V_SUP: there is a volatile cache                                         |
/// | 7    | bit 0 LUICLR: the I_T nexus loss of one initiator does not concern others       |
/// | 8    | bit 4 R_SUP: page B3h and REPORT REFERRALS are there                            |
/// | 13   | MAXIMUM SUPPORTED SENSE DATA LENGTH                                           |
public struct ExtendedInquiryData: Hashable, Sendable {
  public var isVolatileCachePresent: Bool
  /// R_SUP.
  public var servesReferrals: Bool

  public init(isVolatileCachePresent: Bool, servesReferrals: Bool) {
    self.isVolatileCachePresent = isVolatileCachePresent
    self.servesReferrals = servesReferrals
  }

  public var page: VitalProductData {
    var contents = [UInt8](repeating: 0, count: 0x3C)
    contents[1] = 0x07
    contents[2] = isVolatileCachePresent ? 0x01 : 0
    contents[3] = 0x01
    contents[4] = servesReferrals ? 0x10 : 0
    contents[9] = 252
    return VitalProductData(.extendedInquiry, contents: contents)
  }
}

extension VitalProductData {
  /// Software interface identification, 84h (SPC-4 §7.8.13): no identifiers, which are EUI-48
  /// numbers of a registry, are assigned to the unit.
  public static var softwareInterfaceIdentification: VitalProductData {
    VitalProductData(.softwareInterfaceIdentification, contents: [])
  }

  /// Management network addresses, 85h (SPC-4 §7.8.8): the administration interface has no network
  /// address.
  public static var managementNetworkAddresses: VitalProductData {
    VitalProductData(.managementNetworkAddresses, contents: [])
  }

  /// Mode page policy, 87h (SPC-4 §7.8.9): one descriptor for all pages and subpages (3Fh/FFh),
  /// MODE PAGE POLICY 0: one set of values, shared by all nexuses. MLUS 0: other units have their
  /// own.
  public static var modePagePolicy: VitalProductData {
    VitalProductData(.modePagePolicy, contents: [0x3F, 0xFF, 0, 0])
  }
}

/// A target port of the device: for iSCSI, a portal group of the target.
public struct TargetPortIdentity: Hashable, Sendable {
  /// TARGET PORT GROUP: every port is a group of its own.
  public var group: UInt16
  /// RELATIVE TARGET PORT IDENTIFIER, from 1.
  public var relativePort: UInt16
  /// The SCSI name: `<target>,t,0x<portal group tag>` (RFC 7143 §4.4.2).
  public var name: String

  public init(group: UInt16, relativePort: UInt16, name: String) {
    self.group = group
    self.relativePort = relativePort
    self.name = name
  }

  /// A portal group as a SCSI target port, and as a target port group of its own.
  public init(_ port: TargetPort) {
    self.init(
      group: port.portalGroupTag, relativePort: port.relativeIdentifier, name: port.scsiName)
  }
}

/// SCSI ports, 88h (SPC-4 §7.8.12): the target ports of the device, also those that the initiator
/// did not come through; as many as PAGE LENGTH can count, which is 244 at least. Each:
///
/// | byte | field                                                    |
/// |------|----------------------------------------------------------|
/// | 2–3  | RELATIVE PORT IDENTIFIER                                 |
/// | 6–7  | INITIATOR PORT TRANSPORTID LENGTH 0: it is no initiator port |
/// | 10–11 | TARGET PORT DESCRIPTORS LENGTH                          |
/// | 12…  | designator: the port's SCSI name                         |
public struct SCSIPorts: Sendable {
  public var ports: [TargetPortIdentity]

  public init(ports: [TargetPortIdentity]) { self.ports = ports }

  public var page: VitalProductData {
    var writer = ByteWriter()
    for port in ports.sorted(by: { $0.relativePort < $1.relativePort }) {
      let name = Designator.scsiName(port.name, of: .targetPort)
      // A target may have more portal groups, and nothing from outside may trap.
      guard writer.count + 16 + name.bytes.count <= Int(UInt16.max) else { break }
      writer.uint16(0)
      writer.uint16(port.relativePort)
      writer.zeros(6)
      writer.uint16(UInt16(4 + name.bytes.count))
      name.write(to: &writer)
    }
    return VitalProductData(.scsiPorts, contents: writer.bytes)
  }
}
