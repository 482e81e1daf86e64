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
        let (user, password) = try credential(entry.value, entry.name, "")
        try await makeAccount(user, password, lld: "")
        let isOutgoing = entry.name.hasPrefix("outgoing")
        // Each target that is made anew comes by here, and each --execute.
        guard !isBound(user, outgoing: isOutgoing) else { continue }
        // tgt's line has a blank here, too.
        let end = isOutgoing ? "  --outgoing" : " "
        try await execute(
          TgtadmCommand(controlPort, "--mode account --op bind --user=\(user)\(end)"))
      default: break
      }
    }
    if let driver = configuration["default-driver"] { return driver }
    comment("default-driver not defined, defaulting to iscsi.")
    comment("")
    return "iscsi"
  }

  /// To discovery.
  private func isBound(_ user: String, outgoing isOutgoing: Bool) -> Bool {
    guard isOutgoing else { return present.discovery.chapUsers.contains(user) }
    return [present.discovery.mutualCHAPUser, present.state.notes.outgoing[""]].contains(user)
  }

  // MARK: One target

  mutating func add(
    _ target: Target, tid number: Int?, driver: String
  ) async throws(End) {
    tid = target["controller_tid"].flatMap { Int($0) } ?? number ?? tid + 1
    let lld = "--lld \(target["driver"] ?? driver)"
    comment("Adding target: \(target.name)")
    try await execute(
      TgtadmCommand(controlPort, "\(lld) --op new --mode target --tid \(tid) -T \(target.name)"))
    // Before anybody is bound: an offline target lets nobody in, not for a moment either.
    if !target.values("state").isEmpty, try await !set("state", of: target, lld) {
      return comment("\(target.name) has another state than it should: nobody is bound to it")
    }
    // Numbers that are given are nobody else's.
    var luns = LUNNumbers(target)
    for name in Set(target.entries.map(\.name)).sorted() {
      switch name {
      case "backing-store", "direct-store":
        for store in target.stores(name) {
          try await add(store, isDirect: name == "direct-store", of: target, lld, &luns)
        }
      case "incominguser", "outgoinguser": try await addUsers(name, of: target, lld)
      case "initiator-address", "initiator-name":
        let option = name == "initiator-address" ? "-I" : "-Q"
        for value in target.values(name) {
          try await execute(
            TgtadmCommand(
              controlPort, "\(lld) --op bind --mode target --tid \(tid) \(option) \(value)"))
        }
      case "state": break
      case _ where Self.parameters.contains(name): try await set(name, of: target, lld)
      default: break
      }
    }
    try await admitAll(target, lld)
  }

  /// Nobody named is everybody. Where initiators are named, though by their names alone, tgt-admin
  /// binds ALL all the same, and the names mean nothing: that is not done.
  private mutating func admitAll(_ target: Target, _ lld: String) async throws(End) {
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

  // MARK: Users

  private mutating func addUsers(
    _ name: String, of target: Target, _ lld: String
  ) async throws(End) {
    let isOutgoing = name == "outgoinguser"
    var values = target.values(name)
    if isOutgoing, values.count > 1 {
      comment("Warning: only one outgoinguser is allowed. Will only use the first one.")
      values = Array(values.prefix(1))
    }
    for value in values {
      let (user, password) = try credential(value, name, target.name)
      try await makeAccount(user, password, lld: "\(lld) ")
      let end = isOutgoing ? " --outgoing" : ""
      try await execute(
        TgtadmCommand(
          controlPort, "\(lld) --mode account --op bind --tid=\(tid) --user=\(user)\(end)"))
    }
  }

  private mutating func makeAccount(
    _ user: String, _ password: String, lld: String
  ) async throws(End) {
    guard present.accounts.insert(user).inserted else { return }
    try await execute(
      TgtadmCommand(
        controlPort,
        "\(lld)--mode account --op new --user=\(user) --password=\(password)"))
  }

  private func credential(
    _ value: String, _ name: String, _ target: String
  ) throws(End) -> (user: String, password: String) {
    let words = value.split(whereSeparator: \.isWhitespace).map(String.init)
    guard words.count >= 2 else { throw missing(name, target) }
    return (words[0], words[1])
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
