internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// The negotiation of a target (RFC 7143 §13) by the names that tgt has for it.
struct TargetParameters {
  typealias Negotiation = TargetConfiguration.Negotiation

  private(set) var negotiation: Negotiation

  init(_ negotiation: Negotiation) { self.negotiation = negotiation }

  /// Whether a name is known and its value possible; what has no meaning here is a remark.
  enum Outcome: Equatable {
    case kept
    case remark(String)
    case refused(String?)
  }

  mutating func set(_ name: String, _ value: String) -> Outcome {
    switch name.lowercased() {
    case "headerdigest": digest(value, \.headerDigest)
    case "datadigest": digest(value, \.dataDigest)
    case "initialr2t": boolean(value, \.initialR2T)
    case "immediatedata": boolean(value, \.immediateData)
    case "maxrecvdatasegmentlength":
      number(value, Self.lengths, Self.lengths, \.maxRecvDataSegmentLength)
    case "maxburstlength": number(value, Self.lengths, Self.lengths, \.maxBurstLength)
    case "firstburstlength": number(value, Self.lengths, Self.lengths, \.firstBurstLength)
    case "maxoutstandingr2t": number(value, 1...65_535, 1...8, \.maxOutstandingR2T)
    case "maxconnections": number(value, 1...65_535, 1...8, \.maxConnections)
    case "defaulttime2wait": number(value, 0...3600, 0...3600, \.defaultTime2WaitSeconds)
    case "defaulttime2retain": number(value, 0...3600, 0...3600, \.defaultTime2RetainSeconds)
    case "maxqueuecmd":
      number(value, 1...512, 1...Negotiation.queueDepthMax, \.queueDepth)
    case "nop_interval": number(value, 0...3600, 0...3600, \.nopIntervalSeconds)
    case "nop_count": pings(value)
    default: fixed(name, value)
    }
  }

  /// The protocol's range for the three lengths (RFC 7143 §13.12 to §13.14).
  private static let lengths = 512...16_777_215

  private mutating func digest(
    _ value: String, _ key: WritableKeyPath<Negotiation, TargetConfiguration.DigestPolicy>
  ) -> Outcome {
    var policies: Set<String> = []
    for word in value.split(separator: ",") { policies.insert(word.lowercased()) }
    switch policies {
    case ["none"]: negotiation[keyPath: key] = .none
    case ["crc32c"]: negotiation[keyPath: key] = .crc32c
    case ["none", "crc32c"]: negotiation[keyPath: key] = .any
    default: return .refused(nil)
    }
    return .kept
  }

  private mutating func boolean(
    _ value: String, _ key: WritableKeyPath<Negotiation, Bool>
  ) -> Outcome {
    guard let isSo = Self.yesOrNo(value) else { return .refused(nil) }
    negotiation[keyPath: key] = isSo
    return .kept
  }

  private static func yesOrNo(_ value: String) -> Bool? {
    switch value.lowercased() {
    case "yes": true
    case "no": false
    default: nil
    }
  }

  private mutating func number(
    _ value: String, _ protocolRange: ClosedRange<Int>, _ range: ClosedRange<Int>,
    _ key: WritableKeyPath<Negotiation, Int>
  ) -> Outcome {
    guard let number = Int(numeral: value), protocolRange.contains(number) else {
      return .refused(nil)
    }
    // What is negotiated is the smaller of two: more than here is possible is what is possible.
    negotiation[keyPath: key] = min(number, range.upperBound)
    return number > range.upperBound
      ? .remark("\(number) is more than is possible here, \(range.upperBound)") : .kept
  }

  /// tgt gives up after so many pings without an answer.
  private mutating func pings(_ value: String) -> Outcome {
    guard let count = Int(numeral: value), count >= 0 else { return .refused(nil) }
    let (seconds, overflowed) = count.multipliedReportingOverflow(
      by: negotiation.nopIntervalSeconds)
    guard !overflowed, (1...3600).contains(seconds) else {
      return .remark("nop_count \(count): not kept, there is no interval to count")
    }
    negotiation.nopTimeoutSeconds = seconds
    return .kept
  }

  /// What the target does not choose here.
  private func fixed(_ name: String, _ value: String) -> Outcome {
    let usual: String
    switch name.lowercased() {
    case "datapduinorder", "datasequenceinorder": usual = "Yes"
    case "errorrecoverylevel":
      guard let level = Int(value), (0...2).contains(level) else { return .refused(nil) }
      usual = "0"
    case "ifmarker", "ofmarker": usual = "No"
    case "ifmarkint", "ofmarkint", "maxxmitdatasegmentlength", "rdmaextensions",
      "targetrecvdatasegmentlength", "initiatorrecvdatasegmentlength",
      "maxoutstandingunexpectedpdus":
      usual = value
    default: return .refused(nil)
    }
    return value.lowercased() == usual.lowercased()
      ? .kept : .remark("\(name) is always \(usual) here")
  }

  // MARK: As the configuration has it

  /// The key "iscsi" of a target that differs from the general one in this; null where in nothing.
  func value(besides general: Negotiation) -> JSONValue {
    let members = negotiation.overrides(of: general)
    return members.isEmpty ? .null : .object(JSONValue.members(members))
  }

  // MARK: As tgt lists it

  /// How many pings in a row may stay without an answer.
  var pingCount: Int {
    let interval = negotiation.nopIntervalSeconds
    return interval > 0 ? max(negotiation.nopTimeoutSeconds / interval, 1) : 0
  }

  /// The names and their order are tgt's; the values are those that are offered.
  var listing: String {
    let n = negotiation
    let lines: [(String, String)] = [
      ("nop_interval", "\(n.nopIntervalSeconds)"), ("nop_count", "\(pingCount)"),
      ("MaxRecvDataSegmentLength", "\(n.maxRecvDataSegmentLength)"),
      ("HeaderDigest", Self.word(n.headerDigest)), ("DataDigest", Self.word(n.dataDigest)),
      ("InitialR2T", Self.word(n.initialR2T)), ("MaxOutstandingR2T", "\(n.maxOutstandingR2T)"),
      ("ImmediateData", Self.word(n.immediateData)),
      ("FirstBurstLength", "\(n.firstBurstLength)"), ("MaxBurstLength", "\(n.maxBurstLength)"),
      ("DataPDUInOrder", "Yes"), ("DataSequenceInOrder", "Yes"), ("ErrorRecoveryLevel", "0"),
      ("IFMarker", "No"), ("OFMarker", "No"),
      ("DefaultTime2Wait", "\(n.defaultTime2WaitSeconds)"),
      ("DefaultTime2Retain", "\(n.defaultTime2RetainSeconds)"), ("OFMarkInt", "Reject"),
      ("IFMarkInt", "Reject"), ("MaxConnections", "\(n.maxConnections)"),
      ("RDMAExtensions", "No"),
      ("TargetRecvDataSegmentLength", "\(n.maxRecvDataSegmentLength)"),
      ("InitiatorRecvDataSegmentLength", "\(n.maxRecvDataSegmentLength)"),
      ("MaxOutstandingUnexpectedPDUs", "0"),
      ("MaxXmitDataSegmentLength", "\(n.maxRecvDataSegmentLength)"),
      ("MaxQueueCmd", "\(n.queueDepth)"),
    ]
    return lines.map { "\($0.0)=\($0.1)\n" }.joined()
  }

  private static func word(_ isSo: Bool) -> String { isSo ? "Yes" : "No" }

  private static func word(_ policy: TargetConfiguration.DigestPolicy) -> String {
    switch policy {
    case .none: "None"
    case .crc32c: "CRC32C"
    case .any: "None,CRC32C"
    }
  }
}

extension TgtadmCall {
  /// The running configuration, of which the API shows targets only from outside.
  func configuration(
    withSecrets: Bool = false
  ) async throws(TgtFailure) -> TargetConfiguration {
    let resource = try await asking { daemon throws(AdministrationError) in
      try await daemon.configuration(withSecrets: withSecrets)
    }
    do throws(ConfigurationError) {
      return try ConfigurationLoader.look(at: resource.text, file: resource.file)
    } catch {
      throw TgtFailure(
        "unknown error", reason: "the configuration that runs cannot be read: \(error)")
    }
  }

  func showParameters() async throws(TgtFailure) {
    let target = try await state().target(request.tid)
    let configured = try await configuration().targets.first { $0.name == target.name }
    guard let configured else { throw .noTarget }
    terminal.write(TargetParameters(configured.iscsi).listing)
  }

  func updateTarget() async throws(TgtFailure) {
    guard let name = request.name, let value = request.value else { throw .invalidRequest() }
    let state = try await state()
    let target = try state.target(request.tid)
    if name == "state" { return try await updateState(of: target, state) }
    if name.hasPrefix("Redirect") { throw .unsupported("logins are not redirected here") }
    let configuration = try await configuration()
    let configured = configuration.targets.first { $0.name == target.name }
    var parameters = TargetParameters(configured?.iscsi ?? configuration.iscsi)
    switch parameters.set(name, value) {
    case .kept: break
    case .remark(let sentence): remark(sentence)
    case .refused(let reason): throw .invalidRequest(reason)
    }
    guard parameters.negotiation != configured?.iscsi else { return }
    let values = ["iscsi": parameters.value(besides: configuration.iscsi)]
    try await change([.setTarget(Change.TargetKeys(target.name, values))])
  }
}
