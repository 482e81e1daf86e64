/// One target in a SendTargets answer (RFC 7143 appendix C).
public struct SendTargetsEntry: Hashable, Sendable {
  public struct Address: Hashable, Sendable {
    /// `192.168.1.2:3260` or `[2001:db8::1]:3260`.
    public let portal: String
    public let portalGroupTag: UInt16

    public init(portal: String, portalGroupTag: UInt16) {
      self.portal = portal
      self.portalGroupTag = portalGroupTag
    }
  }

  public let name: String
  public let addresses: [Address]

  public init(name: String, addresses: [Address]) {
    self.name = name
    self.addresses = addresses
  }

  /// TargetName, then its addresses: the order that ties them together.
  var pairs: [TextPair] {
    [TextPair("TargetName", name)]
      + addresses.map { TextPair("TargetAddress", "\($0.portal),\($0.portalGroupTag)") }
  }
}

/// What a SendTargets asks for. The owner answers with what this initiator may open, nothing else.
public enum SendTargetsQuery: Hashable, Sendable {
  case all
  /// Normalised.
  case target(String)
}

/// The text of a SendTargets answer.
public func sendTargetsText(_ entries: [SendTargetsEntry]) -> [UInt8] {
  TextKeys(entries.flatMap(\.pairs)).encoded
}
