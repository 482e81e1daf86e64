internal import Bytes

/// The parameter data of REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 §6.36).
///
/// | byte | 7   | 6    | 5     | 4    | 3    | 2    | 1    | 0     |
/// |------|-----|------|-------|------|------|------|------|-------|
/// | 0    | ATS | ATSS | CACAS | CTSS | LURS | QTS  | TRS  | WAKES |
/// | 1    |     |      |       |      |      | QAES | QTSS | ITNRS |
/// | 3    | ADDITIONAL DATA LENGTH: 0, or 12 with REPD                |
public struct SupportedTaskManagementFunctions: OptionSet, Sendable {
  public let rawValue: UInt16

  public init(rawValue: UInt16) { self.rawValue = rawValue }

  public static let abortTask = Self(rawValue: 0x8000)
  public static let abortTaskSet = Self(rawValue: 0x4000)
  public static let clearACA = Self(rawValue: 0x2000)
  public static let clearTaskSet = Self(rawValue: 0x1000)
  public static let logicalUnitReset = Self(rawValue: 0x0800)
  public static let queryTask = Self(rawValue: 0x0400)
  public static let targetReset = Self(rawValue: 0x0200)
  public static let wakeup = Self(rawValue: 0x0100)
  public static let queryAsynchronousEvent = Self(rawValue: 0x0004)
  public static let queryTaskSet = Self(rawValue: 0x0002)
  public static let nexusReset = Self(rawValue: 0x0001)

  /// `isExtended`: REPD of the CDB. The timeouts it adds are not specified (TMFTMOV 0).
  public func encoded(isExtended: Bool) -> [UInt8] {
    var writer = ByteWriter(reserving: 16)
    writer.uint16(rawValue)
    writer.uint8(0)
    writer.uint8(isExtended ? 12 : 0)
    if isExtended { writer.zeros(12) }
    return writer.bytes
  }
}
