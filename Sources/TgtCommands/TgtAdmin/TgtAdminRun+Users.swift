internal import AdministrationModel
internal import TargetConfig

// Accounts, and where they are bound. What is bound is a copy: an account that gets another
// password changes nothing of those from before.

extension TgtAdminRun {
  /// False: one is not bound, or not with the password that the file has.
  mutating func addUsers(
    _ name: String, of target: Target, _ lld: String
  ) async throws(End) -> Bool {
    let isOutgoing = name == "outgoinguser"
    var values = target.values(name)
    if isOutgoing, values.count > 1 {
      comment("Warning: only one outgoinguser is allowed. Will only use the first one.")
      values = Array(values.prefix(1))
    }
    var areBound = true
    for value in values {
      let (user, password) = try credential(value, name, target.name)
      guard try await makeAccount(user, password, lld: "\(lld) ") else {
        areBound = false
        continue
      }
      let end = isOutgoing ? " --outgoing" : ""
      let binding = "\(lld) --mode account --op bind --tid=\(tid) --user=\(user)\(end)"
      if try await !execute(TgtadmCommand(controlPort, binding)) { areBound = false }
    }
    return areBound
  }

  /// Whether there is one with that password then.
  private mutating func makeAccount(
    _ user: String, _ password: String, lld: String
  ) async throws(End) -> Bool {
    guard present.accounts.insert(user).inserted else {
      return try await hasPassword(user, password)
    }
    let creation = "\(lld)--mode account --op new --user=\(user) --password=\(password)"
    let isMade = try await execute(TgtadmCommand(controlPort, creation))
    if isMade { present.passwords[user] = password }
    return isMade
  }

  /// tgt-admin takes an account that is there, whatever its password is: so one that was changed
  /// because others know it would go on being good.
  private mutating func hasPassword(
    _ user: String, _ password: String
  ) async throws(End) -> Bool {
    guard !options.isPretended else { return true }
    guard let known = present.passwords[user] else {
      complain(
        "\(user) comes from the configuration, and its password cannot be compared: bind it with "
          + "swift-tgtadm chap add")
      return false
    }
    guard known != password else { return true }
    guard isUpdate else {
      complain("\(user) has another password than the file says: --update replaces it")
      return false
    }
    try await replace(user, password)
    return true
  }

  /// tgtadm has no command for it.
  private mutating func replace(
    _ user: String, _ password: String, with copies: [Change] = []
  ) async throws(End) {
    let changes = [TgtNotes.replaceAccount(user, password)] + copies
    do throws(AdministrationError) {
      _ = try await daemon.change(ChangeRequest(changes, ChangeOptions(runtimeOnly: true)))
    } catch {
      let failure = TgtFailure(error)
      surroundings.terminal.complain(failure.text)
      throw End(code: failure.code)
    }
    present.passwords[user] = password
    replacedUsers.insert(user)
  }

  /// After all targets: those that were not made anew have the copies that they had.
  func tellFormerPasswords() {
    for target in present.state.targets where !namesMadeAnew.contains(target.name) {
      let users = Set(target.chapUsers + [target.mutualCHAPUser].compactMap { $0 })
      for user in users.intersection(replacedUsers).sorted() {
        complain("\(target.name) was not updated: it may keep the former password of \(user)")
      }
    }
  }

  // MARK: Discovery

  mutating func addDiscoveryUser(_ entry: TgtAdminConfiguration.Entry) async throws(End) {
    let (user, password) = try credential(entry.value, entry.name, "")
    let isOutgoing = entry.name.hasPrefix("outgoing")
    // Each target that is made anew comes by here, and each --execute.
    guard !isBound(user, outgoing: isOutgoing) else {
      return try await compareDiscovery(user, password, outgoing: isOutgoing)
    }
    // tgt's line has a blank here, too.
    let end = isOutgoing ? "  --outgoing" : " "
    let binding = TgtadmCommand(controlPort, "--mode account --op bind --user=\(user)\(end)")
    var isDone = try await makeAccount(user, password, lld: "")
    if isDone { isDone = try await execute(binding) }
    if !isDone { try refuseAccess("\(user) is not bound to discovery") }
  }

  /// To discovery.
  private func isBound(_ user: String, outgoing isOutgoing: Bool) -> Bool {
    guard isOutgoing else { return present.discovery.chapUsers.contains(user) }
    return [present.discovery.mutualCHAPUser, present.state.notes.outgoing[""]].contains(user)
  }

  private mutating func compareDiscovery(
    _ user: String, _ password: String, outgoing isOutgoing: Bool
  ) async throws(End) {
    guard !options.isPretended else { return }
    // It waits in a note for a user that has to prove itself first.
    let isWaiting = isOutgoing && present.discovery.mutualCHAPUser != user
    var known = present.passwords[user].map { Secret($0) }
    if !isWaiting { known = await discoverySecret(of: user, outgoing: isOutgoing) }
    guard known != Secret(password) else { return }
    guard known != nil else {
      return try refuseAccess("the password that discovery has of \(user) cannot be compared")
    }
    guard isUpdate else {
      return try refuseAccess(
        "discovery has another password of \(user) than the file says: --update replaces it")
    }
    let addition = Change.UserAddition(
      CredentialSpecification(user: user, secret: SecretText(password)), at: .discovery)
    var copies: [Change] = []
    if !isWaiting, isOutgoing {
      copies = [.setMutualCHAP(addition)]
    } else if !isOutgoing {
      let former = Change.UserName(user, at: .discovery, allowingOpenAccess: true)
      copies = [.removeCHAPUser(former), .addCHAPUser(addition)]
    }
    try await replace(user, password, with: copies)
  }

  /// nil: it cannot be known, because it stands in a file of its own, for instance.
  private func discoverySecret(of user: String, outgoing isOutgoing: Bool) async -> Secret? {
    guard let text = try? await daemon.configuration(withSecrets: true), !text.isRedacted,
      let loaded = try? ConfigurationLoader.draft(of: text.text, file: text.file)
    else { return nil }
    let discovery = loaded.configuration.discovery
    let credentials = isOutgoing ? [discovery.mutualChap].compactMap { $0 } : discovery.chap
    let credential = credentials.first { $0.user == user }
    return credential?.secretFile == nil ? credential?.secret : nil
  }

  private func credential(
    _ value: String, _ name: String, _ target: String
  ) throws(End) -> (user: String, password: String) {
    let words = value.split(whereSeparator: \.isWhitespace).map(String.init)
    guard words.count >= 2 else { throw missing(name, target) }
    return (words[0], words[1])
  }
}
