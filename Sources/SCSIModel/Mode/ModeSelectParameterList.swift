internal import Bytes

/// The parameter list of MODE SELECT (SPC-4 §7.5.4): a header, at most one block descriptor, pages.
///
/// Every length in it is the initiator's claim: a page has the length that we gave it, a descriptor
/// that of its kind, and what the list does not hold to its end is a PARAMETER LIST LENGTH ERROR.
public struct ModeSelectParameterList: Sendable {
  /// The settings once the whole list is accepted. Nothing is changed by a list that is refused.
  public let settings: ModeSettings

  /// Decodes the bytes that arrived against the unit as it is. An empty list changes nothing.
  public init(decoding bytes: [UInt8], form: ModeForm, unit: ModeSenseData) throws(SenseData) {
    var settings = unit.current
    if !bytes.isEmpty {
      var offset = try Self.skipHeader(of: bytes, form: form, unit: unit)
      while offset < bytes.count {
        offset += try Self.applyPage(of: bytes, at: offset, to: &settings, unit: unit)
      }
    }
    self.settings = settings
  }

  /// Checks header and block descriptor; the offset of the first page. MODE DATA LENGTH and the
  /// device-specific parameter are reserved here (SPC-4 §7.5.5, SBC-3 §6.4.1) and initiators send
  /// back what they sensed, so both are ignored.
  private static func skipHeader(
    of bytes: [UInt8], form: ModeForm, unit: ModeSenseData
  ) throws(SenseData) -> Int {
    let header = form.headerBytes
    guard bytes.count >= header else { throw .parameterListLengthError }
    let mediumType = form == .six ? 1 : 2
    guard bytes[mediumType] == 0 else {
      throw .invalidFieldInParameterList(byte: mediumType, bit: 7)
    }
    let isLong = form == .ten && bytes[4] & 0x01 != 0
    let length = form == .six ? Int(bytes[3]) : Int(integer(bytes[6..<8]))
    guard length == 0 || length == (isLong ? 16 : 8) else {
      throw .invalidFieldInParameterList(byte: form == .six ? 3 : 6, bit: 7)
    }
    guard bytes.count >= header + length else { throw .parameterListLengthError }
    if length != 0 {
      try checkBlockDescriptor(bytes[header..<header + length], unit: unit)
    }
    return header + length
  }

  /// The capacity and the block length do not change by MODE SELECT: a command in flight was sized
  /// by them. 0 and all ones stand for "as it is" (SBC-3 §6.4.2.2).
  private static func checkBlockDescriptor(
    _ descriptor: ArraySlice<UInt8>, unit: ModeSenseData
  ) throws(SenseData) {
    let start = descriptor.startIndex
    let isLong = descriptor.count == 16
    let count = integer(descriptor.prefix(isLong ? 8 : 4))
    let unchanged = isLong ? UInt64.max : UInt64(UInt32.max)
    guard count == 0 || count == unchanged || count == unit.capacity.rawValue else {
      throw .invalidFieldInParameterList(byte: start, bit: 7)
    }
    let lengthOffset = start + (isLong ? 12 : 5)
    guard integer(descriptor[lengthOffset...]) == UInt64(unit.blockLengthBytes) else {
      throw .invalidFieldInParameterList(byte: lengthOffset, bit: 7)
    }
  }

  /// Applies one page; the number of bytes it took.
  private static func applyPage(
    of bytes: [UInt8], at offset: Int, to settings: inout ModeSettings, unit: ModeSenseData
  ) throws(SenseData) -> Int {
    let page = try page(of: bytes, at: offset)
    let header = page.headerBytes
    let current = page.encoded(settings, thresholds: unit.thresholds)
    guard bytes.count - offset >= header else { throw .parameterListLengthError }
    for index in header == 2 ? 1..<2 : 2..<4 where bytes[offset + index] != current[index] {
      throw .invalidFieldInParameterList(byte: offset + (header == 2 ? 1 : 2), bit: 7)
    }
    guard bytes.count - offset >= current.count else { throw .parameterListLengthError }
    let wanted = Array(bytes[offset..<offset + current.count])
    let changeable = page.changeable(thresholds: unit.thresholds)
    for index in header..<current.count {
      let forbidden = (wanted[index] ^ current[index]) & ~changeable[index]
      if forbidden != 0 {
        throw .invalidFieldInParameterList(
          byte: offset + index, bit: UInt8(7 - forbidden.leadingZeroBitCount))
      }
    }
    page.apply(wanted, to: &settings)
    return current.count
  }

  /// PS, bit 7, is reserved here and comes back as it was sensed. SPF, bit 6: a subpage code
  /// follows.
  private static func page(of bytes: [UInt8], at offset: Int) throws(SenseData) -> ModePage {
    let code = bytes[offset] & 0x3F
    guard bytes[offset] & 0x40 != 0 else {
      guard let page = ModePage(code: code, subpage: 0) else {
        throw .invalidFieldInParameterList(byte: offset, bit: 5)
      }
      return page
    }
    guard bytes.count - offset >= 2 else { throw .parameterListLengthError }
    guard bytes[offset + 1] != 0, let page = ModePage(code: code, subpage: bytes[offset + 1])
    else { throw .invalidFieldInParameterList(byte: offset, bit: 6) }
    return page
  }

  private static func integer(_ field: ArraySlice<UInt8>) -> UInt64 {
    field.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
