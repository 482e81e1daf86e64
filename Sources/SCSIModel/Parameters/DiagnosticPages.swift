/// The diagnostic pages of a unit: 00h, which lists itself, and no other (SPC-4 §7.2).
///
/// | byte | field                                                      |
/// |------|------------------------------------------------------------|
/// | 0    | PAGE CODE                                                  |
/// | 1    | reserved, or by page                                       |
/// | 2–3  | PAGE LENGTH: bytes that follow                             |
public enum DiagnosticPages {
  /// Supported diagnostic pages (SPC-4 §7.2.9), the answer to RECEIVE DIAGNOSTIC RESULTS: with PCV
  /// or without, the one page there is.
  public static func receive(_ cdb: CommandDescriptorBlock) throws(SenseData) -> [UInt8] {
    guard !cdb.isPageCodeValid || cdb.diagnosticPageCode == 0 else {
      throw .invalidFieldInCDB(byte: 2, bit: 7)
    }
    return [0, 0, 0, 1, 0]
  }

  /// Throws what is wrong with the parameter list of a SEND DIAGNOSTIC. An empty one is right; so
  /// is the request of page 00h, which has no contents.
  public static func check(
    _ list: [UInt8], _ cdb: CommandDescriptorBlock
  ) throws(SenseData) {
    guard !list.isEmpty else { return }
    guard cdb.isPageFormat else { throw .invalidFieldInCDB(byte: 1, bit: 4) }
    guard list.count >= 4 else { throw .parameterListLengthError }
    if let byte = list.prefix(4).firstIndex(where: { $0 != 0 }) {
      throw .invalidFieldInParameterList(byte: byte == 3 ? 2 : byte, bit: 7)
    }
    guard list.count == 4 else { throw .parameterListLengthError }
  }
}
