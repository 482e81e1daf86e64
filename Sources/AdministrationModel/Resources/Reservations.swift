/// Who is registered with a logical unit and who holds it (SPC-4 §5.13).
public struct ReservationResource: Codable, Sendable, Equatable {
  public var store: String
  /// PRgeneration.
  public var generation: UInt32
  /// Persist through power loss.
  public var persists: Bool
  public var registrants: [RegistrantResource]
  /// nil: nobody holds it.
  public var reservation: HeldReservation?
  /// Why nothing is known of them: what is on record is damaged and the store is offline, or there
  /// was no answer in time. nil: all is.
  public var problem: String?

  public init(store: String, generation: UInt32 = 0) {
    self.store = store
    self.generation = generation
    persists = false
    registrants = []
  }

  /// It is known that nobody is registered and nobody holds it.
  public var isEmpty: Bool { registrants.isEmpty && reservation == nil && problem == nil }
}

/// The reservation itself.
public struct HeldReservation: Codable, Sendable, Equatable {
  /// As SPC-4 names it: `Write Exclusive – Registrants Only`; `RESERVE(6)` for the older kind.
  public var type: String
  /// `LU_SCOPE`.
  public var scope: String
  /// Initiators; with the All Registrants types, all registrants.
  public var holders: [String]
  public var key: String?
  public var since: Timestamp?

  public init(
    type: String, scope: String = "LU_SCOPE", holders: [String], key: String? = nil,
    since: Timestamp? = nil
  ) {
    self.type = type
    self.scope = scope
    self.holders = holders
    self.key = key
    self.since = since
  }
}

/// An I_T nexus with a key.
public struct RegistrantResource: Codable, Sendable, Equatable {
  /// `0x` and 16 hexadecimal digits: a number of JSON could not hold it.
  public var key: String
  public var initiator: String
  /// Twelve hexadecimal digits; nil where the registration holds for any.
  public var isid: String?
  public var target: String
  public var portalGroup: UInt16?
  public var isHolder: Bool
  public var isLoggedIn: Bool

  public init(key: String, initiator: String, isid: String? = nil, target: String) {
    self.key = key
    self.initiator = initiator
    self.isid = isid
    self.target = target
    isHolder = false
    isLoggedIn = false
  }
}
