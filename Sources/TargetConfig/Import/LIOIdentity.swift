/// How LIO names logical units, which those that come from it keep.
public enum LIOIdentity {
  /// The key of a saveconfig.json under which our targetcli writes what LIO has no place for, and
  /// which LIO passes over: `{"wwids": {"<storage object>": "6…"}}`, with "vendors" and "products"
  /// likewise; "portalGroups" by `<address>:<port>`; "secretFiles", the paths of the files that
  /// secrets stand in, by `secretKey`; "addresses" by `accessKey`; "notes" of targetcli; and our
  /// whole "configuration" with the "fingerprint" of the part that LIO knows.
  public static let ownKey = "swift-tgtd"

  /// Of a user, or of the one with which a target proves itself: `target`, nil for discovery, and
  /// `initiator`, nil for everybody, say whose.
  public static func secretKey(
    user: String, target: String?, initiator: String?, isMutual: Bool
  ) -> String {
    let place = [target, initiator].compactMap { $0 }.joined(separator: " ")
    return "\(place.isEmpty ? "discovery" : place) \(isMutual ? "mutual " : "")\(user)"
  }

  /// LIO's NAA designator: format 6, its company identifier 001405, then the hexadecimal digits of
  /// the serial number as far as they fit; other characters do not count.
  public static func naa(serial: String) -> String {
    let digits = serial.utf8.compactMap { byte -> String? in
      Character(Unicode.Scalar(byte)).hexDigitValue.map { String($0, radix: 16) }
    }
    let own = digits.prefix(25).joined()
    return "6001405" + own + String(repeating: "0", count: 25 - own.utf8.count)
  }
}
