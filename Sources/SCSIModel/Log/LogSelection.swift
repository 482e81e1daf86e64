/// What a LOG SELECT asks for (SPC-4 §6.7). No parameter takes a value from an initiator, so its
/// list is empty or refused.
public enum LogSelection: Equatable, Sendable {
  /// Nothing that changes anything.
  case nothing
  /// Cumulative values start again from zero: of one page, or of all (nil).
  case reset(LogPage?)

  /// `pages`: those of the unit.
  public init(
    _ cdb: CommandDescriptorBlock, parameters: [UInt8], pages: [LogPage]
  ) throws(SenseData) {
    let listLength = cdb.parameterLengthBytes(.bytes7To8)
    if listLength != 0 { try Self.requireNoPage(cdb) }
    // Page 00h stands for all pages; the page lists themselves cannot be set.
    let named = try cdb.logPage(of: pages)
    let page = named == .supportedPages ? nil : named
    if cdb.isParameterCodeReset {
      guard listLength == 0 else { throw .invalidFieldInCDB(byte: 1, bit: 1) }
      self = .reset(page)
    } else if listLength == 0 {
      // SPC-4 §6.7: PC 11b sets cumulative values to their defaults.
      self = cdb.logPageControl == 0b11 ? .reset(page) : .nothing
    } else {
      try Self.refuse(parameters, pages)
      self = .nothing
    }
  }

  /// SPC-4 §6.7: with a parameter list both codes are in the list.
  private static func requireNoPage(_ cdb: CommandDescriptorBlock) throws(SenseData) {
    if cdb.logPageCode != 0 { throw .invalidFieldInCDB(byte: 2, bit: 5) }
    if cdb.logSubpageCode != 0 { throw .invalidFieldInCDB(byte: 3, bit: 7) }
  }

  /// The pages of a list, which may be empty ones; the first parameter in one is refused, and so is
  /// a PAGE LENGTH past the end of the list, which cuts one off (SPC-4 §7.3.2.1).
  private static func refuse(_ list: [UInt8], _ pages: [LogPage]) throws(SenseData) {
    var offset = 0
    while offset < list.count {
      guard list.count - offset >= 4 else { throw .parameterListLengthError }
      let code = list[offset] & 0x3F
      guard pages.contains(where: { $0.code == code && $0.subpage == list[offset + 1] }) else {
        throw .invalidFieldInParameterList(byte: offset, bit: 5)
      }
      // SPF says whether there is a subpage code.
      guard (list[offset] & 0x40 != 0) == (list[offset + 1] != 0) else {
        throw .invalidFieldInParameterList(byte: offset, bit: 6)
      }
      let length = Int(list[offset + 2]) << 8 | Int(list[offset + 3])
      guard list.count - offset >= 4 + length else {
        throw .invalidFieldInParameterList(byte: offset + 2, bit: 7)
      }
      guard length == 0 else { throw .invalidFieldInParameterList(byte: offset + 4, bit: 7) }
      offset += 4
    }
  }
}
