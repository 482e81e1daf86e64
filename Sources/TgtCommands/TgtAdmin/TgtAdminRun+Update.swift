internal import AdministrationModel
internal import CommandSupport

// Targets that are made anew. tgt-admin removes each before it tries to make it; here all commands
// are tried on what the daemon would serve, and then made as one: whatever fails, the targets that
// were there stay as they are.

extension TgtAdminRun {
  mutating func updateTargets(_ which: String) async throws(End) {
    let configuration = try await readConfiguration()
    guard !options.isPretended else { return try await update(which, configuration) }
    let staged = try await stage()
    do throws(End) { try await update(which, configuration) } catch {
      complain("nothing was changed")
      throw error
    }
    try await commit(staged)
  }

  /// From here on commands wait.
  private mutating func stage() async throws(End) -> StagedDaemon {
    do throws(AdministrationError) {
      let staged = try await StagedDaemon(of: daemon)
      surroundings.connect = { _ in staged }
      return staged
    } catch {
      let failure = TgtFailure(error)
      surroundings.terminal.complain(failure.text)
      throw End(code: failure.code)
    }
  }

  private func commit(_ staged: StagedDaemon) async throws(End) {
    guard leftOutCount == 0 || ignoresErrors else {
      complain("nothing was changed (--ignore-errors goes on without what is left out)")
      throw End(code: 1)
    }
    do throws(AdministrationError) { try await staged.commit(force: options.isForced) } catch {
      tellUnchanged(error)
      for user in error.users ?? [] { complain("  \(user)") }
      throw End(code: TgtFailure(error).code)
    }
    tellFormerPasswords()
    let survivors = await staged.endSessions()
    guard let first = survivors.first else { return }
    complain("all was changed, but sessions from before go on (swift-tgtadm session kill):")
    for survivor in survivors { complain("  \(survivor.name): \(survivor.error)") }
    throw End(code: TgtFailure(first.error).code)
  }

  /// Where the answer is missing, it may have been done, or be done yet.
  private func tellUnchanged(_ error: AdministrationError) {
    guard error.code == .unanswered else { return complain("nothing was changed: \(error)") }
    complain("it is not certain whether the targets were changed: \(error)")
    complain("look with tgt-admin --show; sessions from before were not ended")
  }

  // MARK: Commands

  private mutating func update(
    _ which: String, _ configuration: TgtAdminConfiguration
  ) async throws(End) {
    if which == "ALL" {
      let known = configuration.targets.map(\.name)
      let others = present.state.targets.map(\.name).filter { name in
        !known.contains { $0.lowercased() == name }
      }
      for name in others + known { try await updateOrDelete(name, configuration) }
    } else if let number = Self.number(which) {
      guard let name = name(number) else {
        throw refusal("There is no target with tid \(number), can't continue!\n")
      }
      try await updateOrDelete(name, configuration)
    } else {
      try await updateOrDelete(which, configuration)
    }
  }

  private mutating func updateOrDelete(
    _ name: String, _ configuration: TgtAdminConfiguration
  ) async throws(End) {
    let isPresent = present.state.tids[name.lowercased()] != nil
    if configuration.target(name) == nil, isPresent {
      _ = try await delete(name)
    } else {
      try await makeAnew(name, in: configuration)
    }
    // What was made has taken numbers and accounts.
    if !options.isPretended { try await look() }
  }

  /// With the number that it had.
  private mutating func makeAnew(
    _ name: String, in configuration: TgtAdminConfiguration
  ) async throws(End) {
    let driver = try await applyGlobal(configuration)
    guard let target = configuration.target(name) else {
      throw refusal(
        "Target \(name) is currently not configured\n"
          + "and does not exist in the config file - can't continue!\n")
    }
    let number = present.state.tids[name.lowercased()]
    let isInUse = try await delete(name)
    // The disks of what has gone are free again.
    if !options.isPretended { try await look() }
    if isInUse {
      comment("Target \(name) already exists!")
    } else {
      try await add(target, tid: number, driver: driver)
      namesMadeAnew.insert(name.lowercased())
    }
    comment("")
  }
}
