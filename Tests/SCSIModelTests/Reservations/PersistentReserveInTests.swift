import SCSIModel
import Testing

@Suite struct PersistentReserveInTests {
  private var state: ReservationState {
    var state = ReservationState(
      [(Cluster.a, 0x0102_0304_0506_0708), (Cluster.b.elsewhere, 9)],
      .writeExclusiveRegistrantsOnly, by: Cluster.a)
    state.generation = 0x0A0B_0C0D
    return state
  }

  @Test("READ KEYS lists a key per registration after generation and length")
  func readKeys() {
    #expect(
      state.readKeys() == [
        0x0A, 0x0B, 0x0C, 0x0D, 0, 0, 0, 16,  // PRGENERATION, ADDITIONAL LENGTH
        1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9,
      ])
    #expect(ReservationState().readKeys() == [0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("READ RESERVATION names the holder's key and the type, and key 0 for all registrants")
  func readReservation() {
    #expect(
      state.readReservation() == [
        0x0A, 0x0B, 0x0C, 0x0D, 0, 0, 0, 16,  // PRGENERATION, ADDITIONAL LENGTH
        1, 2, 3, 4, 5, 6, 7, 8,  // RESERVATION KEY
        0, 0, 0, 0, 0, 0x05, 0, 0,  // SCOPE and TYPE in byte 21
      ])
    let all = ReservationState([(Cluster.a, 1)], .exclusiveAccessAllRegistrants)
    #expect(
      all.readReservation()
        == [0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0, 0])
    #expect(ReservationState().readReservation() == [0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("REPORT CAPABILITIES promises what is built: all types, CRH, SIP_C, ATP_C, PTPL_C, RLR_C")
  func reportCapabilities() {
    var state = ReservationState()
    #expect(state.reportCapabilities() == [0, 8, 0x9D, 0x90, 0xEA, 0x01, 0, 0])
    state.persistsThroughPowerLoss = true
    #expect(state.reportCapabilities() == [0, 8, 0x9D, 0x91, 0xEA, 0x01, 0, 0])
  }

  @Test("READ FULL STATUS describes each registration, its port, and who holds")
  func readFullStatus() throws {
    let data = state.readFullStatus { $0.portalGroupTag }
    let first = TransportID.port(Cluster.a.initiator).encoded
    let second = TransportID.port(Cluster.b.initiator).encoded
    let length = UInt8(48 + first.count + second.count)
    #expect(Array(data[0..<8]) == [0x0A, 0x0B, 0x0C, 0x0D, 0, 0, 0, length])
    #expect(
      Array(data[8..<32]) == [
        1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0,
        0x01, 0x05, 0, 0, 0, 0, 0, 1,  // R_HOLDER, SCOPE and TYPE, relative port 1
        0, 0, 0, UInt8(first.count),
      ])
    #expect(Array(data[32..<32 + first.count]) == first)
    let start = 32 + first.count
    #expect(
      Array(data[start..<start + 24]) == [
        0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0,
        0x00, 0x00, 0, 0, 0, 0, 0, 2,
        0, 0, 0, UInt8(second.count),
      ])
    #expect(Array(data[(start + 24)...]) == second)
    let decoded = try TransportID.decode(data, at: start + 24)
    #expect(decoded.transportID == .port(Cluster.b.initiator))
  }

  @Test("Every registrant of an all registrants reservation is reported as a holder")
  func allHolders() {
    let state = ReservationState(
      [(Cluster.a, 1), (Cluster.b, 2)], .writeExclusiveAllRegistrants)
    let data = state.readFullStatus { _ in nil }
    let step = 24 + TransportID.port(Cluster.a.initiator).encoded.count
    for start in [8, 8 + step] {
      #expect(data[start + 12] == 1 && data[start + 13] == 7)
      #expect(data[start + 18] == 0 && data[start + 19] == 0)
    }
  }

  @Test("1024 registrants with the longest names are described in full")
  func many() {
    let host = String(repeating: "h", count: 223)
    let state = ReservationState(
      (0..<1024).map { index in
        let port = InitiatorPort(name: host, isid: UInt64(index))
        return (NexusIdentity(initiator: port, target: Cluster.portOne), UInt64(index) + 1)
      })
    let data = state.readFullStatus { _ in 1 }
    #expect(data.count == 8 + 1024 * (24 + TransportID.byteCountMax))
    let length = data[4..<8].reduce(0) { $0 << 8 | Int($1) }
    #expect(length == data.count - 8)
  }
}
