internal import Reactor
internal import SCSIModel
internal import Synchronization

/// The ROD tokens that represent blocks of one logical unit, on all reactors. Kept in memory only:
/// a token does not outlive the process.
///
/// A token says which blocks are meant and no more (ACCESS UPON REFERENCE): the data is read when
/// the token is used, with the rights of whoever uses it. So a token is no way around an ACL or a
/// reservation, and none is invalidated by a write.
final class TokenRegistry: Sendable {
  private struct Token {
    /// The initiator whose token it is; it may have it from several sessions.
    var owner: String
    var bytes: [UInt8]
    var ranges: [BlockRange]
    var lifetime: Milliseconds
    var used: MonotonicTime

    func isExpired(_ now: MonotonicTime) -> Bool { now >= used + lifetime }
  }

  private struct State {
    var identifier: UInt64 = 0
    /// Oldest first.
    var tokens: [Token] = []

    /// Forgets the oldest token of whoever will have the most when `owner` has one more, so that no
    /// initiator costs another that has fewer a token.
    mutating func makeRoom(for owner: String) {
      let counts = tokens.reduce(into: [owner: 1]) { $0[$1.owner, default: 0] += 1 }
      let most = counts.values.max() ?? 1
      let isOwn = most > 1 && counts[owner] == most
      let index = tokens.firstIndex { isOwn ? $0.owner == owner : counts[$0.owner] == most }
      if let index { tokens.remove(at: index) }
    }
  }

  private let state = Mutex(State())

  /// Makes a token for `ranges`, which exist, and for the initiator named `owner`; of too many one
  /// is forgotten.
  func issue(
    _ ranges: [BlockRange], to owner: String, creator: CSCDDescriptor, byteCount: UInt64,
    inactivitySeconds: UInt32, now: MonotonicTime
  ) -> [UInt8] {
    let secret = TokenRegistry.makeSecret()
    return state.withLock { state in
      state.tokens.removeAll { $0.isExpired(now) }
      if state.tokens.count >= CopyLimits.tokensMax { state.makeRoom(for: owner) }
      state.identifier += 1
      let bytes = RODToken.encoded(
        identifier: state.identifier, creator: creator, byteCount: byteCount, secret: secret)
      state.tokens.append(
        Token(
          owner: owner, bytes: bytes, ranges: ranges, lifetime: .seconds(inactivitySeconds),
          used: now))
      return bytes
    }
  }

  /// The blocks that `bytes` stands for; nil if it is no token of this unit, or not any more.
  func ranges(of bytes: [UInt8], now: MonotonicTime) -> [BlockRange]? {
    state.withLock { state in
      state.tokens.removeAll { $0.isExpired(now) }
      guard let index = state.tokens.firstIndex(where: { Self.isEqual($0.bytes, bytes) }) else {
        return nil
      }
      state.tokens[index].used = now
      return state.tokens[index].ranges
    }
  }

  func forget(_ bytes: [UInt8]) {
    state.withLock { $0.tokens.removeAll { Self.isEqual($0.bytes, bytes) } }
  }

  /// In a time that does not depend on where the first difference is: the token is a secret.
  private static func isEqual(_ token: [UInt8], _ shown: [UInt8]) -> Bool {
    guard token.count == shown.count else { return false }
    var difference: UInt8 = 0
    for index in token.indices { difference |= token[index] ^ shown[index] }
    return difference == 0
  }

  private static func makeSecret() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<RODToken.secretByteCount).map { _ in
      UInt8.random(in: .min ... .max, using: &generator)
    }
  }
}
