internal import ISCSIModel
internal import Logging
public import Reactor
internal import SCSITarget

// Another directory, while sessions run. To be called on one worker, for all; completions are
// called there.
extension Worker {
  /// Makes `directory` what logins on all reactors are judged by, and what running sessions see.
  ///
  /// A session whose units are others by it learns so at once: units that are new to it are
  /// attached, those taken away are drained, and it is told. Who would not be let in any more keeps
  /// what the target still presents; sessions of a target that is not there any more end. No other
  /// session notices anything.
  ///
  /// `whenInForce` when that is so on every reactor: nobody gets a right any more by an earlier
  /// one. `completion` when no task is left of what was taken away. A unit may come before or
  /// after, for those whom the directory of that moment gives it. Every call to the same worker,
  /// where it comes before whatever is asked for later.
  public func publish(
    _ directory: TargetDirectory, completion: @escaping () -> Void = {},
    whenInForce: @escaping () -> Void = {}
  ) {
    let publication = context.nextNumber()
    let followers = Countdown(whenInForce)
    for _ in workers { followers.enter() }
    followers.arm()
    let here = ReactorBound(followers, on: reactor)
    onEveryWorker(completion) { worker, done in
      worker.follow(directory, publication, completion: done)
      worker.reactor.courier.send(to: here) { $0.leave() }
    }
  }

  /// Discovery on all reactors names these portals no more, until another directory does: they
  /// close, and who is told of one would not get in. `completion` when that is so.
  public func conceal(
    portals addresses: [SocketAddress], completion: @escaping () -> Void = {}
  ) {
    let concealment = context.nextNumber()
    onEveryWorker(completion) { worker, done in
      // A directory that was published later says itself what there is.
      if concealment > worker.publication {
        worker.directory = worker.directory.without(portals: addresses)
      }
      done()
    }
  }

  private func follow(
    _ directory: TargetDirectory, _ publication: UInt64, completion: @escaping () -> Void
  ) {
    // An older one that was held up by a full mailbox changes nothing any more.
    if publication > self.publication {
      self.publication = publication
      self.directory = directory
    }
    updateSessions(completion: completion)
  }

  /// Gives every session what the directory and the units here make of it now.
  func updateSessions(completion: @escaping () -> Void) {
    let countdown = Countdown(completion)
    for session in allSessions {
      countdown.enter()
      session.follow(directory) { countdown.leave() }
    }
    countdown.arm()
  }

  /// Ends every session that the directory in force would not let in any more: by its initiator's
  /// name, the address it came from, and its CHAP user with the secret that it proved. `completion`
  /// with their number, when the last operation of the last of them has ended.
  public func endUnqualifiedSessions(completion: @escaping (Int) -> Void) {
    ask { (counts: [Int]) in
      completion(counts.reduce(0, +))
    } _: { worker, answer in
      let sessions = worker.allSessions.filter { !$0.isQualified }
      let countdown = Countdown { answer(sessions.count) }
      for session in sessions {
        countdown.enter()
        session.whenEnded { countdown.leave() }
        session.end(.noLongerAdmitted)
      }
      countdown.arm()
    }
  }
}

extension Session {
  /// Whether the directory in force would let it in.
  fileprivate var isQualified: Bool {
    guard let key else { return true }
    let authority = PortalAuthority(
      directory: worker.directory, portalGroupTag: key.portalGroupTag,
      initiatorAddress: initiatorAddress)
    return authority.grant(to: initiatorName, at: key.targetName, as: credential) != nil
  }

  /// Becomes what `directory` makes of it; `completion` when nothing is left of what it loses.
  fileprivate func follow(_ directory: TargetDirectory, completion: @escaping () -> Void) {
    guard let key else { return completion() }
    guard let (index, target) = directory.target(named: key.targetName) else {
      rights.grantToken = nil
      return endWithTarget(completion)
    }
    let right = directory.right(of: initiatorName, at: initiatorAddress, to: target)
    rights.grantToken = right.map { GrantToken(targetIndex: index, right: $0).rawValue }
    nexus?.follow(key, portalGroupTags: target.portalGroupTags)
    show(right.map { target.units(for: $0) } ?? unitsKept(of: target), completion)
  }

  /// Its target is not there any more. Whoever takes that away waits for the end of the session;
  /// who comes later does not, for a disk that hangs may put it off for ever, and only that disk's
  /// unit is not free before: the nexuses with all units end one by one.
  private func endWithTarget(_ completion: @escaping () -> Void) {
    let wasEnding = isEnding
    if !wasEnding { whenEnded(completion) }
    end(.targetRemoved)
    show([], wasEnding ? completion : {})
  }

  /// Without a right there is nothing new, but what it has stays until it is ended, as long as the
  /// target presents it to anybody.
  private func unitsKept(of target: TargetDefinition) -> [UnitPresentation] {
    let presented = ([target.units] + target.accessEntries.compactMap(\.units)).joined()
    return (nexus?.unitNexuses ?? []).compactMap { unit in
      let name = unit.server.unit.identity.name
      guard presented.contains(where: { $0.lun == unit.lun && $0.unit == name }) else { return nil }
      return UnitPresentation(lun: unit.lun, unit: name, isReadOnly: unit.isReadOnly)
    }
  }

  private func show(_ units: [UnitPresentation], _ completion: @escaping () -> Void) {
    guard let nexus else { return completion() }
    let entries = units.compactMap { unit in
      worker.server(named: unit.unit).map {
        LUNMapEntry(lun: unit.lun, server: $0, isReadOnly: unit.isReadOnly)
      }
    }
    if nexus.changeMap(to: entries, completion: completion) { announceUnits() }
  }
}
