internal import AdministrationModel
internal import CommandSupport
internal import TargetConfig

// Ready and offline. An offline target stays with its LUNs and its rules, and lets nobody in; who
// is logged in stays, as with tgt. The rules wait in a note, and are the target's again when it is
// ready: a configuration that is saved meanwhile has the target without them.

extension TgtadmCall {
  func updateState(of target: TargetResource, _ state: TgtState) async throws(TgtFailure) {
    let isOffline = try Self.isOffline(request.value)
    try await change(
      try await changes(of: target, state) { $0.isOffline = isOffline })
  }

  /// Of all targets, those to come among them.
  func updateSystemState() async throws(TgtFailure) {
    let isOffline = try Self.isOffline(request.value)
    let state = try await state()
    var changes = [TgtNotes.setSystem(offline: isOffline)]
    for target in state.targets {
      changes += try await self.changes(of: target, state) { $0.isOfSystem = isOffline }
    }
    try await change(changes)
  }

  private static func isOffline(_ value: String?) throws(TgtFailure) -> Bool {
    switch value {
    case "ready": return false
    case "offline": return true
    default: throw .invalidRequest()
    }
  }

  private func changes(
    of target: TargetResource, _ state: TgtState, _ edit: (inout ClosedAccess) -> Void
  ) async throws(TgtFailure) -> [Change] {
    let before = state.notes.closed[target.name]
    var after = ClosedAccess()
    if let before { after = before } else { after = try await access(to: target) }
    edit(&after)
    let note = after.note(target.name)
    switch (before, after.isClosed) {
    case (nil, false): return []
    case (nil, true): return after.closing(target) + note.changes(from: nil)
    case (let before?, true): return note.changes(from: before.note(target.name))
    case (let before?, false):
      // What came into the list meanwhile, by other programs, stays.
      return after.opening(target) + before.note(target.name).erasure
    }
  }

  /// What the target itself has now. Entries with users of their own are the work of other
  /// programs: their secrets come with them.
  private func access(to target: TargetResource) async throws(TgtFailure) -> ClosedAccess {
    var access = ClosedAccess()
    access.isOpenToAny = target.isOpenToAny
    let configured = try await configuration(withSecrets: true).targets.first {
      $0.name == target.name
    }
    access.entries = (configured?.acl ?? []).map { AccessEntrySpecification($0) }
    let users = access.entries.flatMap { ($0.chap ?? []) + [$0.mutualCHAP].compactMap { $0 } }
    if let user = users.first(where: { $0.secret?.reveal.isEmpty ?? true }) {
      throw .unsupported(
        "the secret of \(user.user) stands in a file that cannot be read here, and would be lost")
    }
    return access
  }
}
