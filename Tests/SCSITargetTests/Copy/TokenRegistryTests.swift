import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Token registry")
struct TokenRegistryTests {
  @Test("An initiator that makes too many tokens loses its own, oldest first, and nobody else's")
  func tokens() {
    let registry = TokenRegistry()
    let now = MonotonicTime(rawValue: 1)
    func issue(_ owner: String) -> [UInt8] {
      registry.issue(
        [BlockRange(start: 0, count: 1)], to: owner,
        creator: CSCDDescriptor(naa: Bench.identity.naa, blockLengthBytes: 512), byteCount: 512,
        inactivitySeconds: 60, now: now)
    }
    func isKnown(_ token: [UInt8]) -> Bool { registry.ranges(of: token, now: now) != nil }
    func knownCount(_ tokens: [[UInt8]]) -> Int { tokens.count(where: isKnown) }
    let theirs = (0..<3).map { _ in issue("modest") }
    let flood = (0..<CopyLimits.tokensMax + 50).map { _ in issue("greedy") }
    var counts = [knownCount(theirs), knownCount(flood), knownCount(Array(flood[53...]))]
    #expect(counts == [3, CopyLimits.tokensMax - 3, CopyLimits.tokensMax - 3])
    // A newcomer's first token costs whoever has most.
    let late = issue("late")
    counts = [knownCount([late]), knownCount(theirs), knownCount([flood[53]])]
    #expect(counts == [1, 3, 0])
  }

  @Test("When every token is of another initiator the oldest makes room")
  func tokensOfMany() {
    let registry = TokenRegistry()
    let tokens = (0...CopyLimits.tokensMax).map { number in
      registry.issue(
        [BlockRange(start: 0, count: 1)], to: "\(number)",
        creator: CSCDDescriptor(naa: Bench.identity.naa, blockLengthBytes: 512), byteCount: 512,
        inactivitySeconds: 60, now: MonotonicTime(rawValue: 1))
    }
    let isKnown = tokens.map {
      registry.ranges(of: $0, now: MonotonicTime(rawValue: 2)) != nil
    }
    let knownCount = isKnown.count { $0 }
    #expect(knownCount == CopyLimits.tokensMax)
    #expect(isKnown.first == false)
  }
}
