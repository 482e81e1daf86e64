import Testing

@testable import Reactor

@Suite("Pace of requests")
struct RequestPaceTests {
  /// The advice after `turns` turns of `handful` requests each, `microseconds` apart.
  private func advice(
    outstanding: Int, handful: Int, microsecondsPerTurn: UInt64, turns: Int = 100
  ) -> UInt32 {
    var pace = RequestPace()
    var advice: UInt32 = 0
    for turn in 1...turns {
      for _ in 0..<handful { pace.requestArrived(outstanding: outstanding) }
      advice = pace.turnEnded(
        at: MonotonicTime(rawValue: UInt64(turn) * microsecondsPerTurn * 1000))
    }
    return advice
  }

  @Test("an initiator that waits for its answers is never made to wait")
  func lowDepth() {
    for outstanding in 1..<RequestPace.outstandingMin {
      #expect(advice(outstanding: outstanding, handful: 1, microsecondsPerTurn: 8) == 0)
    }
  }

  @Test("small handfuls of many outstanding requests gather, longer the more there are")
  func handfuls() {
    #expect(advice(outstanding: 16, handful: 1, microsecondsPerTurn: 8) == 20_000)
    #expect(advice(outstanding: 32, handful: 2, microsecondsPerTurn: 16) == 40_000)
    #expect(advice(outstanding: 500, handful: 2, microsecondsPerTurn: 16) == 80_000)
  }

  @Test("turns that are full already are not made to gather")
  func fullTurns() {
    #expect(advice(outstanding: 32, handful: 12, microsecondsPerTurn: 60) == 0)
  }

  @Test("requests that come slowly are served one by one")
  func slow() {
    #expect(advice(outstanding: 32, handful: 1, microsecondsPerTurn: 100) == 0)
  }

  @Test("one shallow turn ends the gathering at once")
  func depthFalls() {
    var pace = RequestPace()
    var advice: UInt32 = 0
    for turn in 1...100 {
      pace.requestArrived(outstanding: 32)
      advice = pace.turnEnded(at: MonotonicTime(rawValue: UInt64(turn) * 8000))
    }
    #expect(advice == 40_000)
    pace.requestArrived(outstanding: 2)
    #expect(pace.turnEnded(at: MonotonicTime(rawValue: 101 * 8000)) == 0)
  }

  @Test("a span rounded up ends on a multiple of the grid, and not before its time")
  func grid() {
    let second = Milliseconds.seconds(1)
    let now = MonotonicTime(rawValue: 12_345_678_901)
    #expect(Milliseconds(5000).roundedUp(to: second, from: now) == Milliseconds(5655))
    #expect(Milliseconds(655).roundedUp(to: second, from: now) == Milliseconds(655))
    #expect(Milliseconds(5000).roundedUp(to: Milliseconds(0), from: now) == Milliseconds(5000))
  }
}
