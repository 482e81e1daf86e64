internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

/// What a portal group negotiates (RFC 7143 §13), under the names of the standard.
enum SessionParameters {
  private typealias Negotiation = TargetConfiguration.Negotiation

  /// Held as they are: error recovery level 0, data in order, no markers.
  private static let fixed: [String: String] = [
    "DataPDUInOrder": "Yes", "DataSequenceInOrder": "Yes", "ErrorRecoveryLevel": "0",
    "IFMarkInt": "Reject", "IFMarker": "No", "OFMarkInt": "Reject", "OFMarker": "No",
    "MaxXmitDataSegmentLength": "262144",
  ]

  private static var numbers: [(name: String, key: String, path: WritableKeyPath<Negotiation, Int>)]
  {
    [
      ("MaxConnections", "maxConnections", \.maxConnections),
      ("MaxOutstandingR2T", "maxOutstandingR2T", \.maxOutstandingR2T),
      ("MaxBurstLength", "maxBurstLength", \.maxBurstLength),
      ("FirstBurstLength", "firstBurstLength", \.firstBurstLength),
      ("MaxRecvDataSegmentLength", "maxRecvDataSegmentLength", \.maxRecvDataSegmentLength),
      ("DefaultTime2Wait", "defaultTime2Wait", \.defaultTime2WaitSeconds),
      ("DefaultTime2Retain", "defaultTime2Retain", \.defaultTime2RetainSeconds),
      ("default_cmdsn_depth", "queueDepth", \.queueDepth),
    ]
  }

  private static var truths: [(name: String, key: String, path: WritableKeyPath<Negotiation, Bool>)]
  {
    [
      ("InitialR2T", "initialR2T", \.initialR2T),
      ("ImmediateData", "immediateData", \.immediateData),
    ]
  }

  private static var digests:
    [(
      name: String, key: String,
      path: WritableKeyPath<Negotiation, TargetConfiguration.DigestPolicy>
    )]
  {
    [("HeaderDigest", "headerDigest", \.headerDigest), ("DataDigest", "dataDigest", \.dataDigest)]
  }

  static var names: [String] {
    let own = numbers.map(\.name) + truths.map(\.name) + digests.map(\.name)
    return (fixed.keys + own + ["AuthMethod", "TargetAlias"])
      .filter { $0 != "default_cmdsn_depth" }.sorted()
  }

  static func settings(
    _ target: TargetConfiguration.Target?, asksUsers: Bool, isWritable: Bool
  ) -> [Setting] {
    let iscsi = target?.iscsi ?? .standard
    var settings = fixed.map { Setting($0, $1, isWritable: isWritable) }
    settings += numbers.filter { $0.name != "default_cmdsn_depth" }
      .map { Setting($0.name, "\(iscsi[keyPath: $0.path])", isWritable: isWritable) }
    settings += truths.map {
      Setting($0.name, Truth.yesNo(iscsi[keyPath: $0.path]), isWritable: isWritable)
    }
    settings += digests.map {
      Setting($0.name, word(iscsi[keyPath: $0.path]), isWritable: isWritable)
    }
    settings.append(Setting("AuthMethod", asksUsers ? "CHAP" : "None", isWritable: isWritable))
    settings.append(Setting("TargetAlias", target?.alias ?? "", isWritable: isWritable))
    return settings
  }

  private static func word(_ policy: TargetConfiguration.DigestPolicy) -> String {
    switch policy {
    case .any: "CRC32C,None"
    case .none: "None"
    case .crc32c: "CRC32C"
    }
  }

  /// The target's own `iscsi` key as a whole: what it says differently from the general one, and
  /// the new.
  static func change(
    _ named: [(name: String, value: String)], target name: String,
    _ target: TargetConfiguration.Target?, general: TargetConfiguration.Negotiation?
  ) throws(ExecutionError) -> Change {
    var values: [String: JSONValue] = [:]
    var own = difference(target?.iscsi ?? .standard, general ?? .standard)
    for (parameter, value) in named {
      if let number = numbers.first(where: { $0.name == parameter }) {
        guard let wanted = Int64(value) else {
          throw ExecutionError(
            "Not setting \(parameter)! Syntax error, '\(value)' is not a number.")
        }
        own[number.key] = .integer(wanted)
      } else if let truth = truths.first(where: { $0.name == parameter }) {
        guard value == "Yes" || value == "No" else {
          throw ExecutionError("Not setting \(parameter)! Syntax error, '\(value)' is not Yes|No.")
        }
        own[truth.key] = .boolean(value == "Yes")
      } else if let digest = digests.first(where: { $0.name == parameter }) {
        own[digest.key] = .text(try policy(parameter, value).rawValue)
      } else if parameter == "TargetAlias" {
        values["alias"] = value.isEmpty ? .null : .text(value)
      } else if parameter != "AuthMethod" {
        try FixedValues.check(parameter, value, fixed[parameter], of: "a portal group")
      }
    }
    values["iscsi"] = own.isEmpty ? .null : .object(own)
    return .setTarget(Change.TargetKeys(name, values))
  }

  private static func policy(
    _ parameter: String, _ value: String
  ) throws(ExecutionError) -> TargetConfiguration.DigestPolicy {
    switch Set(value.split(separator: ",").map { $0.lowercased() }) {
    case ["crc32c", "none"]: return .any
    case ["none"]: return .none
    case ["crc32c"]: return .crc32c
    default:
      throw ExecutionError("Not setting \(parameter)! '\(value)' is not made of CRC32C and None.")
    }
  }

  static func difference(
    _ own: TargetConfiguration.Negotiation, _ general: TargetConfiguration.Negotiation
  ) -> [String: JSONValue] {
    JSONValue.members(own.overrides(of: general))
  }
}
