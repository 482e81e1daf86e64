/// The bounds of the server. What is beyond them is refused, and costs no more than the refusal.
public struct APILimits: Sendable {
  /// A whole configuration file has at most as much.
  public var bodyBytesMax = 1 << 20
  /// Several changes at once; and any other body.
  public var batchBytesMax = 1 << 20
  public var smallBodyBytesMax = 64 << 10
  /// Of all bodies that are here at a time, beyond one of the largest.
  public var furtherBodyBytesMax = 4 << 20
  public var headerFieldBytesMax = 8 << 10
  public var headerBytesMax = 32 << 10
  public var headerFieldCountMax = 64
  /// One more is answered that there are too many. Those of the network are counted by themselves,
  /// so that nobody there takes the place of who is on the machine.
  public var connectionCountMax = 128
  public var networkConnectionCountMax = 64
  /// From one address of the network.
  public var addressConnectionCountMax = 16
  /// On the network: from the first byte to the head of the first request, with a token.
  public var greetingTime = Duration.seconds(5)
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
