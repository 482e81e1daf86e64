/// A copy source or copy destination as an EXTENDED COPY names it (SPC-4 §6.4.5): the
/// identification descriptor, the one form that says which logical unit is meant whatever path
/// leads to it.
///
/// | byte  | field                                                                  |
/// |-------|------------------------------------------------------------------------|
/// | 0     | DESCRIPTOR TYPE CODE E4h                                               |
/// | 1     | bits 7–6 LU ID TYPE, ignored; bit 5 NUL, bits 4–0 PERIPHERAL DEVICE TYPE |
/// | 2–3   | RELATIVE INITIATOR PORT IDENTIFIER: not looked at                      |
/// | 4     | bits 3–0 CODE SET                                                      |
/// | 5     | bits 5–4 ASSOCIATION, bits 3–0 DESIGNATOR TYPE                         |
/// | 7     | DESIGNATOR LENGTH                                                      |
/// | 8–27  | DESIGNATOR, left-aligned                                               |
/// | 28    | bit 2 PAD                                                              |
/// | 29–31 | DISK BLOCK LENGTH                                                      |
public struct CSCDDescriptor: Hashable, Sendable {
  public static let byteCount = 32
  public static let typeCode: UInt8 = 0xE4

  /// NUL: the null device, which holds no data. Obsolete in SPC-4, and looked at nevertheless: who
  /// sets it does not mean the logical unit that the designator names.
  public var isNull: Bool
  /// 0: a block device.
  public var peripheralDeviceType: UInt8
  public var codeSet: UInt8
  public var association: UInt8
  public var designatorType: UInt8
  /// At most 20 bytes.
  public var designator: [UInt8]
  /// 0: not said.
  public var blockLengthBytes: UInt32

  /// Decodes the descriptor that starts at byte `offset` of a parameter list and is all there.
  init(decoding bytes: ArraySlice<UInt8>, at offset: Int) throws(SenseData) {
    precondition(bytes.count == Self.byteCount, "a CSCD descriptor has 32 bytes")
    let start = bytes.startIndex
    guard bytes[start] == Self.typeCode else { throw .unsupportedTargetDescriptorTypeCode }
    let length = Int(bytes[start + 7])
    guard length <= 20 else { throw .invalidFieldInParameterList(byte: offset + 7, bit: 7) }
    isNull = bytes[start + 1] & 0x20 != 0
    peripheralDeviceType = bytes[start + 1] & 0x1F
    codeSet = bytes[start + 4] & 0x0F
    association = bytes[start + 5] >> 4 & 0x03
    designatorType = bytes[start + 5] & 0x0F
    designator = Array(bytes[start + 8..<start + 8 + length])
    blockLengthBytes = bytes[start + 29..<start + 32].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// A logical unit by its NAA identifier.
  public init(naa: [UInt8], blockLengthBytes: UInt32) {
    isNull = false
    peripheralDeviceType = 0
    codeSet = 1
    association = 0
    designatorType = 3
    designator = Array(naa.prefix(20))
    self.blockLengthBytes = blockLengthBytes
  }

  /// Whether it is a designator of the unit itself, NAA or T10 vendor identification, that the
  /// device identification page of this unit has.
  public func names(naa: NAAIdentifier, vendor: String, vendorSpecific: String) -> Bool {
    isEqual(to: .naa(naa)) || isEqual(to: .t10Vendor(vendor, vendorSpecific))
  }

  private func isEqual(to other: Designator) -> Bool {
    association == other.association.rawValue && designatorType == other.kind.rawValue
      && codeSet == other.codeSet.rawValue && designator == other.bytes
  }

  public func encoded() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.byteCount)
    bytes[0] = Self.typeCode
    bytes[1] = (isNull ? 0x20 : 0) | peripheralDeviceType & 0x1F
    bytes[4] = codeSet
    bytes[5] = association << 4 | designatorType
    bytes[7] = UInt8(designator.count)
    bytes.replaceSubrange(8..<8 + designator.count, with: designator)
    bytes[29] = UInt8(truncatingIfNeeded: blockLengthBytes >> 16)
    bytes[30] = UInt8(truncatingIfNeeded: blockLengthBytes >> 8)
    bytes[31] = UInt8(truncatingIfNeeded: blockLengthBytes)
    return bytes
  }
}

/// A piece of a copy from block device to block device (SPC-4 §6.4.6).
///
/// | byte  | field                                                                  |
/// |-------|------------------------------------------------------------------------|
/// | 0     | DESCRIPTOR TYPE CODE 02h                                               |
/// | 1     | bit 1 DC, bit 0 CAT                                                    |
/// | 2–3   | DESCRIPTOR LENGTH, 24                                                  |
/// | 4–5   | SOURCE CSCD DESCRIPTOR ID                                              |
/// | 6–7   | DESTINATION CSCD DESCRIPTOR ID                                         |
/// | 10–11 | BLOCK DEVICE NUMBER OF BLOCKS                                          |
/// | 12–19 | SOURCE BLOCK DEVICE LOGICAL BLOCK ADDRESS                              |
/// | 20–27 | DESTINATION BLOCK DEVICE LOGICAL BLOCK ADDRESS                         |
///
/// CAT and PAD say what becomes of a part of a block; a segment that has one is refused, so they
/// change nothing.
public struct CopySegment: Hashable, Sendable {
  public static let byteCount = 28
  public static let typeCode: UInt8 = 0x02
  /// The CSCD descriptor ID of the logical unit that the command came to (SPC-4 §6.4.5.1).
  public static let ownUnit: UInt16 = 0xFFFF

  /// DC: `blockCount` is in blocks of the destination, else of the source.
  public var countsDestinationBlocks: Bool
  public var source: UInt16
  public var destination: UInt16
  public var blockCount: UInt16
  public var sourceBlock: UInt64
  public var destinationBlock: UInt64

  public init(
    source: UInt16, destination: UInt16, blockCount: UInt16, sourceBlock: UInt64,
    destinationBlock: UInt64, countsDestinationBlocks: Bool = false
  ) {
    self.countsDestinationBlocks = countsDestinationBlocks
    self.source = source
    self.destination = destination
    self.blockCount = blockCount
    self.sourceBlock = sourceBlock
    self.destinationBlock = destinationBlock
  }

  /// Decodes the descriptor that starts at byte `offset` of a parameter list.
  init(decoding bytes: ArraySlice<UInt8>, at offset: Int) throws(SenseData) {
    guard let code = bytes.first else { throw .parameterListLengthError }
    guard code == Self.typeCode else { throw .unsupportedSegmentDescriptorTypeCode }
    guard bytes.count >= Self.byteCount else { throw .parameterListLengthError }
    let start = bytes.startIndex
    func integer(_ offset: Int, _ count: Int) -> UInt64 {
      bytes[start + offset..<start + offset + count].reduce(0) { $0 << 8 | UInt64($1) }
    }
    guard integer(2, 2) == UInt64(Self.byteCount - 4) else {
      throw .invalidFieldInParameterList(byte: offset + 2, bit: 7)
    }
    countsDestinationBlocks = bytes[start + 1] & 0x02 != 0
    source = UInt16(truncatingIfNeeded: integer(4, 2))
    destination = UInt16(truncatingIfNeeded: integer(6, 2))
    blockCount = UInt16(truncatingIfNeeded: integer(10, 2))
    sourceBlock = integer(12, 8)
    destinationBlock = integer(20, 8)
  }

  public func encoded() -> [UInt8] {
    func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }
    return [Self.typeCode, countsDestinationBlocks ? 0x02 : 0, 0, UInt8(Self.byteCount - 4)]
      + bytes(UInt64(source), 2) + bytes(UInt64(destination), 2) + [0, 0]
      + bytes(UInt64(blockCount), 2) + bytes(sourceBlock, 8) + bytes(destinationBlock, 8)
  }
}
