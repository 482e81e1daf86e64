public import ISCSIModel
public import Logging
public import Reactor
internal import Synchronization

/// What all reactors of one server share. Constant, or safe for all of them to use.
public final class ServerContext: Sendable {
  public let sessions: SessionDirectory
  /// Every CHAP challenge this process is waiting to see answered, so that none is ever answered by
  /// reflecting it (RFC 7143 §9.2.1).
  public let challenges: OutstandingChallenges
  public let limits: ServerLimits
  public let logger: Logger
  let observer: (any ServerObserver)?
  /// Connections per reactor, by which new ones are placed.
  let loads: ReactorLoads
  private let numbers = Atomic<UInt64>(0)

  /// `randomHandle` gives the session handles; they must be hard to guess in production.
  public init(
    reactorCount: Int, limits: ServerLimits, logger: Logger,
    observer: (any ServerObserver)? = nil,
    randomHandle: @escaping @Sendable () -> UInt16 = { UInt16.random(in: 1...UInt16.max) }
  ) {
    sessions = SessionDirectory(limits: limits, randomHandle: randomHandle)
    challenges = OutstandingChallenges()
    self.limits = limits
    self.logger = logger
    self.observer = observer
    loads = ReactorLoads(count: reactorCount)
  }

  /// A number greater than every one before it.
  func nextNumber() -> UInt64 { numbers.add(1, ordering: .relaxed).newValue }
}

/// The server's named maxima. Over one of them the answer is a refusal, never growth.
public struct ServerLimits: Sendable, Equatable {
  public var sessionsMax: Int
  /// Connections in all, logged in or not.
  public var connectionsMax: Int
  /// Sessions of one initiator, by its name, at one target: twice what a host with many paths or
  /// ports makes. It has one more for each ISID that it thinks of, so without a bound it could keep
  /// all others out.
  public var sessionsPerInitiatorAtTargetMax = 64
  /// Sessions of one initiator in all: a quarter, as a host may have a target for each volume.
  public var sessionsPerInitiatorMax: Int
  /// Connections of one initiator that have proved themselves, a quarter too. Those that replace
  /// others get in beyond it.
  public var connectionsPerInitiatorMax: Int
  /// Connections that have not proved who they are yet. One more and the oldest of them is dropped:
  /// an honest login is over in milliseconds, a flood's never.
  public var halfOpenConnectionsMax: Int
  /// How long a login may take.
  public var loginTimeout: Milliseconds
  /// How long a login waits for the end of the session whose place it takes. Where a store hangs it
  /// then begins without the logical units that wait for it: before the initiator gives up, ESXi
  /// after 5 s, open-iscsi after 15 s.
  public var reinstatementWait = Milliseconds.seconds(3)
  /// How long an initiator may refuse to take our answers, or be behind with the data of its
  /// writes (`DataDue`).
  public var sendTimeout = Milliseconds.seconds(30)

  /// What the configuration says (`TargetConfiguration.Limits`, which has the defaults).
  public init(
    sessionsMax: Int, connectionsMax: Int, halfOpenConnectionsMax: Int, loginTimeout: Milliseconds
  ) {
    self.sessionsMax = sessionsMax
    self.connectionsMax = connectionsMax
    sessionsPerInitiatorMax = max(64, sessionsMax / 4)
    connectionsPerInitiatorMax = max(128, connectionsMax / 4)
    self.halfOpenConnectionsMax = halfOpenConnectionsMax
    self.loginTimeout = loginTimeout
  }
}

/// Connections on each reactor. Counted without a lock; a count that is a moment old only places
/// one connection less well.
final class ReactorLoads: Sendable {
  private final class Count: Sendable {
    let value = Atomic<Int>(0)
  }

  private let counts: [Count]

  init(count: Int) { counts = (0..<count).map { _ in Count() } }

  func change(_ reactorIndex: Int, by difference: Int) {
    counts[reactorIndex].value.wrappingAdd(difference, ordering: .relaxed)
  }

  var total: Int { counts.reduce(0) { $0 + $1.value.load(ordering: .relaxed) } }

  /// The reactor with the fewest connections; the first among equals.
  var least: Int {
    var best = 0
    for index in counts.indices
    where counts[index].value.load(ordering: .relaxed)
      < counts[best].value.load(ordering: .relaxed)
    {
      best = index
    }
    return best
  }
}
