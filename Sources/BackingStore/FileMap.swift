internal import Reactor

/// A file as far as its map goes.
protocol MappedFile: ~Copyable {
  func sizeBytes() throws(SystemError) -> UInt64
  /// The first extent that the file system has allocated in `range` and what of it is in there; nil
  /// if there is none.
  func nextExtent(in range: Range<UInt64>) throws(SystemError) -> FileExtent?
  /// Where data begins at or after `offset`; the largest offset if there is none any more, nil if
  /// that is not told.
  func nextData(at offset: UInt64) -> UInt64?
  /// Where the first hole at or after `offset` begins; nil if that is not told.
  func nextHole(at offset: UInt64) -> UInt64?
}

/// Consecutive bytes that have their place on the medium.
struct FileExtent {
  let range: Range<UInt64>
  /// Nothing has been written there: it reads as zeros, but for what the page cache has.
  let isUnwritten: Bool
}

/// What of a file is mapped, anchored or deallocated. Who copies a disk leaves out what is not
/// mapped, so whatever is in doubt is mapped.
///
/// The file system's own map (FIEMAP) tells what is anchored: it has its place and was never
/// written. But it does not know of data that the page cache alone has, be it still to be written
/// or be it that writing it failed. SEEK_DATA knows, and takes for data what was only read, too. So
/// what is anchored or a hole by the one is believed where the other has no data.
enum FileMap {
  /// How many extents of the file system's a search looks at.
  private static let stepsMax = 4096

  /// From the range's start on, as far as a search goes; empty if it cannot be told.
  static func extents<File: MappedFile & ~Copyable>(
    of file: borrowing File, in range: Range<UInt64>, tellingAnchors: Bool
  ) -> [StoreExtent] {
    do throws(SystemError) {
      // What the file has lost at its end is no hole: reading it fails.
      let end = try min(range.upperBound, file.sizeBytes())
      var extents: [StoreExtent] = []
      var (position, data, steps) = (range.lowerBound, UInt64(0), 0)
      while position < end, steps < stepsMax, extents.count < StoreRequest.extentCountMax {
        let rest = position..<end
        let part = tellingAnchors ? try part(of: file, rest) : (end: end, state: .deallocated)
        let next = withoutData(part, of: file, rest, &data)
        extents.extend(to: next.end, from: position, next.state)
        position = next.end
        steps += 1
      }
      if position >= end { extents.extend(to: range.upperBound, from: position, .mapped) }
      return Array(extents.prefix(StoreRequest.extentCountMax))
    } catch {
      return []
    }
  }

  private typealias Part = (end: UInt64, state: StoreExtent.State)

  /// What `rest` begins with, by the file system's map.
  private static func part<File: MappedFile & ~Copyable>(
    of file: borrowing File, _ rest: Range<UInt64>
  ) throws(SystemError) -> Part {
    guard let next = try file.nextExtent(in: rest) else { return (rest.upperBound, .deallocated) }
    if next.range.lowerBound > rest.lowerBound { return (next.range.lowerBound, .deallocated) }
    return (next.range.upperBound, next.isUnwritten ? .anchored : .mapped)
  }

  /// What of `part`, which `rest` begins with, is in one state. `data`: before it there is none
  /// from where it was asked for on.
  private static func withoutData<File: MappedFile & ~Copyable>(
    _ part: Part, of file: borrowing File, _ rest: Range<UInt64>, _ data: inout UInt64
  ) -> Part {
    guard part.state != .mapped else { return part }
    let start = rest.lowerBound
    if data <= start { data = file.nextData(at: start) ?? start }
    if data > start { return (min(data, part.end), part.state) }
    let hole = file.nextHole(at: start) ?? part.end
    return (hole > start ? min(hole, part.end) : part.end, .mapped)
  }
}

extension [StoreExtent] {
  /// Adds what lies between `start`, where the last extent ends, and `end`; as a part of that if
  /// the state is the same.
  fileprivate mutating func extend(
    to end: UInt64, from start: UInt64, _ state: StoreExtent.State
  ) {
    guard start < end else { return }
    if let last, last.state == state {
      self[count - 1].count += end - start
    } else {
      append(StoreExtent(offset: start, count: end - start, state))
    }
  }
}
