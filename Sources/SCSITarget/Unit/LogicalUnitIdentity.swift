internal import SCSIModel

/// What a logical unit says of itself, the same on every path and after every restart.
public struct LogicalUnitIdentity: Sendable, Equatable {
  /// The store's name in the configuration, for logs.
  public var name: String
  /// NAA IEEE Registered Extended identifier, 16 bytes starting with 6h (SPC-4 §7.8.6.6.5).
  public var naa: [UInt8]
  /// Unit serial number (VPD page 80h), ASCII.
  public var serial: String
  /// T10 vendor identification, at most 8 ASCII characters.
  public var vendor: String
  /// At most 16 ASCII characters.
  public var product: String
  /// At most 4 ASCII characters.
  public var revision: String
  /// The logical unit group (VPD page 83h), which no other unit of a target device that presents
  /// this one may have: it shares its access states with none. nil: not told.
  public var group: UInt16?

  public init(
    name: String, naa: [UInt8], serial: String, vendor: String, product: String, revision: String,
    group: UInt16? = nil
  ) {
    self.name = name
    self.naa = naa
    self.serial = serial
    self.vendor = vendor
    self.product = product
    self.revision = revision
    self.group = group
  }

  /// `naa` as a value; nil unless it is of the form promised.
  var naaIdentifier: NAAIdentifier? {
    guard naa.count == 16 else { return nil }
    let high = naa[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let low = naa[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return NAAIdentifier(high: high, low: low)
  }
}
