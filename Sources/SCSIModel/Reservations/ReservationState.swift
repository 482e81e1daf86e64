/// TYPE of a persistent reservation (SPC-4 §6.15.3.4).
public enum ReservationType: UInt8, Sendable, CaseIterable, BitwiseCopyable {
  case writeExclusive = 1
  case exclusiveAccess = 3
  case writeExclusiveRegistrantsOnly = 5
  case exclusiveAccessRegistrantsOnly = 6
  case writeExclusiveAllRegistrants = 7
  case exclusiveAccessAllRegistrants = 8
}

/// A reservation key of an I_T nexus; the key is not zero.
public struct Registration: Hashable, Sendable {
  public var nexus: NexusIdentity
  public var key: UInt64

  public init(nexus: NexusIdentity, key: UInt64) {
    self.nexus = nexus
    self.key = key
  }
}

/// A persistent reservation of the whole logical unit.
public struct PersistentReservation: Hashable, Sendable {
  public var type: ReservationType
  /// Who holds it, a registrant; nil for the all registrants types, which every registrant holds.
  public var holder: NexusIdentity?

  public init(type: ReservationType, holder: NexusIdentity?) {
    self.type = type
    self.holder = holder
  }
}

/// All that persistent reservations of a logical unit are, and all that outlives the process (SPC-4
/// §5.13). A value: what a service action makes of it is the next value.
public struct ReservationState: Equatable, Sendable {
  /// One nexus more is refused with INSUFFICIENT REGISTRATION RESOURCES.
  public static let registrationsMax = 1024
  /// Places that are left to who registers itself. Without a registration nobody preempts or
  /// clears, so one who names a thousand invented ports must not shut all others out.
  public static let registrationsReserved = 64

  /// Whether one nexus more can be registered, with so many places left for others.
  func hasPlace(leaving reserved: Int = 0) -> Bool {
    registrations.count < ReservationState.registrationsMax - reserved
  }

  /// PRGENERATION (SPC-4 §6.15.2).
  public var generation: UInt32 = 0
  /// At most one per nexus, in the order of their making.
  public var registrations: [Registration] = []
  public var reservation: PersistentReservation?
  /// APTPL of the last registration: kept through a loss of power too.
  public var persistsThroughPowerLoss = false

  public init() {}
}
