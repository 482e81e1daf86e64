/// How one key is negotiated (RFC 7143 §13): its result function with where the result goes and
/// what the target brings, when it may be sent, and by whom.
struct KeyRule: Sendable {
  typealias Flag = any WritableKeyPath<OperationalParameters, Bool> & Sendable
  typealias Number = any WritableKeyPath<OperationalParameters, Int> & Sendable
  typealias Choice = any WritableKeyPath<OperationalParameters, PDUDigest> & Sendable
  typealias OurFlag = any KeyPath<NegotiationPolicy, Bool> & Sendable
  typealias OurNumber = any KeyPath<NegotiationPolicy, Int> & Sendable
  typealias OurChoices = any KeyPath<NegotiationPolicy, [PDUDigest]> & Sendable

  enum Function: Sendable {
    case or(Flag, OurFlag)
    case and(Flag, OurFlag)
    case minimum(ClosedRange<UInt64>, Number, OurNumber)
    case maximum(ClosedRange<UInt64>, Number, OurNumber)
    /// The first of the initiator's list that we admit.
    case digest(Choice, OurChoices)
    case taskReporting
    /// The initiator's own limit: no answer.
    case declaration(ClosedRange<UInt64>, Number)
    /// A name or text of the initiator's that the login itself reads: no answer.
    case initiatorText
    /// Only a target may send it.
    case targetOnly
    case sendTargets
    /// Answered with a constant (§13.25).
    case obsolete(String)
  }

  /// The "Use" of §13: IO and LO, FFPO, ALL.
  enum Phase: Sendable {
    case login
    case fullFeature
    case any
  }

  /// The "Scope" of §13, and for session-wide keys whether only the leading connection may send
  /// them.
  enum Scope: Sendable {
    case leadingOnly
    case session
    case connection
  }

  let name: String
  let function: Function
  let phase: Phase
  let scope: Scope
  let isIrrelevantInDiscovery: Bool

  init(
    _ name: String, _ function: Function, _ phase: Phase, _ scope: Scope,
    irrelevantInDiscovery: Bool = false
  ) {
    self.name = name
    self.function = function
    self.phase = phase
    self.scope = scope
    isIrrelevantInDiscovery = irrelevantInDiscovery
  }
}

extension KeyRule {
  private static let segmentLength: ClosedRange<UInt64> = 512...0xFF_FFFF

  /// Every key this target knows; a key that is not here is NotUnderstood. RFC 7143's defaults are
  /// the initial values of `OperationalParameters`.
  static let table: [KeyRule] = [
    // 13.1
    KeyRule(
      "HeaderDigest", .digest(\.connection.headerDigest, \.headerDigests), .login, .connection),
    KeyRule("DataDigest", .digest(\.connection.dataDigest, \.dataDigests), .login, .connection),
    // 13.2
    KeyRule(
      maxConnections, .minimum(1...65535, \.session.maxConnections, \.maxConnections),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    // 13.3–13.9
    KeyRule("SendTargets", .sendTargets, .fullFeature, .session),
    KeyRule("TargetName", .initiatorText, .login, .session),
    KeyRule("InitiatorName", .initiatorText, .login, .session),
    KeyRule("TargetAlias", .targetOnly, .any, .session),
    KeyRule("InitiatorAlias", .initiatorText, .any, .session),
    KeyRule("TargetAddress", .targetOnly, .any, .session),
    KeyRule("TargetPortalGroupTag", .targetOnly, .login, .session),
    // 13.10, 13.11
    KeyRule(
      "InitialR2T", .or(\.session.initialR2T, \.initialR2T),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    KeyRule(
      "ImmediateData", .and(\.session.immediateData, \.immediateData),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    // 13.12–13.14
    KeyRule(
      "MaxRecvDataSegmentLength",
      .declaration(segmentLength, \.connection.initiatorMaxRecvDataSegmentLength),
      .any, .connection),
    KeyRule(
      "MaxBurstLength", .minimum(segmentLength, \.session.maxBurstLength, \.maxBurstLength),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    KeyRule(
      firstBurstLength, .minimum(segmentLength, \.session.firstBurstLength, \.firstBurstLength),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    // 13.15–13.20
    KeyRule(
      "DefaultTime2Wait", .maximum(0...3600, \.session.defaultTime2Wait, \.defaultTime2Wait),
      .login, .leadingOnly),
    KeyRule(
      "DefaultTime2Retain", .minimum(0...3600, \.session.defaultTime2Retain, \.defaultTime2Retain),
      .login, .leadingOnly),
    KeyRule(
      "MaxOutstandingR2T", .minimum(1...65535, \.session.maxOutstandingR2T, \.maxOutstandingR2T),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    KeyRule(
      "DataPDUInOrder", .or(\.session.dataPDUInOrder, \.dataInOrder),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    KeyRule(
      "DataSequenceInOrder", .or(\.session.dataSequenceInOrder, \.dataInOrder),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    KeyRule(
      "ErrorRecoveryLevel", .minimum(0...2, \.session.errorRecoveryLevel, \.errorRecoveryLevel),
      .login, .leadingOnly),
    // 13.21, 13.23, 13.24
    KeyRule("SessionType", .initiatorText, .login, .session),
    KeyRule(taskReporting, .taskReporting, .login, .leadingOnly, irrelevantInDiscovery: true),
    KeyRule(
      "iSCSIProtocolLevel",
      .minimum(0...31, \.session.iSCSIProtocolLevel, \.iSCSIProtocolLevel),
      .login, .leadingOnly, irrelevantInDiscovery: true),
    // 13.25
    KeyRule("IFMarker", .obsolete("No"), .login, .connection),
    KeyRule("OFMarker", .obsolete("No"), .login, .connection),
    KeyRule("IFMarkInt", .obsolete("Reject"), .login, .connection),
    KeyRule("OFMarkInt", .obsolete("Reject"), .login, .connection),
  ]

  static let firstBurstLength = "FirstBurstLength"
  static let maxConnections = "MaxConnections"
  static let taskReporting = "TaskReporting"

  /// Keys whose answer depends on others of the same request.
  static let areJudgedLast: Set<String> = [firstBurstLength, taskReporting]

  private static let byName = Dictionary(uniqueKeysWithValues: table.map { ($0.name, $0) })

  static func named(_ name: String) -> KeyRule? { byName[name] }

  /// Values that answer an offer (§6.2). We offer nothing that needs an answer, and answering an
  /// answer would never end.
  static func isAnswer(_ value: String) -> Bool {
    value == "Reject" || value == "Irrelevant" || value == "NotUnderstood"
  }
}
