internal import AdministrationModel
internal import ConfigurationChanges
internal import ISCSITarget
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Who loses something by a change, and what is reserved on that: a cluster that fences with a disk
/// is told before, and after.
struct Interruption {
  /// nil: the reactors have not answered in time.
  var users: [Use.User]?
  var reservations: [ReservationResource] = []

  static let none = Interruption(users: [])
}

extension Interruption {
  /// How long the reactors are waited for where only the report depends on what they say.
  static let patience = Milliseconds.seconds(2)

  /// `isDecisive`: it matters for more than the report.
  init(
    of plan: ChangePlan, from old: TargetConfiguration, to new: TargetConfiguration,
    _ directory: TargetDirectory, _ daemon: Daemon, isDecisive: Bool
  ) {
    let sessions: [SessionSummary]? = daemon.worker.wait(
      atMost: isDecisive ? Daemon.patience : Self.patience
    ) { worker, answer in worker.sessions { answer($0) } }
    let closing = plan.closedPortals.compactMap { SocketAddress($0) }
    let use = Use(
      plan: plan, directory: directory,
      closedPortals: daemon.inventory.portals.map(\.portal).filter {
        closing.contains($0.address)
      })
    users = sessions.map { use.users(among: $0) }
    let stores = old.storesLosingLUN(to: new).union(plan.closedStores)
    reservations = Self.reservations(
      of: daemon.inventory.units.filter { stores.contains($0.identity.name) })
  }

  /// Of those where there is something to tell. One after the other: thousands of questions at once
  /// would fill a mailbox. After the deadline nobody would wait for an answer, and none is asked.
  /// `ask`: false when it could not.
  static func reservations(
    of units: [LogicalUnit], until deadline: MonotonicTime = .current + patience,
    ask: (LogicalUnit, Reply<ReservationSnapshot>) -> Bool = { unit, reply in
      unit.reservations(completion: { reply.give($0) })
    }
  ) -> [ReservationResource] {
    units.map { unit -> ReservationResource in
      let name = unit.identity.name
      guard !unit.isOffline else { return .damaged(name) }
      let reply = Reply<ReservationSnapshot>()
      guard MonotonicTime.current < deadline, ask(unit, reply),
        let snapshot = reply.wait(until: deadline)
      else { return .unanswered(name) }
      return ReservationResource(snapshot, of: name)
    }.filter { !$0.isEmpty }
  }
}

extension [ReservationResource] {
  /// What answers leave out where there is none.
  var orNil: Self? { isEmpty ? nil : self }
}

extension ReservationResource {
  fileprivate static func unanswered(_ store: String) -> ReservationResource {
    var resource = ReservationResource(store: store)
    resource.problem =
      "what is reserved on \(store) is not known: the daemon has too much to do to answer in time"
    return resource
  }
}

extension TargetConfiguration {
  /// A store as a target shows it to an entry of its access list, or to all.
  private struct Presentation: Hashable {
    var store: String
    var resource: PresentationResource
  }

  private static func presentations(of targets: some Sequence<Target>) -> Set<Presentation> {
    let all = targets.lazy.flatMap { $0.presentations { _ in true } }
    return Set(all.map { Presentation(store: $0.store, resource: $0.presentation) })
  }

  /// Stores that are presented somewhere where `other` does not present them.
  fileprivate func storesLosingLUN(to other: TargetConfiguration) -> Set<String> {
    // Most of thousands stand there unchanged.
    var alike = 0
    while alike < min(targets.count, other.targets.count), targets[alike] == other.targets[alike] {
      alike += 1
    }
    let before = Self.presentations(of: targets.dropFirst(alike))
    let after = Self.presentations(of: other.targets.dropFirst(alike))
    return Set(before.subtracting(after).map(\.store))
  }
}
