/// The bounds of the server. What is beyond them is refused, and costs no more than the refusal.
public struct ServerLimits: Sendable {
  /// A whole configuration file has at most as much.
  public var bodyBytesMax = 1 << 20
  public var headerFieldBytesMax = 8 << 10
  public var headerBytesMax = 32 << 10
  public var headerFieldCountMax = 64
  /// One more is answered that there are too many.
  public var connectionCountMax = 128
  /// From the head of a request to its end.
  public var requestTime = Duration.seconds(30)
  /// Without a request; and for its head.
  public var idleTime = Duration.seconds(60)
  /// After an answer that ends the connection: for the client to read it.
  public var lingerTime = Duration.seconds(1)
  /// After this silence a stream of events says that it lives.
  public var aliveTime = Duration.seconds(15)
  /// Events that wait for one reader.
  public var eventQueueCountMax = 1024
  /// For requests that run when the server stops.
  public var stopTime = Duration.seconds(5)

  public init() {}
}
