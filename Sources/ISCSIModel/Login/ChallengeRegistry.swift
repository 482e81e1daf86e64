internal import Synchronization

/// Every CHAP challenge of the process that waits for its response. A login that sends one of them
/// back as its own challenge is a reflection, on whatever connection it arrives (RFC 7143 §9.2.1).
public protocol ChallengeRegistry: Sendable {
  /// False, and nothing is kept, if the challenge is there already or there is no room.
  func insert(_ challenge: [UInt8]) -> Bool
  func remove(_ challenge: [UInt8])
  func contains(_ challenge: [UInt8]) -> Bool
}

/// The production registry, shared by all reactors. Bounded: at most `capacity` logins can be
/// between challenge and response.
public final class OutstandingChallenges: ChallengeRegistry {
  /// More than the half-open logins a daemon admits.
  public static let defaultCapacity = 4096

  private let capacity: Int
  private let challenges = Mutex<Set<[UInt8]>>([])

  public init(capacity: Int = OutstandingChallenges.defaultCapacity) { self.capacity = capacity }

  public func insert(_ challenge: [UInt8]) -> Bool {
    challenges.withLock { $0.count < capacity && $0.insert(challenge).inserted }
  }

  public func remove(_ challenge: [UInt8]) {
    challenges.withLock { _ = $0.remove(challenge) }
  }

  public func contains(_ challenge: [UInt8]) -> Bool {
    challenges.withLock { $0.contains(challenge) }
  }

  public var count: Int { challenges.withLock { $0.count } }
}

/// A challenge's place in the registry, given up when the login that asked it moves on or is
/// dropped.
final class ChallengeLease: Sendable {
  let challenge: [UInt8]
  private let registry: any ChallengeRegistry

  init?(_ challenge: [UInt8], in registry: any ChallengeRegistry) {
    guard registry.insert(challenge) else { return nil }
    self.challenge = challenge
    self.registry = registry
  }

  deinit { registry.remove(challenge) }
}
