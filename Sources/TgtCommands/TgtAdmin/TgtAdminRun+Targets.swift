internal import AdministrationModel
internal import TargetConfig

// What --execute and --update make.

extension TgtAdminRun {
  typealias Target = TgtAdminConfiguration.Target

  /// Keys of the negotiation and the state, which go to tgtadm as they are.
  private static let parameters: Set<String> = [
    "MaxRecvDataSegmentLength", "MaxXmitDataSegmentLength", "HeaderDigest", "DataDigest",
    "InitialR2T", "MaxOutstandingR2T", "ImmediateData", "FirstBurstLength", "MaxBurstLength",
    "DataPDUInOrder", "DataSequenceInOrder", "ErrorRecoveryLevel", "IFMarker", "OFMarker",
    "DefaultTime2Wait", "DefaultTime2Retain", "OFMarkInt", "IFMarkInt", "MaxConnections", "state",
  ]

  /// All that are missing.
  mutating func addTargets(of configuration: TgtAdminConfiguration) async throws(End) {
    let driver = try await applyGlobal(configuration)
    for target in configuration.targets {
      guard present.state.tids[target.name.lowercased()] == nil else {
        comment("Target \(target.name) already exists!")
        continue
      }
      try await add(target, tid: nil, driver: driver)
    }
    if !configuration.targets.isEmpty { comment("") }
  }

  mutating func applyGlobal(
    _ configuration: TgtAdminConfiguration
  ) async throws(End) -> String {
    for entry in configuration.global.sorted(by: { $0.name < $1.name }) {
      switch entry.name {
      case "iSNS", "iSNSAccessControl", "iSNSServerIP", "iSNSServerPort":
        let words = "--op update --mode sys --name \(entry.name) -v \(entry.value)"
        try await execute(TgtadmCommand(controlPort, words))
      case "incomingdiscoveryuser", "outgoingdiscoveryuser":
        try await addDiscoveryUser(entry)
      default: break
      }
    }
    if let driver = configuration["default-driver"] { return driver }
    comment("default-driver not defined, defaulting to iscsi.")
    comment("")
    return "iscsi"
  }

  // MARK: One target

  mutating func add(
    _ target: Target, tid number: Int?, driver: String
  ) async throws(End) {
    // Checked when the file was read.
    tid = target["controller_tid"].flatMap { Int($0) } ?? number ?? tid + 1
    let lld = "--lld \(target["driver"] ?? driver)"
    comment("Adding target: \(target.name)")
    let creation = "\(lld) --op new --mode target --tid \(tid) -T \(target.name)"
    // The number may be another's: whoever is bound to it then would get in there.
    guard try await execute(TgtadmCommand(controlPort, creation)) else {
      return try refuseAccess("\(target.name) could not be made")
    }
    // Before anybody is bound: an offline target lets nobody in, not for a moment either.
    if !target.values("state").isEmpty, try await !set("state", of: target, lld) {
      return try refuseAccess(
        "\(target.name) has another state than it should: nobody is bound to it")
    }
    guard try await fill(target, lld) else {
      return try refuseAccess("\(target.name) has not all of its users: nobody is bound to it")
    }
    try await admit(target, lld)
  }

  /// All but who may use it. False: a user is missing.
  private mutating func fill(_ target: Target, _ lld: String) async throws(End) -> Bool {
    var hasAllUsers = true
    // Numbers that are given are nobody else's.
    var luns = LUNNumbers(target)
    for name in Set(target.entries.map(\.name)).sorted() {
      switch name {
      case "backing-store", "direct-store":
        for store in target.stores(name) {
          try await add(store, isDirect: name == "direct-store", of: target, lld, &luns)
        }
      case "incominguser", "outgoinguser":
        if try await !addUsers(name, of: target, lld) { hasAllUsers = false }
      case "state": break
      case _ where Self.parameters.contains(name): try await set(name, of: target, lld)
      default: break
      }
    }
    return hasAllUsers
  }

  /// Access is never left out as a disk is, whatever errors are ignored: --update changes nothing
  /// then, and --execute goes on, with what it concerns closed, and ends with 1.
  mutating func refuseAccess(_ sentence: String) throws(End) {
    complain(sentence)
    refusedCount += 1
    if isUpdate { throw End(code: 1) }
  }

  /// Last of all: until then nobody gets in. tgt-admin binds the outgoing user only after them.
  ///
  /// Nobody named is everybody. Where initiators are named, though by their names alone, tgt-admin
  /// binds ALL all the same, and the names mean nothing: that is not done.
  private mutating func admit(_ target: Target, _ lld: String) async throws(End) {
    for (name, option) in [("initiator-address", "-I"), ("initiator-name", "-Q")] {
      for value in target.values(name) {
        try await execute(
          TgtadmCommand(
            controlPort, "\(lld) --op bind --mode target --tid \(tid) \(option) \(value)"))
      }
    }
    guard target.values("initiator-address").isEmpty else { return }
    guard target.values("initiator-name").isEmpty else {
      return comment("Only the initiators that are named may use \(target.name)")
    }
    try await execute(
      TgtadmCommand(controlPort, "\(lld) --op bind --mode target --tid \(tid) -I ALL"))
  }

  @discardableResult
  private mutating func set(
    _ name: String, of target: Target, _ lld: String
  ) async throws(End) -> Bool {
    let values = target.values(name)
    if values.count > 1 {
      comment("Warning: only one \(name) is allowed. Will only use the first one.")
    }
    guard let value = values.first, !value.isEmpty else { throw missing(name, target.name) }
    return try await execute(
      TgtadmCommand(
        controlPort,
        "\(lld) --mode target --op update --tid \(tid) --name \(name) --value \(value)"))
  }

  func missing(_ name: String, _ target: String) -> End {
    refusal(
      "\nOption \(name) has a missing value!\n"
        + "Check your config file for errors (target: \(target))\n")
  }
}

/// The numbers of the LUNs of a target that is made.
struct LUNNumbers {
  private var taken: Set<String>

  init(_ target: TgtAdminConfiguration.Target) {
    let stores = target.stores("backing-store") + target.stores("direct-store")
    taken = Set(stores.compactMap { $0["lun"] })
  }

  /// The one that is given, else the lowest that is free from 1 on.
  mutating func number(
    _ store: TgtAdminConfiguration.Target.Store, _ target: TgtAdminConfiguration.Target
  ) -> String {
    if let given = target["lun"] ?? store["lun"] { return given }
    let free = (1...).first { !taken.contains("\($0)") } ?? 1
    taken.insert("\(free)")
    return "\(free)"
  }
}
