internal import Bytes

/// SELECT REPORT of REPORT LUNS (SPC-4 §6.33, table 222).
public enum ReportLUNsSelection: UInt8, Sendable {
  /// Every unit but the well known ones.
  case logicalUnits = 0x00
  case wellKnownLogicalUnits = 0x01
  case all = 0x02
}

/// The parameter data of REPORT LUNS (SPC-4 §6.33).
///
/// | byte | field                                    |
/// |------|------------------------------------------|
/// | 0–3  | LUN LIST LENGTH in bytes                 |
/// | 8…   | LUNs, eight bytes each                   |
public struct ReportLUNsData: Sendable {
  public var numbers: [UInt16]
  /// Whether the REPORT LUNS well known logical unit answers here.
  public var hasWellKnownLogicalUnit: Bool

  public init(numbers: [UInt16], hasWellKnownLogicalUnit: Bool = false) {
    self.numbers = numbers
    self.hasWellKnownLogicalUnit = hasWellKnownLogicalUnit
  }

  public func encoded(_ selection: ReportLUNsSelection) -> [UInt8] {
    var list: [LogicalUnitNumber] = []
    if selection != .wellKnownLogicalUnits { list += numbers.sorted().map { .number($0) } }
    if selection != .logicalUnits, hasWellKnownLogicalUnit { list.append(.reportLUNs) }
    var writer = ByteWriter(reserving: 8 + list.count * 8)
    writer.uint32(UInt32(list.count * 8))
    writer.zeros(4)
    for unit in list { writer.uint64(unit.field) }
    return writer.bytes
  }
}
