internal import Bytes

/// SELECT REPORT of REPORT LUNS (SPC-4 §6.33, table 222).
public enum ReportLUNsSelection: UInt8, Sendable {
  /// Every unit but the well known ones.
  case logicalUnits = 0x00
  case wellKnownLogicalUnits = 0x01
  case all = 0x02
  /// Administrative units, of which subsidiary ones hang: there are none.
  case administrative = 0x10
  /// Every unit that is not subsidiary to another: all but the well known ones.
  case notSubsidiary = 0x11
  /// Units subsidiary to the one addressed: there are none.
  case subsidiary = 0x12

  var listsUnits: Bool { self == .logicalUnits || self == .all || self == .notSubsidiary }
  var listsWellKnownUnits: Bool { self == .wellKnownLogicalUnits || self == .all }
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
    if selection.listsUnits { list += numbers.sorted().map { .number($0) } }
    if selection.listsWellKnownUnits, hasWellKnownLogicalUnit { list.append(.reportLUNs) }
    var writer = ByteWriter(reserving: 8 + list.count * 8)
    writer.uint32(UInt32(list.count * 8))
    writer.zeros(4)
    for unit in list { writer.uint64(unit.field) }
    return writer.bytes
  }
}
