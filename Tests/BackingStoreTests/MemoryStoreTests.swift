import BackingStore
import Testing

@Suite("Stores without a medium")
struct MemoryStoreTests {
  let bench = StoreBench()

  @Test("A memory store keeps what is written and reads as zeros elsewhere")
  func keeps() throws {
    // Far more than this machine has: untouched pages cost nothing.
    let store = try MemoryStore(sizeBytes: 1 << 40, logicalBlockBytes: 4096)
    let last: UInt64 = (1 << 40) - 8192
    #expect(try bench.write(.pattern(8192), at: last, to: store, isDurable: true) == nil)
    #expect(try bench.read(8192, at: last, of: store).bytes == .pattern(8192))
    #expect(try bench.read(4096, at: 0, of: store).bytes.allSatisfy { $0 == 0 })
    #expect(try bench.synchronize(store) == nil)
  }

  @Test(
    "Zeroing clears exactly its range, whatever part of a page it takes",
    arguments: [(0, 16384), (512, 512), (512, 4096), (3584, 9216), (4096, 4096), (5120, 11264)])
  func zeroes(_ offset: Int, _ count: Int) throws {
    let store = try MemoryStore(sizeBytes: 16384)
    #expect(try bench.write([UInt8](repeating: 0xAA, count: 16384), at: 0, to: store) == nil)
    #expect(
      try bench.allocate(.punchHole, at: UInt64(offset), count: UInt64(count), of: store) == nil)
    let found = try bench.read(16384, at: 0, of: store).bytes
    #expect(
      found.enumerated().allSatisfy { $1 == ((offset..<offset + count) ~= $0 ? 0 : 0xAA) })
  }

  @Test("A null store reads zeros into a used buffer and forgets writes")
  func forgets() throws {
    let store = try NullStore(sizeBytes: 1 << 50)
    #expect(try bench.write(.pattern(512), at: 0, to: store) == nil)
    #expect(try bench.read(512, at: 0, of: store).bytes.allSatisfy { $0 == 0 })
    #expect(try bench.allocate(.zeroRange, at: 0, count: 1 << 50, of: store) == nil)
  }

  @Test("Sizes that are no whole number of blocks are refused")
  func sizes() {
    let memory = #expect(throws: StoreError.self) { try MemoryStore(sizeBytes: 1000) }
    #expect(memory?.reason == .partialBlock(1000, blockSize: 512))
    let null = #expect(throws: StoreError.self) { try NullStore(sizeBytes: 0) }
    #expect(null?.reason == .empty)
  }
}
