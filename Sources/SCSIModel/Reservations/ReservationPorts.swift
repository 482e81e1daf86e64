/// Which ports there are, as far as a PERSISTENT RESERVE OUT must know: those of the SCSI target
/// device that it came through, and the initiator ports that the device server has met.
public struct ReservationPorts: Sendable {
  /// A target port that presents the logical unit.
  public struct Port: Hashable, Sendable {
    public var port: TargetPort
    /// RELATIVE TARGET PORT IDENTIFIER, from 1.
    public var relativeIdentifier: UInt16

    public init(_ port: TargetPort, relativeIdentifier: UInt16) {
      self.port = port
      self.relativeIdentifier = relativeIdentifier
    }
  }

  /// The target ports that present the unit: where ALL_TG_PT registers, and where REGISTER AND MOVE
  /// may move to. Of these only the ports of the sender's own target are looked at, the SCSI target
  /// device of the standard; relative identifiers are unique among them.
  public var targetPorts: [Port]
  /// Initiator ports that are logged in; those registered are known besides. A TransportID without
  /// ISID stands for all of these that have its name.
  public var initiatorPorts: [InitiatorPort]

  public init(targetPorts: [Port], initiatorPorts: [InitiatorPort] = []) {
    self.targetPorts = targetPorts
    self.initiatorPorts = initiatorPorts
  }
}
