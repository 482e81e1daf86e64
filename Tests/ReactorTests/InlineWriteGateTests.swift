import Testing

@testable import Reactor

@Suite("Inline write gate")
struct InlineWriteGateTests {
  private var gate = InlineWriteGate()
  private var now = MonotonicTime(rawValue: 1_000_000_000_000)

  /// One write that takes `microseconds`, if the gate admits it.
  private mutating func write(
    _ byteCount: Int = 4096, microseconds: UInt64, slept: Bool = true
  ) -> Bool {
    guard gate.admits(byteCount, at: now) else { return false }
    let start = now
    now = MonotonicTime(rawValue: now.rawValue + microseconds * 1000)
    gate.finished(byteCount, from: start, to: now) { slept }
    return true
  }

  private mutating func pass(milliseconds: UInt32) {
    now = now + Milliseconds(milliseconds)
    gate.turnBegan()
  }

  @Test("Quick writes keep the gate open")
  mutating func quick() {
    for _ in 0..<1000 {
      #expect(write(microseconds: 900))
      gate.turnBegan()
    }
  }

  @Test("A slow write closes the gate for 250 ms")
  mutating func slow() {
    #expect(write(microseconds: 1100))
    #expect(!write(microseconds: 1))
    pass(milliseconds: 249)
    #expect(!write(microseconds: 1))
    pass(milliseconds: 1)
    #expect(write(microseconds: 1))
  }

  @Test("A write that only waited for the CPU does not close the gate")
  mutating func preempted() {
    #expect(write(microseconds: 5000, slept: false))
    #expect(write(microseconds: 1))
  }

  @Test("A large write has an allowance of 1 ns per byte more")
  mutating func allowance() {
    #expect(write(256 << 10, microseconds: 1250))
    #expect(write(microseconds: 1))
    #expect(write(256 << 10, microseconds: 1270))
    #expect(!write(microseconds: 1))
  }

  @Test("While writes stay slow the pause doubles up to 4 s, and starts over once they were quick")
  mutating func doubling() {
    #expect(write(microseconds: 5000))
    for expected: UInt32 in [250, 500, 1000, 2000, 4000, 4000] {
      #expect(gate.pause == Milliseconds(expected))
      pass(milliseconds: expected - 1)
      #expect(!write(microseconds: 1))
      pass(milliseconds: 1)
      #expect(write(microseconds: 5000))
    }
    pass(milliseconds: 4000)
    #expect(write(microseconds: 1))
    pass(milliseconds: 4000)
    #expect(write(microseconds: 5000))
    #expect(gate.pause == Milliseconds(250))
  }

  @Test("A turn admits 64 writes and 4 MiB, and none above 256 KiB")
  mutating func turnLimits() {
    for _ in 0..<64 { #expect(write(microseconds: 1)) }
    #expect(!write(microseconds: 1))
    gate.turnBegan()
    for _ in 0..<16 { #expect(write(256 << 10, microseconds: 1)) }
    #expect(!write(microseconds: 1))
    gate.turnBegan()
    #expect(!write((256 << 10) + 1, microseconds: 1))
    #expect(write(microseconds: 1))
  }

  @Test("A clock that stands still closes nothing")
  mutating func standingClock() {
    gate.finished(4096, from: now, to: MonotonicTime(rawValue: now.rawValue - 5)) { true }
    #expect(write(microseconds: 1))
  }
}
