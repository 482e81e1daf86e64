internal import Bytes

/// Which of the two forms a MODE SENSE or MODE SELECT has.
public enum ModeForm: UInt8, Sendable, BitwiseCopyable {
  case six
  case ten

  @inlinable
  public init(_ cdb: CommandDescriptorBlock) { self = cdb.length == 6 ? .six : .ten }

  var headerBytes: Int { self == .six ? 4 : 8 }
}

/// What MODE SENSE tells of a logical unit (SPC-4 §7.5, SBC-3 §6.4).
///
/// Mode parameter header (6), SPC-4 §7.5.5, and (10):
///
/// | (6) | (10) | field                                                      |
/// |-----|------|------------------------------------------------------------|
/// | 0   | 0–1  | MODE DATA LENGTH: bytes after this field                   |
/// | 1   | 2    | MEDIUM TYPE 0                                              |
/// | 2   | 3    | DEVICE-SPECIFIC PARAMETER: bit 7 WP, bit 4 DPOFUA 1 (SBC-3 §6.4.1) |
/// |     | 4    | bit 0 LONGLBA                                              |
/// | 3   | 6–7  | BLOCK DESCRIPTOR LENGTH                                    |
///
/// Block descriptor, short: NUMBER OF LOGICAL BLOCKS in bytes 0–3 (FFFFFFFFh if it needs more),
/// LOGICAL BLOCK LENGTH in 5–7. Long: 0–7 and 12–15.
public struct ModeSenseData: Sendable {
  public var current: ModeSettings
  public var defaults: ModeSettings
  /// What the unit starts with next time; nil if it cannot save: then PS is 0 and PC 11b refused.
  public var saved: ModeSettings?
  /// Of the logical block provisioning page.
  public var thresholds: [ProvisioningThreshold]
  public var capacity: BlockCount
  /// Below 2^24, so that the short descriptor holds it.
  public var blockLengthBytes: UInt32
  /// WP: writes are refused, by SWP or by configuration.
  public var isWriteProtected: Bool

  public init(
    current: ModeSettings, defaults: ModeSettings, saved: ModeSettings? = nil,
    thresholds: [ProvisioningThreshold] = [], capacity: BlockCount, blockLengthBytes: UInt32,
    isWriteProtected: Bool
  ) {
    precondition(blockLengthBytes < 1 << 24, "the short block descriptor holds 24 bits")
    self.current = current
    self.defaults = defaults
    self.saved = saved
    self.thresholds = thresholds
    self.capacity = capacity
    self.blockLengthBytes = blockLengthBytes
    self.isWriteProtected = isWriteProtected
  }

  /// The parameter data for a validated MODE SENSE, not yet cut to the allocation length.
  public func encoded(for cdb: CommandDescriptorBlock) throws(SenseData) -> [UInt8] {
    let pages = try pages(
      code: cdb.modePageCode, subpage: cdb.modeSubpageCode, control: cdb.modePageControl)
    let descriptor =
      cdb.isDisableBlockDescriptors ? [] : blockDescriptor(isLong: cdb.isLongLBAAccepted)
    var writer = ByteWriter()
    let parameter: UInt8 = (isWriteProtected ? 0x80 : 0) | 0x10
    switch ModeForm(cdb) {
    case .six:
      // At most 4 + 8 + 136 bytes: the pages of this unit fit the one byte.
      writer.uint8(UInt8(3 + descriptor.count + pages.count))
      writer.uint8(0)
      writer.uint8(parameter)
      writer.uint8(UInt8(descriptor.count))
    case .ten:
      writer.uint16(UInt16(6 + descriptor.count + pages.count))
      writer.uint8(0)
      writer.uint8(parameter)
      writer.uint8(descriptor.count == 16 ? 0x01 : 0)
      writer.uint8(0)
      writer.uint16(UInt16(descriptor.count))
    }
    writer.append(descriptor)
    writer.append(pages)
    return writer.bytes
  }

  private func blockDescriptor(isLong: Bool) -> [UInt8] {
    var writer = ByteWriter(reserving: 16)
    if isLong {
      writer.uint64(capacity.rawValue)
      writer.uint32(0)
      writer.uint32(blockLengthBytes)
    } else {
      writer.uint32(UInt32(clamping: capacity.rawValue))
      writer.uint8(0)
      writer.uint24(blockLengthBytes)
    }
    return writer.bytes
  }

  /// SPC-4 §6.13.1, table 202: a code, or 3Fh for all; subpage 00h, or FFh for all of them too.
  private func pages(
    code: UInt8, subpage: UInt8, control: ModePageControl
  ) throws(SenseData) -> [UInt8] {
    guard control != .saved || saved != nil else { throw .savingParametersNotSupported }
    guard code != ModePage.allPages else {
      guard subpage == 0 || subpage == ModePage.allSubpages else {
        throw .invalidFieldInCDB(byte: 3, bit: 7)
      }
      return ModePage.allCases.filter { subpage != 0 || $0.subpage == 0 }
        .flatMap { encoded($0, control) }
    }
    let ofCode = ModePage.allCases.filter { $0.code == code }
    guard !ofCode.isEmpty else { throw .invalidFieldInCDB(byte: 2, bit: 5) }
    if subpage == ModePage.allSubpages { return ofCode.flatMap { encoded($0, control) } }
    guard let page = ModePage(code: code, subpage: subpage) else {
      throw .invalidFieldInCDB(byte: 3, bit: 7)
    }
    return encoded(page, control)
  }

  /// PS, bit 7 of byte 0: SP of MODE SELECT saves the page.
  private func encoded(_ page: ModePage, _ control: ModePageControl) -> [UInt8] {
    var bytes =
      switch control {
      case .current: page.encoded(current, thresholds: thresholds)
      case .changeable: page.changeable(thresholds: thresholds)
      case .default: page.encoded(defaults, thresholds: thresholds)
      case .saved: page.encoded(saved ?? defaults, thresholds: thresholds)
      }
    if saved != nil { bytes[0] |= 0x80 }
    return bytes
  }
}
