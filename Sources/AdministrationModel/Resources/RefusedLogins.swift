/// Logins of one initiator at one target that were refused for one reason, since it last logged in
/// there.
public struct RefusedLoginResource: Codable, Sendable, Equatable {
  /// nil: it was refused before it had said so.
  public var initiator: String?
  public var target: String?
  /// Where the newest came from, without the port.
  public var address: String
  /// As the metrics name it: `notFound`.
  public var reason: String
  /// What was wrong with the newest, for people.
  public var message: String
  /// How many there were.
  public var count: UInt64
  /// When the newest was.
  public var at: Timestamp

  public init(
    initiator: String? = nil, target: String? = nil, address: String, reason: String,
    message: String, count: UInt64 = 1, at: Timestamp
  ) {
    self.initiator = initiator
    self.target = target
    self.address = address
    self.reason = reason
    self.message = message
    self.count = count
    self.at = at
  }
}
