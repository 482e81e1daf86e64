/// A SCSI initiator port of iSCSI: a name and the ISID of one of its sessions (RFC 7143 §4.4.2).
public struct InitiatorPort: Hashable, Sendable {
  /// The iSCSI name of the initiator device, at most 223 bytes.
  public var name: String
  /// The ISID, 48 bits.
  public var isid: UInt64

  public init(name: String, isid: UInt64) {
    self.name = name
    self.isid = isid
  }
}

/// A SCSI target port of iSCSI: a target and one of its portal groups (RFC 7143 §4.4.2).
public struct TargetPort: Hashable, Sendable {
  /// The iSCSI name of the target device, at most 223 bytes.
  public var name: String
  public var portalGroupTag: UInt16

  public init(name: String, portalGroupTag: UInt16) {
    self.name = name
    self.portalGroupTag = portalGroupTag
  }

  /// RELATIVE TARGET PORT IDENTIFIER: the tag, and as that is never 0, group 0 has the last.
  public var relativeIdentifier: UInt16 { portalGroupTag == 0 ? .max : portalGroupTag }

  /// The SCSI name of the port: `<name>,t,0x<portal group tag>`, the tag in four digits.
  public var scsiName: String {
    let digits = String(portalGroupTag, radix: 16)
    return name + ",t,0x" + String(repeating: "0", count: 4 - digits.count) + digits
  }
}

/// What an I_T nexus is called, whether it is there at the moment or not: what a registration
/// belongs to (SPC-4 §5.13.5). A later session of the same initiator port at the same target port
/// is the same nexus.
public struct NexusIdentity: Hashable, Sendable {
  public var initiator: InitiatorPort
  public var target: TargetPort

  public init(initiator: InitiatorPort, target: TargetPort) {
    self.initiator = initiator
    self.target = target
  }
}
