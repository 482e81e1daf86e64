/// Something that happened.
public struct Event: Codable, Sendable, Equatable {
  /// What kind of thing. The list grows: a reader passes over what it does not know.
  public struct Kind: RawRepresentable, Codable, Sendable, Hashable {
    public var rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    public static let sessionStarted = Kind(rawValue: "sessionStarted")
    public static let sessionEnded = Kind(rawValue: "sessionEnded")
    public static let loginRefused = Kind(rawValue: "loginRefused")
    public static let configurationChanged = Kind(rawValue: "configurationChanged")
    public static let storeOnline = Kind(rawValue: "storeOnline")
    public static let storeOffline = Kind(rawValue: "storeOffline")
    public static let storeFull = Kind(rawValue: "storeFull")
    /// Its file was deleted, renamed, replaced or cut while it serves.
    public static let storeEndangered = Kind(rawValue: "storeEndangered")
    /// Its file is again what it serves.
    public static let storeSafe = Kind(rawValue: "storeSafe")
    public static let reservationChanged = Kind(rawValue: "reservationChanged")
    public static let initiatorPreempted = Kind(rawValue: "initiatorPreempted")
    public static let portalFailed = Kind(rawValue: "portalFailed")
    /// The reader was too slow: `missed` says how many events it was not given.
    public static let missed = Kind(rawValue: "missed")
    /// Nothing happened for a while, and the stream lives.
    public static let alive = Kind(rawValue: "alive")
  }

  /// Ascending, without gaps, from the start of the daemon on. 0: not counted (`missed`, `alive`).
  public var id: UInt64
  public var at: Timestamp
  public var kind: Kind
  /// One sentence, for people.
  public var message: String
  public var target: String?
  public var lun: UInt16?
  public var store: String?
  public var initiator: String?
  public var session: UInt64?
  public var address: String?
  public var missed: UInt64?
  /// Of a refused login, as the metrics name it: `notFound`.
  public var reason: String?

  public init(
    _ kind: Kind, _ message: String, target: String? = nil, lun: UInt16? = nil,
    store: String? = nil, initiator: String? = nil, session: UInt64? = nil,
    address: String? = nil, missed: UInt64? = nil, reason: String? = nil
  ) {
    id = 0
    at = Timestamp(millisecondsSinceEpoch: 0)
    self.kind = kind
    self.message = message
    self.target = target
    self.lun = lun
    self.store = store
    self.initiator = initiator
    self.session = session
    self.address = address
    self.missed = missed
    self.reason = reason
  }
}
