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

  public init(
    isWriteCacheEnabled: Bool, isDescriptorSense: Bool = false,
    isSoftwareWriteProtected: Bool = false, isTaskAbortedStatus: Bool = false
  ) {
    self.isWriteCacheEnabled = isWriteCacheEnabled
    self.isDescriptorSense = isDescriptorSense
    self.isSoftwareWriteProtected = isSoftwareWriteProtected
    self.isTaskAbortedStatus = isTaskAbortedStatus
  }

  public var senseFormat: SenseFormat { isDescriptorSense ? .descriptor : .fixed }
}

/// A mode page without subpages, in page_0 format (SPC-4 §7.5.7): bit 7 PS (0: nothing is saved)
/// and the code in byte 0, the length of the rest in byte 1.
public enum ModePage: UInt8, Sendable, CaseIterable {
  case readWriteErrorRecovery = 0x01
  case caching = 0x08
  case control = 0x0A
  case informationalExceptionsControl = 0x1C

  static let allPages: UInt8 = 0x3F
  static let allSubpages: UInt8 = 0xFF

  /// The whole page as MODE SENSE returns it and MODE SELECT must send it back.
  public func encoded(_ settings: ModeSettings) -> [UInt8] {
    switch self {
    // SBC-3 §6.4.8: AWRE and ARRE, since the store beneath relocates on its own.
    case .readWriteErrorRecovery: [rawValue, 10, 0xC0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    case .caching: Self.cachingPage(settings)
    case .control: Self.controlPage(settings)
    // SPC-4 §7.5.13: DEXCPT, no exceptions are reported.
    case .informationalExceptionsControl: [rawValue, 10, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    }
  }

  /// The page as a mask of what MODE SELECT may change. Code and length are as in the page itself.
  public var changeable: [UInt8] {
    let all = encoded(.allOn)
    let none = encoded(.allOff)
    return all.indices.map { $0 < 2 ? all[$0] : all[$0] ^ none[$0] }
  }

  /// Caching (SBC-3 §6.4.5), 20 bytes: byte 2 bit 2 WCE, bit 0 RCD.
  private static func cachingPage(_ settings: ModeSettings) -> [UInt8] {
    [Self.caching.rawValue, 18, settings.isWriteCacheEnabled ? 0x04 : 0]
      + [UInt8](repeating: 0, count: 17)
  }

  /// Control (SPC-4 §7.5.8), 12 bytes.
  ///
  /// | byte  | field                                                                  |
  /// |-------|------------------------------------------------------------------------|
  /// | 2     | bits 7–5 TST, bit 2 D_SENSE, bit 1 GLTSD 1: log parameters are not saved |
  /// | 3     | bits 7–4 QUEUE ALGORITHM MODIFIER 1: reordering is unrestricted         |
  /// | 4     | bits 5–4 UA_INTLCK_CTRL, bit 3 SWP                                      |
  /// | 5     | bit 6 TAS                                                              |
  /// | 8–9   | BUSY TIMEOUT PERIOD FFFFh: unlimited                                    |
  private static func controlPage(_ settings: ModeSettings) -> [UInt8] {
    [
      Self.control.rawValue, 10,
      settings.isDescriptorSense ? 0x06 : 0x02, 0x10,
      settings.isSoftwareWriteProtected ? 0x08 : 0,
      settings.isTaskAbortedStatus ? 0x40 : 0, 0, 0, 0xFF, 0xFF, 0, 0,
    ]
  }

  /// What a page that MODE SELECT may set says of the settings.
  func apply(_ page: [UInt8], to settings: inout ModeSettings) {
    switch self {
    case .readWriteErrorRecovery, .informationalExceptionsControl: break
    case .caching: settings.isWriteCacheEnabled = page[2] & 0x04 != 0
    case .control:
      settings.isDescriptorSense = page[2] & 0x04 != 0
      settings.isSoftwareWriteProtected = page[4] & 0x08 != 0
      settings.isTaskAbortedStatus = page[5] & 0x40 != 0
    }
  }
}

extension ModeSettings {
  static let allOn = ModeSettings(
    isWriteCacheEnabled: true, isDescriptorSense: true, isSoftwareWriteProtected: true,
    isTaskAbortedStatus: true)
  static let allOff = ModeSettings(isWriteCacheEnabled: false)
}
