internal import AdministrationModel
internal import CommandSupport

/// Why tgtadm did nothing, or cannot tell whether it did: what it says, and the code that it ends
/// with.
struct TgtFailure: Error, Equatable {
  /// As it is written to standard error.
  var text: String
  var code: Int32

  init(text: String, code: Int32) {
    self.text = text
    self.code = code
  }

  /// `reason` is a second line, where tgt has one sentence for many mistakes.
  init(_ sentence: String, reason: String? = nil, code: Int32 = invalid) {
    text = "tgtadm: \(sentence)\n" + (reason.map { "    \($0.printable)\n" } ?? "")
    self.code = code
  }

  static func usage(_ line: String) -> TgtFailure {
    TgtFailure(text: line + "\nTry `tgtadm --help' for more information.\n", code: invalid)
  }

  /// EINVAL: tgtadm ends with it whatever the daemon refuses.
  static let invalid: Int32 = 22
  /// ENOTCONN: nobody answers, or not to whoever asks.
  static let notConnected: Int32 = 107
  /// ETIMEDOUT, of a change. Not `notConnected`, by which programs know that nothing was changed.
  static let unanswered: Int32 = 110
}

// The sentences of tgt, which programs compare with.
extension TgtFailure {
  static let noDriver = TgtFailure("can't find the driver")
  static let noTarget = TgtFailure("can't find the target")
  static let noLogicalUnit = TgtFailure("can't find the logical unit")
  static let noSession = TgtFailure("can't find the session")
  static let noConnection = TgtFailure("can't find the connection")
  static let noAccount = TgtFailure("can't find the account")
  static let noRule = TgtFailure("this access control rule does not exist")
  static let targetExists = TgtFailure("this target already exists")
  static let logicalUnitExists = TgtFailure("this logical unit number already exists")
  static let ruleExists = TgtFailure("this access control rule already exists")
  static let accountExists = TgtFailure("this account already exists")
  static let outgoingExists = TgtFailure("this target already has an outgoing account")
  static let targetActive = TgtFailure("this target is still active")
  static let logicalUnitActive = TgtFailure("this logical unit is still active")
  static let driverBusy = TgtFailure("this driver is busy")

  static func unsupported(_ reason: String? = nil) -> TgtFailure {
    TgtFailure("this operation isn't supported", reason: reason)
  }

  static func invalidRequest(_ reason: String? = nil) -> TgtFailure {
    TgtFailure("invalid request", reason: reason)
  }

  /// `conflict` and `inUse` have sentences that depend on what was asked for.
  init(
    _ error: AdministrationError, conflict: TgtFailure? = nil, inUse: TgtFailure? = nil
  ) {
    switch error.code {
    case .unavailable:
      self.init(
        "failed to send request hdr to tgt daemon, Transport endpoint is not connected",
        reason: error.description, code: Self.notConnected)
    case .unanswered:
      self.init(
        "it is not certain whether that was done", reason: error.description,
        code: Self.unanswered)
    case .forbidden, .unauthorized:
      self.init(text: "tgtadm: \(error.message.printable)\n", code: Self.notConnected)
    case .conflict where conflict != nil: self = conflict ?? .invalidRequest()
    case .inUse where inUse != nil: self = inUse ?? .invalidRequest()
    case .internal: self.init("unknown error", reason: error.description)
    case .needsRestart: self = .unsupported(error.description)
    default: self = .invalidRequest(error.description)
    }
  }
}
