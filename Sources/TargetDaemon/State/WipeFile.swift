internal import SCSITarget

/// What a file in `wipes/` says: that a FORMAT UNIT or SANITIZE of one logical unit has begun and
/// not succeeded.
///
///     swift-tgtd wipe 1
///     unit 6020c1f0a2d45b7e8c9d001122334455
///     store quorum1
///     operation sanitize
///     unrestricted-exit 0
///     checksum 1b2c3d4e
struct WipeFile: RecordFile {
  static let kind = "wipe"

  let unit: RecordUnit
  let mark: WipeMark

  init(_ mark: WipeMark, of unit: LogicalUnitIdentity) {
    self.unit = RecordUnit(unit)
    self.mark = mark
  }

  var isValid: Bool { true }

  var body: String {
    """
    operation \(mark.operation.rawValue)
    unrestricted-exit \(mark.allowsUnrestrictedExit ? 1 : 0)

    """
  }

  init?(_ unit: RecordUnit, _ lines: inout LineReader) {
    guard let operation = lines.line(after: "operation").flatMap(WipeMark.Operation.init),
      let exit = lines.line(after: "unrestricted-exit")
    else { return nil }
    self.unit = unit
    mark = WipeMark(operation, allowsUnrestrictedExit: exit == "1")
  }
}
