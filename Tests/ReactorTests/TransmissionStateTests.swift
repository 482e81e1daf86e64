import Reactor
import Testing

@Suite("Transmission state")
struct TransmissionStateTests {
  static func isPeerGone(_ segments: UInt32, _ timeouts: UInt8, _ silence: UInt32) -> Bool {
    TransmissionState(
      unacknowledgedSegments: segments, timeouts: timeouts, silence: Milliseconds(silence)
    ).isPeerGone
  }

  @Test("A peer that lets two time-outs and half a second pass in silence is gone")
  func gone() {
    #expect(TransmissionStateTests.isPeerGone(1, 2, 500))
    #expect(TransmissionStateTests.isPeerGone(.max, .max, .max))
  }

  @Test("A peer that was sent nothing is not gone, however long it is silent")
  func idle() { #expect(!TransmissionStateTests.isPeerGone(0, 2, .max)) }

  @Test("A peer is not gone for one lost packet, nor for being far away")
  func lostPacket() {
    #expect(!TransmissionStateTests.isPeerGone(1, 1, 500))
    #expect(!TransmissionStateTests.isPeerGone(100, 0, 2_000))
  }

  @Test("A peer that says something is not gone, though what it is sent gets lost")
  func heard() { #expect(!TransmissionStateTests.isPeerGone(1, 9, 499)) }
}
