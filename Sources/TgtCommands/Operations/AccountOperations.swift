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
    var changes: [Change] = []
    for place in state.targets.map({ Place($0, state) }) + [Place(discovery, state)] {
      let incoming = place.incoming.contains(user)
      changes += place.unbinding(user, incoming: incoming, outgoing: place.outgoing == user)
    }
    if state.notes.accounts.contains(user) { changes.append(TgtNotes.forgetAccount(user)) }
    try await change(changes)
  }

  // MARK: Binding

  /// Where an account is to be bound, and who is there.
  ///
  /// A target proves itself only to who has to prove itself (RFC 7143 §12.1.3). tgt binds in any
  /// order: so an outgoing account without an incoming one waits in a note.
  private struct Place {
    var place: CredentialPlace
    /// In notes; "" for discovery.
    var name: String
    var incoming: [String]
    var outgoing: String?
    /// The outgoing one waits.
    var isWaiting: Bool
    /// Whether its password is known, so that it can be bound again.
    var isOutgoingKnown: Bool

    init(_ target: TargetResource, _ state: TgtState) {
      place = CredentialPlace(target: target.name)
      name = target.name
      incoming = target.chapUsers
      outgoing = target.mutualCHAPUser
      isWaiting = outgoing != nil && state.notes.outgoing[name] == outgoing
      isOutgoingKnown = outgoing.map { state.notes.accounts.contains($0) } ?? false
    }

    init(_ discovery: DiscoveryResource, _ state: TgtState) {
      place = .discovery
      name = ""
      incoming = discovery.chapUsers
      outgoing = discovery.mutualCHAPUser ?? state.notes.outgoing[name]
      isWaiting = discovery.mutualCHAPUser == nil && outgoing != nil
      isOutgoingKnown = outgoing.map { state.notes.accounts.contains($0) } ?? false
    }

    /// The last user may go: with tgt nobody has to prove anything then.
    func unbinding(_ user: String, incoming isIncoming: Bool, outgoing isOutgoing: Bool) -> [Change]
    {
      var changes: [Change] = []
      let isLast = isIncoming && incoming == [user]
      if isWaiting {
        if isOutgoing { changes.append(TgtNotes.setOutgoing(nil, of: name)) }
      } else if let outgoing, isOutgoing || isLast {
        changes.append(.clearMutualCHAP(place))
        if !isOutgoing, isOutgoingKnown { changes.append(TgtNotes.setOutgoing(outgoing, of: name)) }
      }
      if isIncoming {
        changes.append(.removeCHAPUser(Change.UserName(user, at: place, allowingOpenAccess: true)))
      }
      return changes
    }
  }

  private func place(_ state: TgtState) async throws(TgtFailure) -> Place {
    guard let tid = request.tid, tid != 0 else { return Place(try await discovery(), state) }
    return Place(try state.target(tid), state)
  }

  private func bindAccount() async throws(TgtFailure) {
    guard let user = request.user else { throw .invalidRequest() }
    let state = try await state()
    let place = try await place(state)
    guard let password = state.notes.password(of: user) else {
      let isListed = accounts(state, try await discovery()).contains(user)
      throw isListed
        ? .unsupported("\(user) comes from the configuration: bind it with swift-tgtadm chap add")
        : .noAccount
    }
    let addition = Self.addition(user, password, place)
    if request.isOutgoing {
      guard place.outgoing == nil else { throw .outgoingExists }
      try await change([
        place.incoming.isEmpty
          ? TgtNotes.setOutgoing(user, of: place.name) : .setMutualCHAP(addition)
      ])
    } else {
      guard !place.incoming.contains(user) else { throw .accountExists }
      var changes: [Change] = [.addCHAPUser(addition)]
      if place.isWaiting, let other = place.outgoing, let secret = state.notes.password(of: other) {
        changes.append(.setMutualCHAP(Self.addition(other, secret, place)))
        changes.append(TgtNotes.setOutgoing(nil, of: place.name))
      }
      try await change(changes, conflict: .accountExists)
    }
  }

  private static func addition(
    _ user: String, _ password: String, _ place: Place
  ) -> Change.UserAddition {
    Change.UserAddition(
      CredentialSpecification(user: user, secret: SecretText(password)), at: place.place)
  }

  private func unbindAccount() async throws(TgtFailure) {
    guard let user = request.user else { throw .invalidRequest() }
    let place = try await place(try await state())
    let changes = place.unbinding(
      user, incoming: !request.isOutgoing && place.incoming.contains(user),
      outgoing: request.isOutgoing && place.outgoing == user)
    guard !changes.isEmpty else { throw .noAccount }
    try await change(changes)
  }
}
