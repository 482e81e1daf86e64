import BackingStore
import CLinux
import Glibc
import Reactor
import Testing

/// Runs a search to its end, which comes from another thread.
func extents(of store: any Store, at offset: UInt64, count: UInt64) throws -> [StoreExtent] {
  let client = SearchClient()
  let reactor = Reactor(index: 0, engine: PlainEngine(), memoryBudgetBytes: 1 << 20)
  let request = StoreRequest(client: client)
  request.prepare(.findExtents, at: offset, count: count)
  store.start(request, on: reactor)
  for _ in 0..<30_000 where request.isInFlight {
    reactor.turn()
    usleep(1000)
  }
  #expect(client.endings == [nil])
  return request.extents
}

private final class SearchClient: StoreClient {
  var endings: [StoreFailure?] = []
  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {
    endings.append(failure)
  }
}

@Suite("Extents")
struct ExtentTests {
  @Test(
    "Data and holes of a file are told in order and without gaps, from any offset",
    arguments: ["/var/tmp", "/dev/shm"])
  func file(directory: String) throws {
    let scratch = try Scratch(in: directory)
    let path = scratch("disk")
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20, cacheMode: .writeback))
    #expect(
      try extents(of: store, at: 0, count: 1 << 20) == [
        StoreExtent(offset: 0, count: 1 << 20, .deallocated)
      ])
    let bench = StoreBench()
    let data = [UInt8](repeating: 1, count: 65536)
    #expect(try bench.write(data, at: 131_072, to: store) == nil)
    #expect(
      try extents(of: store, at: 0, count: 1 << 20) == [
        StoreExtent(offset: 0, count: 131_072, .deallocated),
        StoreExtent(offset: 131_072, count: 65536, .mapped),
        StoreExtent(offset: 196_608, count: (1 << 20) - 196_608, .deallocated),
      ])
    #expect(
      try extents(of: store, at: 135_168, count: 4096) == [
        StoreExtent(offset: 135_168, count: 4096, .mapped)
      ])
    // I/O goes on as before: the descriptor's position is nobody's.
    let (read, failure) = try bench.read(65536, at: 131_072, of: store)
    #expect(failure == nil && read == data)
  }

  @Test("Searches of one store at the same time wait for each other")
  func queue() throws {
    let scratch = try Scratch()
    let store = try open(
      StoreOptions(path: scratch("disk"), sizeBytes: 1 << 20, cacheMode: .writeback))
    let reactor = Reactor(index: 0, engine: PlainEngine(), memoryBudgetBytes: 1 << 20)
    let client = SearchClient()
    let requests = (0..<40).map { _ in StoreRequest(client: client) }
    for request in requests {
      request.prepare(.findExtents, at: 0, count: 1 << 20)
      store.start(request, on: reactor)
    }
    for _ in 0..<30_000 where requests.contains(where: \.isInFlight) {
      reactor.turn()
      usleep(1000)
    }
    #expect(client.endings == [StoreFailure?](repeating: nil, count: 40))
    let whole = [StoreExtent(offset: 0, count: 1 << 20, .deallocated)]
    #expect(requests.allSatisfy { $0.extents == whole })
  }

  @Test("Of a store in memory the pages are mapped that were written and not given back")
  func memory() throws {
    let store = try MemoryStore(sizeBytes: 1 << 20)
    let bench = StoreBench()
    let whole = [StoreExtent(offset: 0, count: 1 << 20, .deallocated)]
    // Looking at them maps none.
    _ = try bench.read(1 << 20, at: 0, of: store)
    #expect(try extents(of: store, at: 0, count: 1 << 20) == whole)
    #expect(try bench.write([UInt8](repeating: 1, count: 4608), at: 8192, to: store) == nil)
    #expect(
      try extents(of: store, at: 512, count: 65536 - 512) == [
        StoreExtent(offset: 512, count: 7680, .deallocated),
        StoreExtent(offset: 8192, count: 8192, .mapped),
        StoreExtent(offset: 16384, count: 49152, .deallocated),
      ])
    // A part of a page keeps it.
    #expect(try bench.allocate(.punchHole, at: 8704, count: 7680, of: store) == nil)
    #expect(
      try extents(of: store, at: 8192, count: 8192) == [
        StoreExtent(offset: 8192, count: 4096, .mapped),
        StoreExtent(offset: 12288, count: 4096, .deallocated),
      ])
    #expect(try bench.allocate(.punchHole, at: 0, count: 1 << 20, of: store) == nil)
    #expect(try extents(of: store, at: 0, count: 1 << 20) == whole)
  }
}
