internal import Bytes

/// PC of MODE SENSE (SPC-4 §6.13.1, table 201).
public enum ModePageControl: UInt8, Sendable, BitwiseCopyable {
  case current = 0
  /// A mask: 1 where MODE SELECT may change the bit.
  case changeable = 1
  case `default` = 2
  case saved = 3
}

/// The mode parameters that an initiator may change.
public struct ModeSettings: Hashable, Sendable, BitwiseCopyable {
  /// WCE of the caching page: GOOD may come before the blocks are on the medium (SBC-3 §6.4.5).
  public var isWriteCacheEnabled: Bool
  /// D_SENSE of the control page: CHECK CONDITION carries descriptor format (SPC-4 §7.5.8).
  public var isDescriptorSense: Bool
  /// SWP of the control page: the unit refuses writes.
  public var isSoftwareWriteProtected: Bool
  /// TAS of the control page: commands that another nexus aborts end with TASK ABORTED.
  public var isTaskAbortedStatus: Bool

  /// The defaults. Without TAS a fenced node would wait for its commands until they time out, and
  /// then reset the unit, which disturbs the others.
  public init(
    isWriteCacheEnabled: Bool, isDescriptorSense: Bool = false,
    isSoftwareWriteProtected: Bool = false, isTaskAbortedStatus: Bool = true
  ) {
    self.isWriteCacheEnabled = isWriteCacheEnabled
    self.isDescriptorSense = isDescriptorSense
    self.isSoftwareWriteProtected = isSoftwareWriteProtected
    self.isTaskAbortedStatus = isTaskAbortedStatus
  }
}

/// A mode page: code and subpage code (SPC-4 §7.5.7). Without a subpage the header is page_0
/// format, two bytes: bit 7 PS and the code in byte 0, the length of the rest in byte 1. With one
/// it is sub_page format, four bytes: bit 7 PS, bit 6 SPF, code; subpage code; length of the rest.
public enum ModePage: UInt16, Sendable, CaseIterable {
  case readWriteErrorRecovery = 0x0100
  case disconnectReconnect = 0x0200
  case caching = 0x0800
  case control = 0x0A00
  case controlExtension = 0x0A01
  case informationalExceptionsControl = 0x1C00
  case logicalBlockProvisioning = 0x1C02

  static let allPages: UInt8 = 0x3F
  static let allSubpages: UInt8 = 0xFF

  init?(code: UInt8, subpage: UInt8) { self.init(rawValue: UInt16(code) << 8 | UInt16(subpage)) }

  var code: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
  var subpage: UInt8 { UInt8(truncatingIfNeeded: rawValue) }
  /// The bytes before the parameters; the last of them is the (low byte of the) page length.
  var headerBytes: Int { subpage == 0 ? 2 : 4 }

  /// The whole page, PS 0, as MODE SENSE returns it and MODE SELECT must send it back.
  public func encoded(
    _ settings: ModeSettings, thresholds: [ProvisioningThreshold] = []
  ) -> [UInt8] {
    let parameters = parameters(settings, thresholds)
    return subpage == 0
      ? [code, UInt8(parameters.count)] + parameters
      : [0x40 | code, subpage, 0, UInt8(parameters.count)] + parameters
  }

  private func parameters(
    _ settings: ModeSettings, _ thresholds: [ProvisioningThreshold]
  ) -> [UInt8] {
    switch self {
    // SBC-3 §6.4.8: AWRE and ARRE, since the store beneath relocates on its own; in byte 7 LBPERE,
    // since thresholds, if there are any, raise unit attentions (SBC-3 §4.7.3.7).
    case .readWriteErrorRecovery:
      [0xC0, 0, 0, 0, 0, thresholds.isEmpty ? 0 : 0x80, 0, 0, 0, 0]
    // SPC-4 §7.5.10: iSCSI negotiates its bursts at login, so nothing is limited here.
    case .disconnectReconnect: [UInt8](repeating: 0, count: 14)
    // SBC-3 §6.4.5: bit 2 WCE.
    case .caching:
      [settings.isWriteCacheEnabled ? 0x04 : 0] + [UInt8](repeating: 0, count: 17)
    case .control: Self.controlParameters(settings)
    case .controlExtension: Self.controlExtensionParameters
    // SPC-4 §7.5.13: DEXCPT, no exceptions are reported.
    case .informationalExceptionsControl: [0x08] + [UInt8](repeating: 0, count: 9)
    // SBC-3 §6.4.9: SITUA 0, every nexus hears of a threshold; 12 bytes, then the thresholds.
    case .logicalBlockProvisioning:
      [UInt8](repeating: 0, count: 12) + thresholds.flatMap(\.encoded)
    }
  }

  /// The page as a mask of what MODE SELECT may change. Header and length are as in the page
  /// itself.
  public func changeable(thresholds: [ProvisioningThreshold] = []) -> [UInt8] {
    let all = encoded(.allOn, thresholds: thresholds)
    let none = encoded(.allOff, thresholds: thresholds)
    return all.indices.map { $0 < headerBytes ? all[$0] : all[$0] ^ none[$0] }
  }

  /// Control (SPC-4 §7.5.8), 12 bytes with the header.
  ///
  /// | byte  | field                                                                  |
  /// |-------|------------------------------------------------------------------------|
  /// | 2     | bits 7–5 TST, bit 2 D_SENSE, bit 1 GLTSD 1: log parameters are not saved |
  /// | 3     | bits 7–4 QUEUE ALGORITHM MODIFIER 1: reordering is unrestricted         |
  /// | 4     | bits 5–4 UA_INTLCK_CTRL, bit 3 SWP                                      |
  /// | 5     | bit 6 TAS                                                              |
  /// | 8–9   | BUSY TIMEOUT PERIOD FFFFh: unlimited                                    |
  private static func controlParameters(_ settings: ModeSettings) -> [UInt8] {
    [
      settings.isDescriptorSense ? 0x06 : 0x02, 0x10,
      settings.isSoftwareWriteProtected ? 0x08 : 0,
      settings.isTaskAbortedStatus ? 0x40 : 0, 0, 0, 0xFF, 0xFF, 0, 0,
    ]
  }

  /// Control extension (SPC-4 §7.5.9), 32 bytes with the header.
  ///
  /// | byte | field                                                                      |
  /// |------|----------------------------------------------------------------------------|
  /// | 4    | bit 2 TCMOS 1, bit 1 SCSIP 1: SET TIMESTAMP wins over the clock; bit 0 IALUAE 1 |
  /// | 5    | bits 3–0 INITIAL COMMAND PRIORITY 0: there are no priorities                |
  /// | 6    | MAXIMUM SENSE DATA LENGTH 0: not limited                                   |
  private static var controlExtensionParameters: [UInt8] {
    [0x07] + [UInt8](repeating: 0, count: 27)
  }

  /// What a page that MODE SELECT may set says of the settings.
  func apply(_ page: [UInt8], to settings: inout ModeSettings) {
    switch self {
    case .readWriteErrorRecovery, .disconnectReconnect, .controlExtension,
      .informationalExceptionsControl, .logicalBlockProvisioning:
      break
    case .caching: settings.isWriteCacheEnabled = page[2] & 0x04 != 0
    case .control:
      settings.isDescriptorSense = page[2] & 0x04 != 0
      settings.isSoftwareWriteProtected = page[4] & 0x08 != 0
      settings.isTaskAbortedStatus = page[5] & 0x40 != 0
    }
  }
}

/// A threshold descriptor of the logical block provisioning mode page (SBC-3 §6.4.9): the soft
/// threshold that raises 38/07 when it is reached. Counts are in threshold sets of 2^exponent
/// blocks (VPD B2h).
///
/// | byte | field                                                                          |
/// |------|--------------------------------------------------------------------------------|
/// | 0    | bit 7 ENABLED 1, bits 5–3 THRESHOLD TYPE 0: soft, bits 2–0 THRESHOLD ARMING    |
/// | 1    | THRESHOLD RESOURCE: LBA mapping resources                                      |
/// | 4–7  | THRESHOLD COUNT                                                                |
public enum ProvisioningThreshold: Hashable, Sendable {
  /// THRESHOLD ARMING 0, decreasing; THRESHOLD RESOURCE 01h, what is still available.
  case available(count: UInt32)
  /// THRESHOLD ARMING 1, increasing; THRESHOLD RESOURCE 02h, what is used.
  case used(count: UInt32)

  var encoded: [UInt8] {
    var writer = ByteWriter(reserving: 8)
    switch self {
    case .available(let count):
      writer.uint8(0x80)
      writer.uint8(0x01)
      writer.uint16(0)
      writer.uint32(count)
    case .used(let count):
      writer.uint8(0x81)
      writer.uint8(0x02)
      writer.uint16(0)
      writer.uint32(count)
    }
    return writer.bytes
  }
}

extension ModeSettings {
  static let allOn = ModeSettings(
    isWriteCacheEnabled: true, isDescriptorSense: true, isSoftwareWriteProtected: true,
    isTaskAbortedStatus: true)
  static let allOff = ModeSettings(isWriteCacheEnabled: false, isTaskAbortedStatus: false)
}
