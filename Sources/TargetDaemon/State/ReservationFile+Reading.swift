internal import SCSIModel

extension ReservationFile {
  /// Why bytes are no file of reservations.
  enum Damage: Error, Equatable {
    case notWhatWasWritten
    /// By another version of this program, which knows what it means.
    case otherVersion(UInt32)
  }

  /// Total: any bytes are either what `content` gives for a valid state, or refused.
  init(content: [UInt8]) throws(Damage) {
    if let version = ReservationFile.version(in: content.prefix { $0 != UInt8(ascii: "\n") }),
      version != Self.version
    {
      throw .otherVersion(version)
    }
    guard content.count <= ReservationFile.bytesMax,
      let text = ChecksummedText(content: content, .sha256),
      let file = ReservationFile(text.lines), file.isValid, file.content == content
    else { throw .notWhatWasWritten }
    self = file
  }

  private static func version(in line: ArraySlice<UInt8>) -> UInt32? {
    guard line.starts(with: header.utf8) else { return nil }
    return UInt32(String(decoding: line.dropFirst(header.utf8.count), as: UTF8.self))
  }

  /// What the rules of SPC-4 §5.13 promise whoever works with a state.
  private var isValid: Bool {
    let nexuses = Set(state.registrations.map(\.nexus))
    guard nexuses.count == state.registrations.count,
      nexuses.count <= ReservationState.registrationsMax,
      state.registrations.allSatisfy({ $0.key != 0 }),
      GeneratedIdentity(hexadecimal: unit[...])?.hexadecimal == unit
    else { return false }
    guard let reservation = state.reservation else { return true }
    guard let holder = reservation.holder else {
      return reservation.type.isAllRegistrants && !nexuses.isEmpty
    }
    return !reservation.type.isAllRegistrants && nexuses.contains(holder)
  }

  /// Of the lines above the checksum. Lenient about spelling, since whatever is not
  /// spelled as `content` does it is refused later.
  private init?(_ lines: [Substring]) {
    var reader = LineReader(lines)
    guard reader.line(after: String(ReservationFile.header.dropLast())) != nil,
      let unit = reader.line(after: "unit"),
      let store = reader.line(after: "store").flatMap(ReservationFile.name),
      let boot = reader.line(after: "boot"),
      let generation = reader.line(after: "generation").flatMap({ UInt32($0) }),
      let aptpl = reader.line(after: "aptpl"),
      let reservation = reader.line(after: "reservation"),
      let count = reader.line(after: "registrations").flatMap({ Int($0) }),
      count == reader.rest.count
    else { return nil }
    var state = ReservationState()
    state.generation = generation
    state.persistsThroughPowerLoss = aptpl == "1"
    for line in reader.rest {
      guard let registration = ReservationFile.registration(line) else { return nil }
      state.registrations.append(registration)
    }
    if reservation != "none" {
      guard let found = ReservationFile.reservation(reservation, state.registrations) else {
        return nil
      }
      state.reservation = found
    }
    self.init(unit: unit, store: store, boot: BootIdentifier(boot), state: state)
  }

  private static func reservation(
    _ text: String, _ registrations: [Registration]
  ) -> PersistentReservation? {
    let words = text.split(separator: " ")
    guard let type = ReservationType.allCases.first(where: { $0.word == words.first ?? "" }) else {
      return nil
    }
    guard words.count == 3 else { return PersistentReservation(type: type, holder: nil) }
    guard let number = Int(words[2]), number >= 1, number <= registrations.count else { return nil }
    return PersistentReservation(type: type, holder: registrations[number - 1].nexus)
  }

  /// `NUMBER key KEY initiator NAME isid ISID target NAME group TAG`
  private static func registration(_ line: Substring) -> Registration? {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 11, let key = UInt64(words[2], radix: 16), let initiator = name(words[4]),
      let isid = UInt64(words[6], radix: 16), let target = name(words[8]),
      let tag = UInt16(words[10])
    else { return nil }
    return Registration(
      nexus: NexusIdentity(
        initiator: InitiatorPort(name: initiator, isid: isid),
        target: TargetPort(name: target, portalGroupTag: tag)),
      key: key)
  }

  /// A word of `word(_:)` as the name it stands for.
  private static func name(_ word: some StringProtocol) -> String? {
    var bytes: [UInt8] = []
    var rest = Array(word.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = String(decoding: rest.prefix(2), as: UTF8.self)
      guard let escaped = UInt8(digits, radix: 16) else { return nil }
      bytes.append(escaped)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

/// Lines that each begin with a known word.
private struct LineReader {
  var rest: ArraySlice<Substring>

  init(_ lines: [Substring]) { rest = lines[...] }

  /// The next line without its first words and the space behind them; nil if it has others.
  mutating func line(after words: String) -> String? {
    guard let line = rest.popFirst(), line.hasPrefix(words + " ") else { return nil }
    return String(line.dropFirst(words.count + 1))
  }
}
