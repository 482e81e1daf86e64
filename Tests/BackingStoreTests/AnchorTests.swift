import BackingStore
import CLinux
import Glibc
import Testing

/// Whether the file system that the tests make their files on keeps what is zeroed, and tells.
private let anchors: Bool = {
  guard let scratch = try? Scratch(), let path = try? scratch.makeFile("probe", size: 4096) else {
    return false
  }
  let descriptor = clinux_open(path, O_RDWR, 0)
  defer { close(descriptor) }
  var extent = clinux_extent()
  guard fallocate(descriptor, FALLOC_FL_ZERO_RANGE, 0, 4096) == 0,
    clinux_next_extent(descriptor, 0, 4096, &extent) == 1
  else { return false }
  return extent.flags & UInt32(FIEMAP_EXTENT_UNWRITTEN) != 0
}()

@Suite("Anchored ranges of files", .enabled(if: anchors, "needs a file system such as ext4"))
struct AnchorTests {
  let scratch: Scratch
  let bench = StoreBench()

  init() throws { scratch = try Scratch() }

  private func makeStore(_ mode: CacheMode = .writeback) throws -> DescriptorStore {
    let store = try open(
      StoreOptions(
        path: scratch("disk"), sizeBytes: 8 << 20, logicalBlockBytes: 4096, cacheMode: mode))
    #expect(store.capabilities.canAnchor)
    return store
  }

  /// Of the whole store.
  private func states(_ store: any Store) throws -> [StoreExtent] {
    try extents(of: store, at: 0, count: 8 << 20)
  }

  /// Of a range in mebibytes.
  private func extent(
    _ range: Range<UInt64>, _ state: StoreExtent.State
  ) -> StoreExtent {
    StoreExtent(
      offset: range.lowerBound << 20, count: UInt64(range.count) << 20, state)
  }

  private func allocatedBytes() throws -> Int { try Int(status(scratch("disk")).st_blocks) * 512 }

  @Test(
    "A zeroed range is anchored: it has its space and reads as zeros",
    arguments: [CacheMode.writeback, .none])
  func anchored(mode: CacheMode) throws {
    let store = try makeStore(mode)
    #expect(try states(store) == [extent(0..<8, .deallocated)])
    // Half over a hole, half over data.
    #expect(try bench.write(.pattern(1 << 20), at: 2 << 20, to: store) == nil)
    #expect(try bench.allocate(.zeroRange, at: 1 << 20, count: 2 << 20, of: store) == nil)
    let wanted = [
      extent(0..<1, .deallocated), extent(1..<3, .anchored), extent(3..<8, .deallocated),
    ]
    #expect(try states(store) == wanted)
    #expect(try allocatedBytes() >= 2 << 20)
    let (bytes, failure) = try bench.read(2 << 20, at: 1 << 20, of: store)
    #expect(failure == nil && bytes.allSatisfy { $0 == 0 })
    // What the page cache has, if only because it was read, might be data.
    let read = mode == .none ? wanted[1] : extent(1..<3, .mapped)
    #expect(try states(store) == [wanted[0], read, wanted[2]])
    #expect(try extents(of: store, at: 2 << 20, count: 4096).map(\.state) == [read.state])
  }

  @Test(
    "What was written is mapped at once, also while the page cache alone has it",
    arguments: [CacheMode.writeback, .none])
  func written(mode: CacheMode) throws {
    let store = try makeStore(mode)
    #expect(try bench.allocate(.zeroRange, at: 1 << 20, count: 4 << 20, of: store) == nil)
    let data = [UInt8].pattern(1 << 20)
    // In the anchored range, then in a hole, and asked for after each.
    #expect(try bench.write(data, at: 2 << 20, to: store) == nil)
    #expect(
      try states(store) == [
        extent(0..<1, .deallocated), extent(1..<2, .anchored), extent(2..<3, .mapped),
        extent(3..<5, .anchored), extent(5..<8, .deallocated),
      ])
    #expect(try bench.write(data, at: 6 << 20, to: store) == nil)
    #expect(
      try states(store) == [
        extent(0..<1, .deallocated), extent(1..<2, .anchored), extent(2..<3, .mapped),
        extent(3..<5, .anchored), extent(5..<6, .deallocated), extent(6..<7, .mapped),
        extent(7..<8, .deallocated),
      ])
    #expect(try bench.synchronize(store) == nil)
    #expect(try bench.read(1 << 20, at: 2 << 20, of: store).bytes == data)
  }

  @Test("An anchored range that is deallocated gives its space back")
  func deallocated() throws {
    let store = try makeStore()
    #expect(try bench.allocate(.zeroRange, at: 0, count: 8 << 20, of: store) == nil)
    #expect(try allocatedBytes() >= 8 << 20)
    #expect(try bench.allocate(.punchHole, at: 1 << 20, count: 6 << 20, of: store) == nil)
    #expect(
      try states(store) == [
        extent(0..<1, .anchored), extent(1..<7, .deallocated), extent(7..<8, .anchored),
      ])
    #expect(try allocatedBytes() < 3 << 20)
  }

  @Test("Many ranges in turn are told one by one, as many as there is room for")
  func many() throws {
    let store = try makeStore()
    // Every other page: 1024 anchored, 1024 holes.
    for page in stride(from: 0, to: 2048, by: 2) as StrideTo<UInt64> {
      #expect(try bench.allocate(.zeroRange, at: page * 4096, count: 4096, of: store) == nil)
    }
    let found = try states(store)
    #expect(found.count == StoreRequest.extentCountMax)
    for (index, extent) in found.enumerated() {
      let wanted = StoreExtent(
        offset: UInt64(index) * 4096, count: 4096, index % 2 == 0 ? .anchored : .deallocated)
      guard extent == wanted else {
        Issue.record("\(extent), where \(wanted) is")
        return
      }
    }
  }

  @Test("Who may not deallocate, or not write, anchors nothing; nor does a store on tmpfs")
  func unable() throws {
    let path = try scratch.makeFile("other", size: 1 << 20)
    #expect(try !open(StoreOptions(path: path, discards: false)).capabilities.canAnchor)
    #expect(try !open(StoreOptions(path: path, isReadOnly: true)).capabilities.canAnchor)
    let memory = try Scratch(in: "/dev/shm")
    let store = try open(StoreOptions(path: memory("disk"), sizeBytes: 1 << 20))
    #expect(store.capabilities.canPunchHoles && !store.capabilities.canAnchor)
  }
}

@Suite("Anchored pages in memory")
struct MemoryAnchorTests {
  @Test("Pages that are zeroed are kept where that was asked for, until written or given back")
  func pages() throws {
    let bench = StoreBench()
    let store = try MemoryStore(sizeBytes: 1 << 20, anchors: true)
    #expect(store.capabilities.canAnchor)
    #expect(try bench.write(.pattern(8192), at: 0, to: store) == nil)
    // Of the second page a part, all of the third, of the fourth a part.
    #expect(try bench.allocate(.zeroRange, at: 4608, count: 8192, of: store) == nil)
    #expect(
      try extents(of: store, at: 0, count: 20480) == [
        StoreExtent(offset: 0, count: 8192, .mapped),
        StoreExtent(offset: 8192, count: 4096, .anchored),
        StoreExtent(offset: 12288, count: 8192, .deallocated),
      ])
    let wanted = [UInt8].pattern(4608) + [UInt8](repeating: 0, count: 8192)
    #expect(try bench.read(12800, at: 0, of: store).bytes == wanted)
    #expect(try bench.allocate(.zeroRange, at: 12288, count: 8192, of: store) == nil)
    #expect(try bench.write(.pattern(512), at: 8192, to: store) == nil)
    #expect(try bench.allocate(.punchHole, at: 16384, count: 4096, of: store) == nil)
    #expect(
      try extents(of: store, at: 0, count: 20480) == [
        StoreExtent(offset: 0, count: 12288, .mapped),
        StoreExtent(offset: 12288, count: 4096, .anchored),
        StoreExtent(offset: 16384, count: 4096, .deallocated),
      ])
    #expect(try !MemoryStore(sizeBytes: 1 << 20).capabilities.canAnchor)
  }
}
