internal import Bytes

// The commands that a third-party copy does its steps by: one for each piece, so they are built
// without allocation.
extension CommandDescriptorBlock {
  /// A command of the 16-byte form, of at most 2^32 − 1 blocks; for a WRITE SAME, NDOB makes them
  /// zeros without data.
  public init(_ command: Command, _ range: BlockRange, isNoDataOutBuffer: Bool = false) {
    let row = CommandTable.standard[command]
    precondition(row.blocks == .sixteen && row.serviceAction == nil, "a command of this form")
    var field = InlineArray<16, UInt8>(repeating: 0)
    field[0] = row.opcode
    field[1] = isNoDataOutBuffer ? 0x01 : 0x00
    field.setBigEndian(range.start.rawValue, at: 2)
    field.setBigEndian(UInt32(range.count.rawValue), at: 10)
    self.init(field)
  }
}
