internal import AdministrationModel
internal import CommandSupport

// Accounts of tgt belong to nothing until they are bound. Ours stand where they count, in targets
// and with discovery; so an account is a note, and binding it copies it. Users that the
// configuration has are listed as accounts, too.

extension TgtadmCall {
  func performAccount(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    switch operation {
    case .show: try await showAccounts()
    case .new: try await newAccount()
    case .delete: try await deleteAccount()
    case .bind: try await bindAccount()
    case .unbind: try await unbindAccount()
    default: throw .unsupported()
    }
  }

  private func discovery() async throws(TgtFailure) -> DiscoveryResource {
    try await asking { daemon throws(AdministrationError) in try await daemon.discovery() }
  }

  /// The newest first, as tgt lists them; then those of the configuration.
  private func accounts(
    _ state: TgtState, _ discovery: DiscoveryResource
  ) -> [String] {
    var accounts: [String] = state.notes.accounts.reversed()
    var known = Set(accounts)
    let users =
      state.targets.flatMap { $0.chapUsers + [$0.mutualCHAPUser].compactMap { $0 } }
      + discovery.chapUsers + [discovery.mutualCHAPUser].compactMap { $0 }
    for user in users where known.insert(user).inserted { accounts.append(user) }
    return accounts
  }

  private func showAccounts() async throws(TgtFailure) {
    let accounts = accounts(try await state(), try await discovery())
    guard !accounts.isEmpty else { return }
    terminal.write(
      "Account list:\n" + accounts.map { "    \($0.printable)\n" }.joined())
  }

  private func newAccount() async throws(TgtFailure) {
    guard let user = request.user, let password = request.password else {
      throw .invalidRequest()
    }
    let state = try await state()
    guard !accounts(state, try await discovery()).contains(user) else { throw .accountExists }
    try await change([TgtNotes.account(user, password)], conflict: .accountExists)
  }

  private func deleteAccount() async throws(TgtFailure) {
    guard let user = request.user else { throw .invalidRequest() }
    let state = try await state()
    let discovery = try await discovery()
    guard accounts(state, discovery).contains(user) else { throw .noAccount }
    var changes = state.targets.flatMap { target in
      Self.unbinding(
        user, incoming: target.chapUsers.contains(user),
        outgoing: target.mutualCHAPUser == user, CredentialPlace(target: target.name))
    }
    changes += Self.unbinding(
      user, incoming: discovery.chapUsers.contains(user),
      outgoing: discovery.mutualCHAPUser == user, .discovery)
    if state.notes.accounts.contains(user) { changes.append(TgtNotes.forgetAccount(user)) }
    try await change(changes)
  }

  // MARK: Binding

  /// Where an account is to be bound, and who is there.
  private struct Place {
    var place: CredentialPlace
    var incoming: [String]
    var outgoing: String?
  }

  private func place(_ state: TgtState) async throws(TgtFailure) -> Place {
    guard let tid = request.tid, tid != 0 else {
      let discovery = try await discovery()
      return Place(
        place: .discovery, incoming: discovery.chapUsers, outgoing: discovery.mutualCHAPUser)
    }
    let target = try state.target(tid)
    return Place(
      place: CredentialPlace(target: target.name), incoming: target.chapUsers,
      outgoing: target.mutualCHAPUser)
  }

  private func bindAccount() async throws(TgtFailure) {
    guard let user = request.user else { throw .invalidRequest() }
    let state = try await state(withSecrets: true)
    let place = try await place(state)
    guard let password = state.notes.password(of: user) else {
      let isListed = accounts(state, try await discovery()).contains(user)
      throw isListed
        ? .unsupported("\(user) comes from the configuration: bind it with swift-tgtadm chap add")
        : .noAccount
    }
    let addition = Change.UserAddition(
      CredentialSpecification(user: user, secret: SecretText(password)), at: place.place)
    if request.isOutgoing {
      guard place.outgoing == nil else { throw .outgoingExists }
      try await change([.setMutualCHAP(addition)])
    } else {
      guard !place.incoming.contains(user) else { throw .accountExists }
      try await change([.addCHAPUser(addition)], conflict: .accountExists)
    }
  }

  private func unbindAccount() async throws(TgtFailure) {
    guard let user = request.user else { throw .invalidRequest() }
    let place = try await place(try await state())
    let changes = Self.unbinding(
      user, incoming: !request.isOutgoing && place.incoming.contains(user),
      outgoing: request.isOutgoing && place.outgoing == user, place.place)
    guard !changes.isEmpty else { throw .noAccount }
    try await change(changes)
  }

  /// The last user may go: with tgt nobody has to prove anything then.
  private static func unbinding(
    _ user: String, incoming: Bool, outgoing: Bool, _ place: CredentialPlace
  ) -> [Change] {
    var changes: [Change] = []
    if outgoing { changes.append(.clearMutualCHAP(place)) }
    if incoming {
      changes.append(.removeCHAPUser(Change.UserName(user, at: place, allowingOpenAccess: true)))
    }
    return changes
  }
}
