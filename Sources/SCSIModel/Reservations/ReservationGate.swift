/// What an I_T nexus is to the persistent reservation of a logical unit (SPC-4 §5.13.1).
public enum ReservationRelation: UInt8, Sendable, BitwiseCopyable, CaseIterable {
  /// Holds the reservation, alone or with every registrant.
  case holder
  /// Registered, and holds nothing.
  case registrant
  /// Not registered.
  case stranger
}

extension ReservationType {
  /// Reads are everybody's; writes are not.
  public var isWriteExclusive: Bool {
    switch self {
    case .writeExclusive, .writeExclusiveRegistrantsOnly, .writeExclusiveAllRegistrants: true
    case .exclusiveAccess, .exclusiveAccessRegistrantsOnly, .exclusiveAccessAllRegistrants: false
    }
  }

  /// What the holder may, every registrant may: registrants only and all registrants types.
  public var admitsRegistrants: Bool { self != .writeExclusive && self != .exclusiveAccess }

  /// Every registrant is a holder.
  public var isAllRegistrants: Bool {
    self == .writeExclusiveAllRegistrants || self == .exclusiveAccessAllRegistrants
  }

  /// The table: whether a command of a resolved rule passes a reservation of this type, or gets
  /// RESERVATION CONFLICT (SPC-4 §5.13.1 tables 66 and 67, SBC-3 §4.17 table 10). RESERVE and
  /// RELEASE follow rules of their own, `ReservationState.legacyOutcome(for:)`.
  public func admits(_ rule: ReservationRule, from relation: ReservationRelation) -> Bool {
    switch rule {
    case .always, .alwaysEvenReserved, .persistentReserve, .reserve, .release: return true
    case .read where isWriteExclusive: return true
    case .read, .write, .alwaysIfAllowingRemoval, .alwaysIfStarting:
      switch relation {
      case .holder: return true
      case .registrant: return admitsRegistrants
      case .stranger: return false
      }
    }
  }
}

extension ReservationState {
  public func isRegistered(_ nexus: NexusIdentity) -> Bool { key(of: nexus) != nil }

  /// The reservation key of a nexus; nil if it is not registered.
  public func key(of nexus: NexusIdentity) -> UInt64? {
    registrations.first { $0.nexus == nexus }?.key
  }

  /// Whether the nexus is a holder of the reservation, if there is one.
  public func isHolder(_ nexus: NexusIdentity) -> Bool {
    guard let reservation else { return false }
    return reservation.type.isAllRegistrants
      ? isRegistered(nexus) : reservation.holder == nexus
  }

  public func relation(of nexus: NexusIdentity) -> ReservationRelation {
    if isHolder(nexus) { return .holder }
    return isRegistered(nexus) ? .registrant : .stranger
  }

  /// What RESERVE and RELEASE do beside registrations.
  public enum LegacyOutcome: Equatable, Sendable {
    /// As SPC-2 has it: nobody is registered.
    case proceed
    /// GOOD, and nothing changes: the persistent reservation already gives the nexus what it asks
    /// for (SPC-4 §5.13.3, compatible reservation handling, CRH 1).
    case withoutEffect
    /// RESERVATION CONFLICT (SPC-2 §5.5.1): the two ways of reserving exclude each other.
    case conflict
  }

  /// What RESERVE or RELEASE of a nexus meets, another nexus' RESERVE apart.
  public func legacyOutcome(for nexus: NexusIdentity) -> LegacyOutcome {
    guard !registrations.isEmpty else { return .proceed }
    return legacyOutcome(from: relation(of: nexus))
  }

  /// While somebody is registered.
  func legacyOutcome(from relation: ReservationRelation) -> LegacyOutcome {
    guard let reservation else { return .conflict }
    let isPrivileged =
      relation == .holder || reservation.type.admitsRegistrants && relation == .registrant
    return isPrivileged ? .withoutEffect : .conflict
  }
}

/// What one nexus may do now: two bytes that its reactor asks before each command, made anew for
/// every nexus when the reservations change.
public struct ReservationGate: Equatable, Sendable, BitwiseCopyable {
  /// Bit n: the rule of raw value n gets RESERVATION CONFLICT.
  @usableFromInline
  let refusals: UInt16

  @usableFromInline
  init(refusals: UInt16) { self.refusals = refusals }

  /// Everything is allowed: nothing is reserved and nobody registered.
  @inlinable
  public static var open: ReservationGate { ReservationGate(refusals: 0) }

  /// What `state` leaves to `nexus` while `reserver`, if there is one, holds the unit by RESERVE.
  public init(
    _ state: ReservationState, for nexus: NexusIdentity, reservedBy reserver: NexusIdentity? = nil
  ) {
    self.init(
      state.reservation?.type, state.relation(of: nexus),
      legacyConflicts: state.legacyOutcome(for: nexus) == .conflict,
      reservedByItself: reserver.map { $0 == nexus })
  }

  /// `reservedByItself`: whether the unit is held by RESERVE of the nexus; nil: by no one's.
  init(
    _ type: ReservationType?, _ relation: ReservationRelation, legacyConflicts: Bool,
    reservedByItself: Bool?
  ) {
    var refusals: UInt16 = 0
    for rule in ReservationRule.allCases {
      let isAdmitted =
        Self.passesLegacy(rule, reservedByItself) && (type?.admits(rule, from: relation) ?? true)
        && !(legacyConflicts && (rule == .reserve || rule == .release))
      if !isAdmitted { refusals |= 1 << UInt16(rule.rawValue) }
    }
    self.refusals = refusals
  }

  /// SPC-2 §5.5.1 and table 10.
  private static func passesLegacy(_ rule: ReservationRule, _ reservedByItself: Bool?) -> Bool {
    guard let reservedByItself else { return true }
    switch rule {
    case .alwaysEvenReserved, .release: return true
    case .persistentReserve: return false
    case .always, .read, .write, .reserve, .alwaysIfAllowingRemoval, .alwaysIfStarting:
      return reservedByItself
    }
  }

  /// Whether everything passes: then the CDB need not be looked at.
  @inlinable
  public var isOpen: Bool { refusals == 0 }

  /// Whether a command of this rule passes; RESERVATION CONFLICT otherwise. A rule that depends on
  /// the CDB and is not resolved counts as its stricter half.
  @inlinable
  public func admits(_ rule: ReservationRule) -> Bool {
    refusals & (1 << UInt16(rule.rawValue)) == 0
  }

  /// Whether this very command passes.
  @inlinable
  public func admits(_ rule: ReservationRule, _ cdb: CommandDescriptorBlock) -> Bool {
    isOpen || admits(rule.resolved(for: cdb))
  }
}
