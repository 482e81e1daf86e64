/// The designator under which initiators know a disk of tgt (SPC-4 §7.8.6, NAA).
public enum TgtDesignator {
  /// Each character of scsi_id is one hexadecimal digit, 0 when it is none; the last 32 of them
  /// count, and the first becomes 6.
  public static func naa(_ scsiID: String) -> String {
    let digits = scsiID.utf8.prefix(36).map { byte in
      Character(Unicode.Scalar(byte)).hexDigitValue ?? 0
    }
    let last = digits.suffix(32)
    let padded = [Int](repeating: 0, count: 32 - last.count) + last
    return "6" + padded.dropFirst().map { String($0, radix: 16) }.joined()
  }
}
