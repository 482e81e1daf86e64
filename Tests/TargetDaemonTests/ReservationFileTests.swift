import SCSIModel
import Testing

@testable import TargetDaemon

@Suite("A file of reservations")
struct ReservationFileTests {
  private func damage(_ content: [UInt8]) -> RecordDamage? {
    do throws(RecordDamage) {
      _ = try ReservationFile(content: content)
      return nil
    } catch { return error }
  }

  /// Bytes with a checksum that is right for them.
  private func sealed(_ text: String) -> [UInt8] {
    ChecksummedText(text).content(.sha256)
  }

  private let body = """
    swift-tgtd reservations 1
    unit 60205a5a5a5a5a5a5a5a5a5a5a5a5a5a
    store quorum1
    boot 2f1c9a52-6b1e-4c57-9c0b-6a35e0b6c1aa
    generation 17
    aptpl 0
    reservation write-exclusive-registrants-only holder 1
    registrations 2
    1 key 00000000dead0001 initiator iqn.2004-01.com.example:node1 isid 00023d000001 \
    target iqn.2026-11.com.example:t group 1
    2 key 00000000dead0002 initiator iqn.2004-01.com.example:node2 isid 00023d000002 \
    target iqn.2026-11.com.example:t group 1

    """

  @Test("It reads as people expect, and its checksum is that of sha256sum")
  func golden() throws {
    // printf '%s' "$body" | sha256sum
    let text = body + "sha256 0ec47576fae1bcd1518803ed0c5dabd2fa41b7f986dad9a5b8754a4b9524173e\n"
    #expect(String(decoding: Sample.file().content, as: UTF8.self) == text)
    #expect(try ReservationFile(content: Array(text.utf8)) == Sample.file())
  }

  @Test("Every type, with and without APTPL, comes back as it was", arguments: [false, true])
  func roundTrip(aptpl: Bool) throws {
    var states = [ReservationState()]
    for type in ReservationType.allCases {
      var state = Sample.state
      state.reservation = PersistentReservation(
        type: type, holder: type.isAllRegistrants ? nil : Sample.nexus(2))
      states.append(state)
    }
    var unreserved = Sample.state
    unreserved.reservation = nil
    states.append(unreserved)
    for var state in states {
      state.persistsThroughPowerLoss = aptpl
      state.generation = aptpl ? .max : 0
      let file = Sample.file(state)
      #expect(try ReservationFile(content: file.content) == file)
    }
  }

  @Test("Whatever service actions make of a state can be saved and comes back", arguments: 1...8)
  func reachableStates(seed: UInt64) throws {
    var random = seed
    func pick(_ count: Int) -> Int {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(random >> 33) % count
    }
    let ports = ReservationPorts(
      targetPorts: [ReservationPorts.Port(Sample.nexus(0).target, relativeIdentifier: 1)])
    var state = ReservationState()
    var changes = 0
    for _ in 1...400 {
      var request = PersistentReserveOut(
        PersistentReserveOut.Action.allCases[pick(9)], type: ReservationType.allCases[pick(6)],
        reservationKey: UInt64(pick(3)), serviceActionKey: UInt64(pick(3)))
      request.activatesPersistThroughPowerLoss = pick(2) == 1
      if request.action == .registerAndMove {
        request.destination = PersistentReserveOut.Destination(
          relativeTargetPort: 1, initiator: Sample.nexus(pick(4)).initiator,
          unregistersSender: pick(2) == 1)
      }
      guard let change = try? state.applying(request, from: Sample.nexus(pick(4)), ports: ports)
      else { continue }
      changes += change.state == state ? 0 : 1
      state = change.state
      let file = Sample.file(state)
      try #require(try ReservationFile(content: file.content) == file)
    }
    #expect(changes > 20)
  }

  /// T-PR-2.
  @Test("1024 registrants with the longest names come back, and fit the bound of the file")
  func fullTable() throws {
    var state = ReservationState()
    state.registrations = (1...ReservationState.registrationsMax).map { number in
      var registration = Sample.registration(number)
      let digits = String(number)
      // Bytes that are each written as three.
      registration.nexus.initiator.name = String(repeating: "%", count: 223 - digits.count) + digits
      registration.nexus.target.name = String(repeating: " ", count: 223)
      registration.nexus.target.portalGroupTag = .max
      registration.key = .max - UInt64(number)
      return registration
    }
    state.reservation = PersistentReservation(
      type: .exclusiveAccess, holder: state.registrations.last?.nexus)
    let file = Sample.file(state)
    #expect(file.content.count < ReservationFile.bytesMax)
    let isSame = try ReservationFile(content: file.content) == file
    #expect(isSame)
    state.registrations.append(Sample.registration(0))
    #expect(damage(Sample.file(state).content) == .notWhatWasWritten)
  }

  @Test(
    "Names of any bytes stay words of their own", arguments: ["", " ", "a\nb", "%41", "ä", "\r\n"])
  func names(name: String) throws {
    var state = Sample.state
    state.registrations[1].nexus.initiator.name = name
    var file = Sample.file(state)
    file.unit = RecordUnit(naa: file.unit.naa, store: name)
    #expect(try ReservationFile(content: file.content) == file)
    #expect(file.content.allSatisfy { $0 < 0x7F })
  }

  @Test("Any bit of it changed, or any end of it missing, and it is refused")
  func everyBit() {
    let content = Sample.file().content
    var accepted: [String] = []
    for index in content.indices {
      for bit in 0..<8 {
        var changed = content
        changed[index] ^= 1 << UInt8(bit)
        if damage(changed) == nil { accepted.append("byte \(index) bit \(bit)") }
      }
      if damage(Array(content[..<index])) == nil { accepted.append("first \(index)") }
      if damage(Array(content[..<index]) + [UInt8](repeating: 0, count: content.count - index))
        == nil
      {
        accepted.append("zeros from \(index)")
      }
      var shorter = content
      shorter.remove(at: index)
      if damage(shorter) == nil { accepted.append("without \(index)") }
    }
    #expect(accepted.isEmpty)
    #expect(damage(content) == nil)
    #expect(damage(content + [0x0A]) == .notWhatWasWritten)
    #expect(damage([]) == .notWhatWasWritten)
  }

  @Test("Another version is told apart from damage, by its number")
  func version() {
    let newer = sealed(body.replacing("reservations 1", with: "reservations 2", maxReplacements: 1))
    #expect(damage(newer) == .otherVersion(2))
    #expect(
      damage(Array("swift-tgtd reservations 4294967295\nwhatever".utf8)) == .otherVersion(.max))
    #expect(damage(Array("swift-tgtd reservations 4294967296\n".utf8)) == .notWhatWasWritten)
  }

  @Test(
    "What no state is written as is refused even with the right checksum",
    arguments: [
      ("holder 1", "holder 3"), ("holder 1", "holder 0"),
      ("holder 1", "holder -9223372036854775808"),
      (" holder 1", ""), ("holder 1", "holder 01"), ("registrants-only", "all-registrants"),
      ("registrations 2", "registrations 3"), ("registrations 2", "registrations 02"),
      ("aptpl 0", "aptpl 2"), ("generation 17", "generation 4294967296"),
      ("00000000dead0001", "0000000000000000"), ("00000000dead0001", "dead0001"),
      ("isid 00023d000001", "isid 00023D000001"), ("group 1\n2", "group 65536\n2"),
      ("node2 isid 00023d000002", "node1 isid 00023d000001"), ("node1", "node%31"),
      ("node1", "node%FF"), ("node1", "node%4"), ("node1", "node%+4"), ("1 key", "2 key"),
      ("boot 2f", "boot 2F"), ("unit ", "unit  "), ("store quorum1\n", ""), ("\nboot", "\n\nboot"),
      ("\n", "\r\n"),
    ])
  func misspelt(was: String, becomes: String) {
    let changed = body.replacing(was, with: becomes)
    #expect(changed != body)
    #expect(damage(sealed(body)) == nil)
    #expect(damage(sealed(changed)) == .notWhatWasWritten)
  }

  @Test("Only a new boot drops registrations, and only those that did not ask for APTPL")
  func boots() {
    var file = Sample.file()
    #expect(file.stateInForce(bootedAs: Sample.boot) == Sample.state)
    #expect(file.stateInForce(bootedAs: Sample.nextBoot) == ReservationState())
    // Unknown on either side: nothing is dropped on suspicion.
    #expect(file.stateInForce(bootedAs: nil) == Sample.state)
    file.boot = nil
    #expect(file.stateInForce(bootedAs: Sample.boot) == Sample.state)
    #expect((try? ReservationFile(content: file.content)) == file)

    file = Sample.file()
    file.state.persistsThroughPowerLoss = true
    #expect(file.stateInForce(bootedAs: Sample.boot) == file.state)
    var kept = file.state
    kept.generation = 0
    #expect(file.stateInForce(bootedAs: Sample.nextBoot) == kept)
  }

  @Test("The kernel names this boot, the same each time")
  func boot() {
    #expect(BootIdentifier.current() != nil)
    #expect(BootIdentifier.current() == BootIdentifier.current())
    #expect(BootIdentifier.current(at: "/nowhere") == nil)
    #expect(BootIdentifier.current(at: "/proc/self/status") == nil)
    for text in ["", "2f1c9a52", "2F1C9A52-6B1E-4C57-9C0B-6A35E0B6C1AA", "unknown"] {
      #expect(BootIdentifier(text) == nil)
    }
  }
}
