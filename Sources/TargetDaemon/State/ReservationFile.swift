internal import SCSIModel

/// What a file in `reservations/` says: the persistent reservations of one logical unit, and when
/// they were in force. Text, so that it can be read with cat(1) when a cluster is down:
///
///     swift-tgtd reservations 1
///     unit 6020c1f0a2d45b7e8c9d001122334455
///     store quorum1
///     boot 2f1c9a52-6b1e-4c57-9c0b-6a35e0b6c1aa
///     generation 17
///     aptpl 0
///     reservation write-exclusive-registrants-only holder 1
///     registrations 2
///     1 key 00000000deadbeef initiator iqn.2004-01.com.example:a isid 00023d000001 target iqn.2026-11.com.example:t group 1
///     2 key 00000000cafebabe initiator iqn.2004-01.com.example:b isid 00023d000002 target iqn.2026-11.com.example:t group 1
///     sha256 6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b
///
/// | line          | what it says                                                              |
/// |---------------|---------------------------------------------------------------------------|
/// | boot          | `BootIdentifier` of the host at that time; `unknown` if it did not tell   |
/// | generation    | PRGENERATION                                                              |
/// | aptpl         | 1: all of it is kept through a loss of power too                          |
/// | reservation   | `none`; the type; for the types with one holder, the number of its line   |
/// | registrations | how many lines follow, one each, numbered from 1, in the order of making  |
/// | sha256        | of everything above this line: `head -n -1 FILE \| sha256sum`             |
///
/// The lines above these are those of every `RecordFile`.
struct ReservationFile: RecordFile {
  static let kind = "reservations"
  static let checksum = ChecksummedText.Checksum.sha256
  /// A full table takes at most 1024 lines of two names (223 bytes, each perhaps %XX) and numbers.
  static let bytesMax = 2 << 20

  var unit: RecordUnit
  var boot: BootIdentifier?
  var state: ReservationState

  /// What of it is in force after a start on a host that was booted as `current`.
  ///
  /// A crash, restart or upgrade of the daemon is no loss of power, whatever APTPL says: a fenced
  /// node that still runs must stay fenced. A new boot is one, and drops what did not ask to be
  /// kept; PRGENERATION starts at zero with every power on (SPC-4 §6.15.2). Where it is unknown
  /// whether there was one, everything stays.
  func stateInForce(bootedAs current: BootIdentifier?) -> ReservationState {
    guard let boot, let current, boot != current else { return state }
    guard state.persistsThroughPowerLoss else { return ReservationState() }
    var kept = state
    kept.generation = 0
    return kept
  }

  // MARK: Writing

  /// A state that is none, such as one whose holder is not registered, gives lines that are
  /// refused.
  var body: String {
    var text = """
      boot \(boot?.text ?? "unknown")
      generation \(state.generation)
      aptpl \(state.persistsThroughPowerLoss ? 1 : 0)
      reservation \(reservationWords)
      registrations \(state.registrations.count)

      """
    for (index, registration) in state.registrations.enumerated() {
      text += ReservationFile.line(registration, number: index + 1)
    }
    return text
  }

  private var reservationWords: String {
    guard let reservation = state.reservation else { return "none" }
    guard let holder = reservation.holder else { return reservation.type.word }
    let index = state.registrations.firstIndex { $0.nexus == holder } ?? -1
    return "\(reservation.type.word) holder \(index + 1)"
  }

  private static func line(_ registration: Registration, number: Int) -> String {
    let nexus = registration.nexus
    return "\(number) key \(Hexadecimal.text(registration.key, digits: 16))"
      + " initiator \(StateName.word(nexus.initiator.name))"
      + " isid \(Hexadecimal.text(nexus.initiator.isid, digits: 12))"
      + " target \(StateName.word(nexus.target.name)) group \(nexus.target.portalGroupTag)\n"
  }
}

extension ReservationType {
  /// The name of SPC-4 table 189.
  var word: String {
    switch self {
    case .writeExclusive: "write-exclusive"
    case .exclusiveAccess: "exclusive-access"
    case .writeExclusiveRegistrantsOnly: "write-exclusive-registrants-only"
    case .exclusiveAccessRegistrantsOnly: "exclusive-access-registrants-only"
    case .writeExclusiveAllRegistrants: "write-exclusive-all-registrants"
    case .exclusiveAccessAllRegistrants: "exclusive-access-all-registrants"
    }
  }
}
