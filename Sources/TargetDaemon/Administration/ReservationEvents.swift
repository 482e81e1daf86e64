internal import AdministrationModel
internal import AdministrationServer
internal import SCSIModel
internal import SCSITarget
internal import Synchronization

/// Saves reservations as `files` does, and says what has changed once that is on record, which is
/// the moment from which on it will be so whatever happens.
final class ReservationEvents: UnitPersistence {
  private let files: ReservationFiles
  private let events: EventHub
  /// What was on record last, of the units that are served, by name.
  private let known = Mutex<[String: ReservationState]>([:])

  init(_ files: ReservationFiles, events: EventHub) {
    self.files = files
    self.events = events
  }

  /// What a unit starts with.
  func begin(_ unit: LogicalUnitIdentity, with state: ReservationState) {
    known.withLock { $0[unit.name] = state }
  }

  /// The unit is gone: what is saved of it now concerns nobody.
  func end(unitNamed name: String) { known.withLock { _ = $0.removeValue(forKey: name) } }

  /// For tests.
  var unitCount: Int { known.withLock { $0.count } }

  func hasRegistrations(unitNamed name: String) -> Bool {
    known.withLock { !($0[name]?.registrations.isEmpty ?? true) }
  }

  func save(
    _ state: ReservationState, of unit: LogicalUnitIdentity, completion: @escaping SaveCompletion
  ) {
    files.save(state, of: unit) { [self] error in
      if error == nil { note(state, of: unit) }
      completion(error)
    }
  }

  private func note(_ state: ReservationState, of unit: LogicalUnitIdentity) {
    let before = known.withLock { known -> ReservationState? in
      guard let before = known[unit.name] else { return nil }
      known[unit.name] = state
      return before
    }
    guard let before else { return }
    let change = ReservationStep(from: before, to: state)
    guard let sentence = change.sentence else { return }
    events.publish(
      Event(change.kind, "store \(unit.name): \(sentence)", store: unit.name))
  }
}

/// What one change made of the reservations of a unit.
struct ReservationStep {
  private let added: [NexusIdentity]
  private let removed: [NexusIdentity]
  private let before: PersistentReservation?
  private let after: PersistentReservation?

  init(from old: ReservationState, to new: ReservationState) {
    let oldNexuses = Set(old.registrations.map(\.nexus))
    let newNexuses = Set(new.registrations.map(\.nexus))
    added = new.registrations.map(\.nexus).filter { !oldNexuses.contains($0) }
    removed = old.registrations.map(\.nexus).filter { !newNexuses.contains($0) }
    before = old.reservation
    after = new.reservation
  }

  /// A reservation that goes over from a registrant that is gone was taken from it: who leaves by
  /// itself leaves none.
  var kind: Event.Kind {
    guard let old = before?.holder, let new = after?.holder, old != new, removed.contains(old)
    else { return .reservationChanged }
    return .initiatorPreempted
  }

  /// nil: only keys are others.
  var sentence: String? {
    var parts: [String] = []
    if !added.isEmpty { parts.append("registered \(names(added))") }
    if !removed.isEmpty { parts.append("no more registered \(names(removed))") }
    if before != after {
      let holder = after?.holder.map { " by \($0.initiator.name)" } ?? ""
      parts.append(after.map { "reserved\(holder), \($0.type.title)" } ?? "not reserved")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private func names(_ nexuses: [NexusIdentity]) -> String {
    let shown = nexuses.prefix(4).map(\.initiator.name).joined(separator: ", ")
    return nexuses.count > 4 ? "\(shown) and \(nexuses.count - 4) more" : shown
  }
}

extension ReservationType {
  /// As SPC-4 §5.13.3 calls it.
  var title: String {
    switch self {
    case .writeExclusive: "Write Exclusive"
    case .exclusiveAccess: "Exclusive Access"
    case .writeExclusiveRegistrantsOnly: "Write Exclusive – Registrants Only"
    case .exclusiveAccessRegistrantsOnly: "Exclusive Access – Registrants Only"
    case .writeExclusiveAllRegistrants: "Write Exclusive – All Registrants"
    case .exclusiveAccessAllRegistrants: "Exclusive Access – All Registrants"
    }
  }
}
