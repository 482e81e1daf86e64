internal import AdministrationModel

extension TgtadmCall {
  func performTarget(_ operation: TgtadmRequest.Operation) async throws(TgtFailure) {
    switch operation {
    case .new: try await newTarget()
    case .delete: try await deleteTarget()
    case .show: try await showTargets()
    case .stat: try await showStatistics(.target)
    case .bind, .unbind: try await changeAccess(binding: operation == .bind)
    case .update: try await updateTarget()
    case .start, .stop: throw .unsupported()
    }
  }

  private func newTarget() async throws(TgtFailure) {
    guard let tid = request.tid, let name = request.targetName else { throw .invalidRequest() }
    let state = try await state()
    let isTaken = state.targets.contains {
      state.tid($0.name) == tid || $0.name == name.lowercased()
    }
    if isTaken { throw .targetExists }
    // Notes without their target are left of one that something else than tgtadm removed: its name
    // would go on having the number of that time.
    var changes = state.notes.forgetNumbers(tid, of: name.lowercased())
    changes += state.notes.forget(target: name.lowercased())
    changes += [
      TgtNotes.number(tid, name.lowercased()), .addTarget(TargetSpecification(name: name)),
    ]
    if state.notes.isSystemOffline {
      var closed = ClosedAccess()
      closed.isOfSystem = true
      changes += closed.note(name.lowercased()).changes(from: nil)
    }
    try await change(changes, conflict: .targetExists)
  }

  private func deleteTarget() async throws(TgtFailure) {
    let state = try await state()
    let target = try state.target(request.tid)
    var changes: [Change] = [.removeTarget(Change.TargetName(target.name))]
    for store in Set(target.luns.map(\.store)).sorted() {
      changes += state.removal(ofStore: store) { $0.target == target.name }
    }
    if let tid = request.tid { changes += state.notes.forgetNumbers(tid, of: target.name) }
    changes += state.notes.forget(target: target.name)
    if !request.isForced {
      // What is in use counts, not who opened its LUNs: a store would be closed for its users'
      // sake.
      let isActive = try await sessions().contains { $0.target == target.name }
      if isActive { throw .targetActive }
    }
    try await change(changes, force: request.isForced, inUse: .targetActive)
  }

  private func showTargets() async throws(TgtFailure) {
    guard request.tid == nil else { return try await showParameters() }
    let state = try await state()
    let configuration = try await configuration()
    terminal.write(
      TargetListing(state, configuration, sessions: try await sessions()).text)
  }

  // MARK: Access

  private func changeAccess(binding: Bool) async throws(TgtFailure) {
    let state = try await state()
    var target = try state.target(request.tid)
    guard request.bus == nil else { throw .unsupported("there are no buses of virtual hosts") }
    var changes: [Change] = []
    for rule in try rules() {
      let present = rule.unbinding(target)
      if binding {
        guard present.isEmpty else { throw .ruleExists }
        changes.append(rule.binding(target))
      } else {
        guard !present.isEmpty else { throw .noRule }
        changes += present
      }
      // Of two rules the second finds the places after the first.
      if binding, case .address(let address) = rule {
        target.acl.insert(
          AccessEntryResource(initiator: "any", addresses: [address]),
          at: changes.last?.entryIndex ?? target.acl.endIndex)
      }
    }
    if let closed = state.notes.closed[target.name] {
      var after = closed
      for change in changes { after.apply(change) }
      changes = after.note(target.name).changes(from: closed.note(target.name))
    }
    try await change(changes, conflict: binding ? .ruleExists : .noRule)
  }

  private func rules() throws(TgtFailure) -> [AccessRule] {
    var rules: [AccessRule] = []
    if let address = request.initiatorAddress {
      guard let rule = AccessRule(address: address) else {
        throw .invalidRequest("\"\(address)\" is no address, no network and not ALL")
      }
      rules.append(rule)
    }
    if let name = request.initiatorName { rules.append(.name(name)) }
    return rules
  }
}

extension Change {
  fileprivate var entryIndex: Int? {
    if case .addACLEntry(let addition) = self { addition.entry.index } else { nil }
  }
}

extension TgtState {
  /// Removes a store with what is noted about it, where tgtadm made it and every LUN of it goes.
  func removal(
    ofStore name: String, whereGoing isGoing: (PresentationResource) -> Bool
  ) -> [Change] {
    guard notes.wasMade(name), let store = stores[name], store.presentedBy.allSatisfy(isGoing)
    else { return [] }
    return [.removeStore(Change.StoreName(name))] + notes.forget(name)
  }
}
