internal import AdministrationModel
internal import CommandSupport

/// Who uses what a change takes away, and what is reserved on it.
enum LossText {
  /// Where a whole volume goes, longer lists help nobody.
  private static let storesShownMax = 8
  private static let registrantsShownMax = 8

  /// Of a change, made or to be made; nothing where it takes nothing from anybody.
  static func lines(_ result: ChangeResult, isDone: Bool) -> String {
    var lines: [String] = []
    if let users = result.users, !users.isEmpty {
      let who = Quantity.count(users.count, "session")
      lines.append(isDone ? "taken from \(who):" : "used by \(who):")
      lines += users.map { "  " + $0.printable }
    }
    lines += reservations(result.reservations ?? [])
    return lines.map { $0 + "\n" }.joined()
  }

  /// Each store, and below it who is registered.
  static func reservations(_ resources: [ReservationResource]) -> [String] {
    let lines = resources.prefix(storesShownMax).flatMap { reservation($0) }
    let rest = resources.count - storesShownMax
    return rest > 0
      ? lines + ["and \(Quantity.count(rest, "more store")) with reservations"] : lines
  }

  private static func reservation(_ resource: ReservationResource) -> [String] {
    if let problem = resource.problem { return [problem.printable] }
    var seen: Set<String> = []
    let names = resource.registrants.map(\.initiator).filter { seen.insert($0).inserted }
    let holders = resource.reservation?.holders ?? []
    let others = holders.filter { seen.insert($0).inserted }
    let shown = (names + others).prefix(registrantsShownMax).map { name in
      "  " + name.printable + (holders.contains(name) ? " (holds it)" : "")
    }
    let rest = names.count + others.count - shown.count
    return [headline(resource, names.count)] + shown + (rest > 0 ? ["  and \(rest) more"] : [])
  }

  private static func headline(_ resource: ReservationResource, _ registered: Int) -> String {
    let store = "store \(resource.store.printable)"
    let count = "registered: \(registered)"
    guard let type = resource.reservation?.type else { return "\(store) is not reserved, \(count)" }
    return "\(store) is reserved: \(type.printable), \(count)"
  }
}
