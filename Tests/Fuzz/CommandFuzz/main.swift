// Commands with their parameter lists, several in a row, from several nodes to one logical unit.
// Whatever comes, nothing traps, nothing is left over, and a node that may only read changes no
// block.
//
// An input is a sequence of
//   1 byte   bits 1-0 the node (3 may only read); bit 2: the length of the data is put into the
//            CDB, so that more than the check of lengths is reached; bit 7: LOGICAL UNIT RESET
//            instead of a command
//   16 bytes the CDB
//   2 bytes  the length of the data-out; then the data
import Bytes
import FuzzDriver
import ProofKit
import SCSIModel

let table = CommandTable.standard
let blockBytes: UInt32 = 512
let blocks = 64

/// The bytes of the input, one after the other.
struct Input {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func bytes(_ count: Int) -> [UInt8] {
    let taken = Array(rest.prefix(count))
    rest = rest.dropFirst(count)
    return taken
  }
}

/// Puts `count` where the command says how long its parameter list is.
func setLength(_ count: Int, in cdb: inout [UInt8]) {
  guard let command = table.lookup(CommandDescriptorBlock(cdb)) else { return }
  let field: ClosedRange<Int>
  switch table[command].parameterLength {
  case .none: return
  case .byte4: field = 4...4
  case .bytes3To4: field = 3...4
  case .bytes5To8: field = 5...8
  case .bytes6To8: field = 6...8
  case .bytes6To9: field = 6...9
  case .bytes7To8: field = 7...8
  case .bytes10To13: field = 10...13
  }
  var value = count
  for index in field.reversed() {
    cdb[index] = UInt8(truncatingIfNeeded: value)
    value >>= 8
  }
}

func image(_ bench: UnitBench) -> [UInt8] { bench.contents(0..<Int(blockBytes) * blocks) }

func run(_ bytes: [UInt8]) throws {
  let bench = try UnitBench(blockBytes: blockBytes, blocks: blocks)
  defer { bench.close() }
  // Power on is told of once.
  for node in 0..<UnitBench.nodeCount { _ = bench.run(node, [UInt8](repeating: 0, count: 6)) }
  var input = Input(bytes)
  for _ in 0..<12 where !input.isEmpty {
    let choice = input.byte()
    let node = Int(choice & 3)
    if choice & 0x80 != 0 {
      bench.reset(node)
      continue
    }
    var cdb = input.bytes(16)
    cdb += [UInt8](repeating: 0, count: 16 - cdb.count)
    let count = Int(input.byte()) << 8 | Int(input.byte())
    let out = input.bytes(min(count, 4096))
    if choice & 4 != 0 { setLength(out.count, in: &cdb) }
    // What another node has told the unit to do in the background is not node 3's doing.
    if node == 3 { bench.waitForMemory() }
    let before = node == 3 ? image(bench) : []
    _ = bench.run(node, cdb, out: out, room: 65_536)
    if node == 3 { precondition(image(bench) == before, "a node that may only read wrote: \(cdb)") }
  }
  bench.waitForMemory()
}

fuzz { bytes in
  do { try run(bytes) } catch { fatalError("the unit cannot be made: \(error)") }
}
