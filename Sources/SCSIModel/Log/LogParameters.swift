internal import Bytes

extension LogParameter {
  /// Temperature and reference temperature (SPC-4 §7.3.24): FFh, "not available": a store has none.
  public static var temperatures: [LogParameter] {
    [
      LogParameter(code: 0x0000, value: [0, 0xFF]), LogParameter(code: 0x0001, value: [0, 0xFF]),
    ]
  }

  /// Informational exceptions general (SPC-4 §7.3.12): ASC, ASCQ and MOST RECENT TEMPERATURE
  /// READING. No exception, and no temperature.
  public static var informationalExceptions: LogParameter {
    LogParameter(code: 0x0000, value: [0, 0, 0xFF, 0])
  }

  /// Background scan status (SBC-3 §6.3.2): what is below the store scrubs itself, so that no scan
  /// is active and none was made.
  ///
  /// | byte  | field                                     |
  /// |-------|-------------------------------------------|
  /// | 4–7   | POWER ON MINUTES                          |
  /// | 9     | BACKGROUND SCANNING STATUS 00h             |
  /// | 10–15 | scans performed, progress, medium scans: 0 |
  public static func backgroundScanStatus(powerOnMinutes: UInt32) -> LogParameter {
    var writer = ByteWriter(reserving: 12)
    writer.uint32(powerOnMinutes)
    writer.zeros(8)
    return LogParameter(code: 0x0000, value: writer.bytes)
  }
}

/// LBA mapping resources of the logical block provisioning log page (SBC-3 §6.3.4), in threshold
/// sets of 2^exponent blocks (VPD B2h).
///
/// | byte | field                                                                      |
/// |------|----------------------------------------------------------------------------|
/// | 4–7  | RESOURCE COUNT                                                             |
/// | 8    | bits 1–0 SCOPE: 1 dedicated to the unit, 2 may be shared with others         |
public struct ProvisioningResources: Hashable, Sendable {
  public var availableCount: UInt32
  public var usedCount: UInt32

  public init(availableCount: UInt32, usedCount: UInt32) {
    self.availableCount = availableCount
    self.usedCount = usedCount
  }

  /// 0001h: available, shared with what else is on the medium. 0002h: used, the unit's own.
  public var parameters: [LogParameter] {
    [
      LogParameter(code: 0x0001, value: Self.value(availableCount, scope: 2)),
      LogParameter(code: 0x0002, value: Self.value(usedCount, scope: 1)),
    ]
  }

  private static func value(_ count: UInt32, scope: UInt8) -> [UInt8] {
    var writer = ByteWriter(reserving: 8)
    writer.uint32(count)
    writer.uint8(scope)
    writer.zeros(3)
    return writer.bytes
  }
}

/// General access statistics and performance (SPC-4 §7.3.9), since the start or the last reset.
/// Commands count when they have ended with GOOD.
///
/// | byte  | field                                                                     |
/// |-------|---------------------------------------------------------------------------|
/// | 4–11  | NUMBER OF READ COMMANDS                                                   |
/// | 12–19 | NUMBER OF WRITE COMMANDS                                                  |
/// | 20–27 | NUMBER OF LOGICAL BLOCKS RECEIVED                                         |
/// | 28–35 | NUMBER OF LOGICAL BLOCKS TRANSMITTED                                      |
/// | 36–43 | READ COMMAND PROCESSING INTERVALS                                         |
/// | 44–51 | WRITE COMMAND PROCESSING INTERVALS                                        |
/// | 52–67 | weighted numbers: 0, commands have no priority                            |
public struct AccessStatistics: Hashable, Sendable {
  public var readCommands: UInt64 = 0
  public var writeCommands: UInt64 = 0
  public var blocksReceived: UInt64 = 0
  public var blocksTransmitted: UInt64 = 0
  public var readMicroseconds: UInt64 = 0
  public var writeMicroseconds: UInt64 = 0

  public init() {}

  /// 0001h the statistics, 0003h the time interval they are in: EXPONENT 6 and INTEGER 1, a
  /// microsecond. Idle time, 0002h, is no sum over reactors and is not told.
  public var parameters: [LogParameter] {
    var statistics = ByteWriter(reserving: 64)
    statistics.uint64(readCommands)
    statistics.uint64(writeCommands)
    statistics.uint64(blocksReceived)
    statistics.uint64(blocksTransmitted)
    statistics.uint64(readMicroseconds)
    statistics.uint64(writeMicroseconds)
    statistics.zeros(16)
    return [
      LogParameter(code: 0x0001, value: statistics.bytes),
      LogParameter(code: 0x0003, value: [0, 0, 0, 6, 0, 0, 0, 1]),
    ]
  }

  /// What has been added since `earlier`. Counters wrap, after some centuries.
  public func since(_ earlier: AccessStatistics) -> AccessStatistics {
    combined(with: earlier) { $0 &- $1 }
  }

  public func adding(_ other: AccessStatistics) -> AccessStatistics {
    combined(with: other) { $0 &+ $1 }
  }

  private func combined(
    with other: AccessStatistics, _ operation: (UInt64, UInt64) -> UInt64
  ) -> AccessStatistics {
    var result = AccessStatistics()
    result.readCommands = operation(readCommands, other.readCommands)
    result.writeCommands = operation(writeCommands, other.writeCommands)
    result.blocksReceived = operation(blocksReceived, other.blocksReceived)
    result.blocksTransmitted = operation(blocksTransmitted, other.blocksTransmitted)
    result.readMicroseconds = operation(readMicroseconds, other.readMicroseconds)
    result.writeMicroseconds = operation(writeMicroseconds, other.writeMicroseconds)
    return result
  }
}
