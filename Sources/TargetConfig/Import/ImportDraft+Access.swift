// Who may log in. Nothing here ever opens a door: a list that cannot be kept whole stays closed.

extension ImportDraft {
  // MARK: LUNs

  mutating func addLUN(
    _ number: UInt64?, store: String, readOnly: Bool, to luns: inout [TargetConfiguration.LUN],
    _ place: ImportPlace
  ) {
    guard let number, let value = UInt16(exactly: number),
      value <= TargetConfiguration.LUN.numberMax
    else {
      let shown = number.map { "LUN \($0)" } ?? "a LUN without a number"
      note(
        place,
        "\(shown) is not possible here (0 to \(TargetConfiguration.LUN.numberMax)): left out")
      return
    }
    if let taken = luns.first(where: { $0.number == value }) {
      note(place, "LUN \(value) is \(taken.store.quoted) already: this one is left out")
      return
    }
    luns.append(TargetConfiguration.LUN(number: value, store: store, readOnly: readOnly))
  }

  // MARK: Users

  /// A user with a secret, or nil with a note, which never shows the secret. `file`: where that
  /// stands besides.
  mutating func credential(
    _ user: String?, _ secret: String?, file: String? = nil, _ place: ImportPlace
  ) -> TargetConfiguration.Credential? {
    guard let user, let secret else {
      note(place, "a CHAP user needs a name and a secret: not kept")
      return nil
    }
    if let problem = TextFormat.user.problem(in: user) {
      note(place, "the CHAP user \(user.quoted) \(problem): not kept")
      return nil
    }
    if let problem = TextFormat.secret.problem(in: secret) {
      note(place, "the secret of the CHAP user \(user.quoted) \(problem): not kept")
      return nil
    }
    if file != nil { hasSecretFiles = true }
    return TargetConfiguration.Credential(user: user, secret: Secret(secret), secretFile: file)
  }

  mutating func addUser(
    _ user: String?, _ secret: String?, file: String? = nil,
    to users: inout [TargetConfiguration.Credential], _ place: ImportPlace
  ) {
    guard let credential = credential(user, secret, file: file, place) else { return }
    if users.count >= ConfigurationBuilder.accessEntryCountMax {
      note(place, "the CHAP user \(credential.user.quoted) is one of too many: not kept")
    } else if users.contains(where: { $0.user == credential.user }) {
      note(place, "the CHAP user \(credential.user.quoted) stands here twice: the first is kept")
    } else {
      users.append(credential)
    }
  }

  mutating func addDiscoveryUser(
    _ user: String?, _ secret: String?, file: String? = nil, _ place: ImportPlace
  ) {
    var users = discovery.chap
    addUser(user, secret, file: file, to: &users, place)
    discovery.chap = users
  }

  // MARK: Entries

  /// Adds an entry unless its name is impossible or an earlier one matches whoever it means. False:
  /// whom it means is not in the list now, so a door that is open to the others must not be.
  @discardableResult
  mutating func addEntry(
    _ entry: TargetConfiguration.AccessEntry, to target: inout TargetConfiguration.Target,
    _ place: ImportPlace
  ) -> Bool {
    var entry = entry
    if let name = entry.initiator {
      if let problem = ISCSIName.problem(in: name, isTarget: false) {
        note(place, "the initiator name \(name.quoted) \(problem): the entry is left out")
        return false
      }
      entry.initiator = ISCSIName.normalized(name)
      guard entry.initiator != "any" else {
        note(place, "\(name.quoted) is everybody here, and no name: the entry is left out")
        return false
      }
    }
    guard target.acl.count < ConfigurationBuilder.accessEntryCountMax else {
      note(
        place,
        "more than \(ConfigurationBuilder.accessEntryCountMax) initiators of one target: the entry "
          + "is left out")
      return false
    }
    if target.acl.contains(where: { $0.covers(entry) }) {
      note(
        place,
        "\((entry.initiator ?? "any").quoted) is let in by an entry before it: this one is left out"
      )
      return true
    }
    target.acl.append(entry)
    return true
  }

  /// For a target whose list lost an initiator: behind an open door it would get the rights of all.
  mutating func keepClosed(_ target: TargetConfiguration.Target, _ place: ImportPlace) {
    note(
      place,
      "\(target.name.quoted) was open to everybody else too: because initiators of its list could "
        + "not be kept, it is open only to those that could")
  }

  /// An address or network. Bits behind the prefix do not count, as elsewhere.
  mutating func addressPattern(_ text: String, _ place: ImportPlace) -> AddressPattern? {
    if let pattern = try? AddressPattern(parsing: text) { return pattern }
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2, let base = InternetAddress(String(parts[0])), base.zone == nil,
      let length = Int(parts[1]), (0...base.bitWidth).contains(length)
    {
      let shift = UInt128(base.bitWidth - length)
      let bits = length == 0 ? 0 : (base.bits >> shift) << shift
      let network =
        base.family == .v4
        ? InternetAddress(v4: UInt32(truncatingIfNeeded: bits)) : InternetAddress(v6: bits)
      return try? AddressPattern(parsing: "\(network)/\(length)")
    }
    note(place, "\(text.quoted) is not an address or network: nobody is let in by it")
    return nil
  }

  /// For a target that asked for CHAP when none of its users could be kept.
  mutating func close(_ target: inout TargetConfiguration.Target, _ place: ImportPlace) {
    target.isOpenToAny = false
    target.acl = []
    note(
      place,
      "none of the CHAP users of \(target.name.quoted) could be kept: nobody may log in until "
        + "\"chap\" and \"acl\" are written")
  }

  // MARK: Both directions

  /// Takes out what our file does not allow between the two directions of CHAP (RFC 7143 §9.2.1).
  mutating func settleSecrets() {
    var incoming: Set<[UInt8]> = []
    for draft in targets {
      for user in draft.target.chap + draft.target.acl.flatMap(\.chap) {
        incoming.insert(user.secret.bytes)
      }
    }
    for user in discovery.chap { incoming.insert(user.secret.bytes) }
    for index in targets.indices {
      var target = targets[index].target
      let place = targets[index].place
      let name = target.name.quoted
      let hasUsers = !target.chap.isEmpty || target.acl.contains { !$0.chap.isEmpty }
      settle(&target.mutualChap, hasUsers, incoming, "the target \(name)", place)
      for entry in target.acl.indices {
        let who = (target.acl[entry].initiator ?? "any").quoted
        let isProven = !target.acl[entry].chap.isEmpty || !target.chap.isEmpty
        settle(
          &target.acl[entry].mutualChap, isProven, incoming, "the target \(name) to \(who)", place)
      }
      targets[index].target = target
    }
    var mutual = discovery.mutualChap
    settle(&mutual, !discovery.chap.isEmpty, incoming, "discovery", place(nil))
    discovery.mutualChap = mutual
  }

  private mutating func settle(
    _ mutual: inout TargetConfiguration.Credential?, _ hasUsers: Bool, _ incoming: Set<[UInt8]>,
    _ who: String, _ place: ImportPlace
  ) {
    guard let secret = mutual?.secret.bytes else { return }
    if !hasUsers {
      note(
        place,
        "\(who) has a user to prove itself with, but initiators need not prove themselves first, "
          + "as RFC 7143 §12.1.3 asks: the outgoing user is left out")
    } else if incoming.contains(secret) {
      note(
        place,
        "the secret with which \(who) proves itself is also one of an initiator, which RFC 7143 "
          + "§9.2.1 forbids: the outgoing user is left out; give it a secret of its own here and "
          + "on the initiators")
    } else {
      return
    }
    mutual = nil
  }
}
