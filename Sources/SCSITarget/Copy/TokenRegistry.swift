internal import Reactor
internal import SCSIModel
internal import Synchronization

/// The ROD tokens that represent blocks of one logical unit, on all reactors. Kept in memory only: a
/// token does not outlive the process.
///
/// A token says which blocks are meant and no more (ACCESS UPON REFERENCE): the data is read when the
/// token is used, with the rights of whoever uses it. So a token is no way around an ACL or a
/// reservation, and none is invalidated by a write.
final class TokenRegistry: Sendable {
  private struct Token {
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
  }

  private let state = Mutex(State())

  /// Makes a token for `ranges`, which exist; the oldest of too many is forgotten.
  func issue(
    _ ranges: [BlockRange], creator: CSCDDescriptor, byteCount: UInt64, inactivitySeconds: UInt32,
    now: MonotonicTime
  ) -> [UInt8] {
    let secret = TokenRegistry.makeSecret()
    return state.withLock { state in
      state.tokens.removeAll { $0.isExpired(now) }
      if state.tokens.count >= CopyLimits.tokensMax { state.tokens.removeFirst() }
      state.identifier += 1
      let bytes = RODToken.encoded(
        identifier: state.identifier, creator: creator, byteCount: byteCount, secret: secret)
      state.tokens.append(
        Token(
          bytes: bytes, ranges: ranges, lifetime: .seconds(inactivitySeconds), used: now))
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
