import BackingStore
import CLinux
import Reactor
import Testing

/// Stores whose size changes while they are open.
@Suite("Resizing a store")
struct ResizeTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func refusal(_ body: () throws -> Void) throws -> StoreError.Reason {
    try #require(#expect(throws: StoreError.self, performing: body)).reason
  }

  @Test("A file grows, sparse, and what is added can be read and written")
  func grows() throws {
    let path = scratch("a.img")
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    try store.resize(to: 4 << 20)
    #expect(store.geometry.capacityBytes == 4 << 20)
    #expect(try status(path).st_size == 4 << 20)
    #expect(try status(path).st_blocks == 0)
    let bench = StoreBench()
    #expect(try bench.write(.pattern(4096), at: (4 << 20) - 4096, to: store) == nil)
    #expect(try bench.read(4096, at: (4 << 20) - 4096, of: store).bytes == .pattern(4096))
  }

  @Test("A file is cut only where that is allowed, and half blocks are not made")
  func shrinks() throws {
    let path = scratch("a.img")
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    #expect(
      try refusal { try store.resize(to: 1 << 19) } == .wouldShrink(from: 1 << 20, to: 1 << 19))
    #expect(
      try refusal { try store.resize(to: 1000, allowsShrinking: true) }
        == .partialBlock(1000, blockSize: 512))
    #expect(try refusal { try store.resize(to: 0, allowsShrinking: true) } == .empty)
    #expect(try status(path).st_size == 1 << 20)
    try store.resize(to: 1 << 19, allowsShrinking: true)
    #expect(try status(path).st_size == 1 << 19)
    #expect(store.geometry.capacityBytes == 1 << 19)
  }

  @Test("A file that somebody else has made larger is adopted, whole blocks of it")
  func adopts() throws {
    let path = scratch("a.img")
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    try #require(truncate(path, (2 << 20) + 100) == 0)
    #expect(try store.findSizeBytes() == 2 << 20)
    #expect(store.geometry.capacityBytes == 1 << 20)
    // What the other has added is not cut off either.
    try store.resize(to: 3 << 19)
    #expect(store.geometry.capacityBytes == 3 << 19)
    #expect(try status(path).st_size == (2 << 20) + 100)
    #expect(try store.adoptSize() == 2 << 20)
    try #require(truncate(path, 1 << 20) == 0)
    #expect(try refusal { try store.adoptSize() } == .wouldShrink(from: 2 << 20, to: 1 << 20))
    #expect(try store.adoptSize(allowsShrinking: true) == 1 << 20)
  }

  @Test("Growth is taken back to what there was, also of a file that was larger before")
  func undoesGrowth() throws {
    let path = try scratch.makeFile("a.img", size: 2 << 20)
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    try store.resize(to: 4 << 20)
    #expect(try status(path).st_size == 4 << 20)
    try store.undoGrowth(to: 1 << 20, fileBytes: 2 << 20)
    #expect(store.geometry.capacityBytes == 1 << 20)
    #expect(try status(path).st_size == 2 << 20)
    try store.resize(to: 3 << 19)
    try store.undoGrowth(to: 1 << 20, fileBytes: 2 << 20)
    #expect(try status(path).st_size == 2 << 20)
  }

  @Test("A store that is read-only keeps its size")
  func readOnly() throws {
    let path = try scratch.makeFile("a.img", size: 4096)
    let store = try open(StoreOptions(path: path, isReadOnly: true))
    #expect(try refusal { try store.resize(to: 8192) } == .notResizable)
  }

  @Test("What is asked for behind the end fails as of the medium, and nothing is begun")
  func behindEnd() throws {
    let path = scratch("a.img")
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    try store.resize(to: 1 << 19, allowsShrinking: true)
    let bench = StoreBench()
    for offset: UInt64 in [1 << 19, (1 << 19) - 512, .max - 511, .max] {
      #expect(
        try bench.write(.pattern(1024), at: offset, to: store) == .medium(.inputOutput), "\(offset)"
      )
      #expect(try bench.read(1024, at: offset, of: store).failure == .medium(.inputOutput))
      #expect(
        try bench.allocate(.punchHole, at: offset, count: 1024, of: store)
          == .medium(.inputOutput))
    }
    #expect(bench.engine.calls.isEmpty)
    #expect(store.readiness == .ready)
    #expect(try status(path).st_size == 1 << 19)
  }
}
