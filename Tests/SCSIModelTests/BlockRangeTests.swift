import SCSIModel
import Testing

@Suite struct BlockRangeTests {
  static let capacity = BlockCount(1000)
  static let edges: [UInt64] = [
    0, 1, 999, 1000, 1001, 1 << 31, 1 << 32, 1 << 55, 1 << 63, .max - 999, .max - 1, .max,
  ]

  @Test("A range is within a capacity exactly if the sum, formed in 128 bits, does not exceed it")
  func overflowGrid() {
    for start in Self.edges {
      for count in Self.edges {
        for capacity in Self.edges {
          let expected = UInt128(start) + UInt128(count) <= UInt128(capacity)
          let range = BlockRange(start: start, count: count)
          #expect(range.isWithin(BlockCount(capacity)) == expected, "\(range) in \(capacity)")
        }
      }
    }
  }

  @Test(
    "LBA 2^55 with 512-byte blocks has no byte offset: it does not wrap to the start of the disk")
  func byteOverflow() {
    #expect(BlockRange(start: 1 << 55, count: 1).bytes(blockLengthBytes: 512) == nil)
    #expect(BlockRange(start: .max, count: 1).bytes(blockLengthBytes: 4096) == nil)
    #expect(BlockRange(start: (1 << 54) - 1, count: 1).bytes(blockLengthBytes: 512) == nil)
    let last = BlockRange(start: (1 << 54) - 2, count: 1).bytes(blockLengthBytes: 512)
    #expect(last?.offset == Int.max - 1023)
    #expect(last?.length == 512)
  }

  @Test("A count of zero extends to the end, and to nothing from past the end")
  func extend() {
    #expect(
      BlockRange(start: 10, count: 0).extendedToEnd(of: Self.capacity)
        == BlockRange(start: 10, count: 990))
    #expect(BlockRange(start: 1001, count: 0).extendedToEnd(of: Self.capacity) == nil)
  }

  @Test("Ranges that touch do not overlap; ranges that share one block do")
  func overlap() {
    let range = BlockRange(start: 10, count: 10)
    #expect(!range.overlaps(BlockRange(start: 20, count: 1)))
    #expect(!range.overlaps(BlockRange(start: 0, count: 10)))
    #expect(!range.overlaps(BlockRange(start: 15, count: 0)))
    #expect(range.overlaps(BlockRange(start: 19, count: 1)))
    #expect(range.overlaps(BlockRange(start: 0, count: 11)))
  }
}
