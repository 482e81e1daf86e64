/// What a logical unit of tgt is called where nobody chose: everything follows from its numbers, so
/// that a cluster finds the same disk on each of its nodes.
public enum TgtIdentity {
  public static let vendor = "IET"
  public static let product = "VIRTUAL-DISK"

  public static func scsiID(tid: Int, lun: UInt64) -> String {
    "IET     \(hexadecimal(UInt64(tid), 4))\(hexadecimal(lun, 4))"
  }

  public static func serial(tid: Int, lun: UInt64) -> String { "beaf\(tid)\(lun)" }

  /// The WWID that initiators see (SPC-4 §7.8.6, NAA): each character of scsi_id is one hexadecimal
  /// digit, 0 when it is none; the last 32 of them count, and the first becomes 6.
  public static func naa(_ scsiID: String) -> String {
    let digits = scsiID.utf8.prefix(36).map { byte in
      Character(Unicode.Scalar(byte)).hexDigitValue ?? 0
    }
    let last = digits.suffix(32)
    let padded = [Int](repeating: 0, count: 32 - last.count) + last
    return "6" + padded.dropFirst().map { String($0, radix: 16) }.joined()
  }

  private static func hexadecimal(_ value: UInt64, _ width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// The name of the store for a path: the same on each node and after each start, because what the
  /// daemon keeps of a store, reservations among it, it keeps under that name.
  public static func storeName(_ path: String) -> String {
    let file = path.split(separator: "/").last ?? "store"
    let plain = file.unicodeScalars.prefix(40).map { scalar -> Character in
      let isPlain =
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
      return isPlain || scalar == "." || scalar == "-" ? Character(scalar) : "_"
    }
    // FNV-1a, 64 bits: names of two paths must differ where their ends are the same.
    let hash = path.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return "tgt_" + String(plain) + "-" + hexadecimal(hash >> 32, 8)
  }
}
