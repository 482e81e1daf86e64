internal import SCSIModel

extension ReservationFile {
  /// What the rules of SPC-4 §5.13 promise whoever works with a state.
  var isValid: Bool {
    let nexuses = Set(state.registrations.map(\.nexus))
    guard nexuses.count == state.registrations.count,
      nexuses.count <= ReservationState.registrationsMax,
      state.registrations.allSatisfy({ $0.key != 0 })
    else { return false }
    guard let reservation = state.reservation else { return true }
    guard let holder = reservation.holder else {
      return reservation.type.isAllRegistrants && !nexuses.isEmpty
    }
    return !reservation.type.isAllRegistrants && nexuses.contains(holder)
  }

  init?(_ unit: RecordUnit, _ lines: inout LineReader) {
    guard let boot = lines.line(after: "boot"),
      let generation = lines.line(after: "generation").flatMap({ UInt32($0) }),
      let aptpl = lines.line(after: "aptpl"),
      let reservation = lines.line(after: "reservation"),
      let count = lines.line(after: "registrations").flatMap({ Int($0) }),
      count == lines.rest.count
    else { return nil }
    var state = ReservationState()
    state.generation = generation
    state.persistsThroughPowerLoss = aptpl == "1"
    for line in lines.rest {
      guard let registration = ReservationFile.registration(line) else { return nil }
      state.registrations.append(registration)
    }
    if reservation != "none" {
      guard let found = ReservationFile.reservation(reservation, state.registrations) else {
        return nil
      }
      state.reservation = found
    }
    self.init(unit: unit, boot: BootIdentifier(boot), state: state)
  }

  private static func reservation(
    _ text: String, _ registrations: [Registration]
  ) -> PersistentReservation? {
    let words = text.split(separator: " ")
    guard let type = ReservationType.allCases.first(where: { $0.word == words.first ?? "" }) else {
      return nil
    }
    guard words.count == 3 else { return PersistentReservation(type: type, holder: nil) }
    guard let number = Int(words[2]), number >= 1, number <= registrations.count else { return nil }
    return PersistentReservation(type: type, holder: registrations[number - 1].nexus)
  }

  /// `NUMBER key KEY initiator NAME isid ISID target NAME group TAG`
  private static func registration(_ line: Substring) -> Registration? {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 11, let key = UInt64(words[2], radix: 16),
      let initiator = StateName.name(ofWord: words[4]),
      let isid = UInt64(words[6], radix: 16), let target = StateName.name(ofWord: words[8]),
      let tag = UInt16(words[10])
    else { return nil }
    return Registration(
      nexus: NexusIdentity(
        initiator: InitiatorPort(name: initiator, isid: isid),
        target: TargetPort(name: target, portalGroupTag: tag)),
      key: key)
  }
}
