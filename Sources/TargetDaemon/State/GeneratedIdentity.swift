/// What a store is called by initiators, for ever.
struct GeneratedIdentity: Equatable, Sendable {
  /// NAA IEEE Registered Extended, 16 bytes (SPC-4 §7.8.6.6.5):
  ///
  /// | bits  | field                                                                     |
  /// |-------|---------------------------------------------------------------------------|
  /// | 4     | NAA, 6                                                                    |
  /// | 24    | company identifier: 02h, then 16 random bits                              |
  /// | 36+64 | vendor specific identifier and extension: random                          |
  ///
  /// Nobody assigned us a company identifier, so we use none: 02h sets the "locally administered"
  /// bit in the quadrant that IEEE 802c leaves to administrators, and so meets neither an OUI nor a
  /// CID. The other 116 bits are random: unique between hosts without asking anybody.
  let naa: [UInt8]
  /// Unit serial number: the last 16 hexadecimal digits of the identifier, so that people recognise
  /// one by the other.
  var serial: String { String(hexadecimal.suffix(16)) }

  static func random() -> GeneratedIdentity {
    var generator = SystemRandomNumberGenerator()  // getrandom(2)
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    bytes[0] = 0x60
    bytes[1] = 0x20 | bytes[1] & 0x0F
    return GeneratedIdentity(naa: bytes)
  }

  private init(naa: [UInt8]) { self.naa = naa }

  /// 32 digits that begin with 6.
  init?(hexadecimal text: Substring) {
    guard let bytes = Hexadecimal.bytes(text), bytes.count == 16, bytes[0] >> 4 == 6 else {
      return nil
    }
    naa = bytes
  }

  var hexadecimal: String { Hexadecimal.text(naa) }
}
