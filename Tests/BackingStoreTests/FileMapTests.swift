import Reactor
import Testing

@testable import BackingStore

/// A file of which FIEMAP and SEEK_DATA tell what they are told to.
private struct Table: MappedFile {
  var size: UInt64 = 100
  /// Nil: asking fails.
  var allocated: [FileExtent]? = []
  /// Nil: it is not told.
  var data: [Range<UInt64>]? = []

  func sizeBytes() throws(SystemError) -> UInt64 { size }

  func nextExtent(in range: Range<UInt64>) throws(SystemError) -> FileExtent? {
    guard let allocated else { throw .inputOutput }
    return allocated.first { $0.range.overlaps(range) }.map {
      FileExtent(range: $0.range.clamped(to: range), isUnwritten: $0.isUnwritten)
    }
  }

  func nextData(at offset: UInt64) -> UInt64? {
    guard let data else { return nil }
    return data.first { $0.upperBound > offset }.map { max($0.lowerBound, offset) } ?? .max
  }

  func nextHole(at offset: UInt64) -> UInt64? {
    data?.first { $0.contains(offset) }?.upperBound ?? offset
  }
}

@Suite("The map of a file")
struct FileMapTests {
  private func map(
    _ table: Table, _ range: Range<UInt64> = 0..<100, tellingAnchors: Bool = true
  ) -> String {
    FileMap.extents(of: table, in: range, tellingAnchors: tellingAnchors)
      .map { "\($0.state) \($0.offset)-\($0.offset + $0.count)" }.joined(separator: ", ")
  }

  private func unwritten(_ range: Range<UInt64>) -> FileExtent {
    FileExtent(range: range, isUnwritten: true)
  }

  private func written(_ range: Range<UInt64>) -> FileExtent {
    FileExtent(range: range, isUnwritten: false)
  }

  @Test("What was allocated and not written is anchored, what was not allocated deallocated")
  func states() {
    let table = Table(
      allocated: [unwritten(10..<20), unwritten(20..<40), written(40..<60), written(60..<70)],
      data: [40..<70])
    #expect(
      map(table)
        == "deallocated 0-10, anchored 10-40, mapped 40-70, deallocated 70-100")
    #expect(map(table, 15..<45) == "anchored 15-40, mapped 40-45")
    #expect(
      map(table, tellingAnchors: false) == "deallocated 0-40, mapped 40-70, deallocated 70-100")
  }

  @Test("Data that the page cache alone has is mapped: not written yet, or writing it failed")
  func cached() {
    let table = Table(allocated: [unwritten(10..<60)], data: [20..<30, 50..<65, 80..<90])
    #expect(
      map(table)
        == "deallocated 0-10, anchored 10-20, mapped 20-30, anchored 30-50, mapped 50-65, "
        + "deallocated 65-80, mapped 80-90, deallocated 90-100")
  }

  @Test("What cannot be told is mapped, or told by nothing at all")
  func unknown() {
    #expect(map(Table(allocated: nil)) == "")
    #expect(map(Table(allocated: [unwritten(10..<60)], data: nil)) == "mapped 0-100")
    #expect(map(Table(data: nil), tellingAnchors: false) == "mapped 0-100")
  }

  @Test("What lies past the end of a file that was cut is mapped: reading it fails, and shall")
  func cut() {
    let table = Table(size: 50, allocated: [unwritten(10..<50)])
    #expect(map(table) == "deallocated 0-10, anchored 10-50, mapped 50-100")
    #expect(map(table, 60..<80) == "mapped 60-80")
    #expect(map(table, tellingAnchors: false) == "deallocated 0-50, mapped 50-100")
  }

  @Test("A search ends, however many extents there are, at the end of one")
  func bounds() {
    let pieces = (0..<5000).map { unwritten(UInt64($0)..<UInt64($0) + 1) }
    #expect(map(Table(size: 5000, allocated: pieces), 0..<5000) == "anchored 0-4096")
    let holes = (0..<5000).map { unwritten(UInt64($0) * 2..<UInt64($0) * 2 + 1) }
    let found = FileMap.extents(
      of: Table(size: 10_000, allocated: holes), in: 0..<10_000, tellingAnchors: true)
    #expect(found.count == StoreRequest.extentCountMax)
    #expect(found.map(\.count).allSatisfy { $0 == 1 })
  }
}
