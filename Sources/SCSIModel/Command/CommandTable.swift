/// The commands that a logical unit serves, found by opcode and service action in constant time.
/// A class, because calls on so large a struct copy it: measured as 45 % of a READ's CPU time.
/// Whoever looks up often keeps a reference to `standard` and does not ask whether it has been
/// made.
public final class CommandTable: Sendable {
  public static let standard = CommandTable(rows: makeRows())

  /// Room for rows; those past `count` repeat the first.
  @usableFromInline
  static var capacity: Int { 96 }

  /// In the order of `Command.rawValue`. Inline, because an array costs a retain per lookup.
  @usableFromInline
  let storage: InlineArray<96, CommandRow>

  @usableFromInline
  let count: Int

  /// All rows, for reports and tests.
  public var rows: [CommandRow] { (0..<count).map { storage[$0] } }

  /// The first row of each opcode, or `CommandRow.absent`.
  @usableFromInline
  let firstRow: InlineArray<256, UInt8>

  init(rows: [CommandRow]) {
    precondition(rows.count == Command.allCases.count, "each command has one row")
    precondition(rows.count <= Self.capacity, "the table has room for its rows")
    var firstRow = InlineArray<256, UInt8>(repeating: CommandRow.absent)
    for (index, row) in rows.enumerated() {
      precondition(Int(row.command.rawValue) == index, "rows are in the order of their commands")
      let isFirst = firstRow[Int(row.opcode)] == CommandRow.absent
      precondition(
        isFirst || rows[index - 1].opcode == row.opcode && row.serviceAction != nil,
        "rows of one opcode are neighbours with service actions")
      if isFirst { firstRow[Int(row.opcode)] = UInt8(index) }
    }
    storage = InlineArray { rows[$0 < rows.count ? $0 : 0] }
    count = rows.count
    self.firstRow = firstRow
  }

  @inlinable
  public subscript(_ command: Command) -> CommandRow { storage[Int(command.rawValue)] }

  @inlinable
  public func servesOpcode(_ opcode: UInt8) -> Bool { firstRow[Int(opcode)] != CommandRow.absent }

  /// Whether the opcode is served and needs a service action to name a command.
  @inlinable
  public func hasServiceActions(_ opcode: UInt8) -> Bool {
    servesOpcode(opcode) && storage[Int(firstRow[Int(opcode)])].serviceAction != nil
  }

  /// The command of an opcode and, if the opcode has them, a service action.
  @inlinable
  public func lookup(opcode: UInt8, serviceAction: UInt16) -> Command? {
    guard servesOpcode(opcode) else { return nil }
    var index = Int(firstRow[Int(opcode)])
    if storage[index].serviceAction == nil { return storage[index].command }
    while index < count, storage[index].opcode == opcode {
      if storage[index].serviceAction == serviceAction { return storage[index].command }
      index += 1
    }
    return nil
  }

  @inlinable
  public func lookup(_ cdb: CommandDescriptorBlock) -> Command? {
    lookup(opcode: cdb.opcode, serviceAction: cdb.serviceAction)
  }
}

extension CommandRow {
  /// Stands in the table for a row that is not there.
  @usableFromInline
  static var absent: UInt8 { 0xFF }
}
