internal import Reactor

/// What of a file is written, anchored or a hole, by the file system's own map (FIEMAP): anchored
/// is what has its place there and was never written.
///
/// The map does not know of data that lies in the page cache and is to go where nothing was
/// written. So a map that shows no data is believed only where the page cache has none either,
/// which SEEK_DATA tells; but that takes for data what was only read, too. What is left in doubt is
/// flushed, and asked for once more.
extension DescriptorStore {
  /// How many extents of the file system's a search looks at: about ten milliseconds.
  private static let searchExtentsMax = 4096

  /// From the range's start on, as far as a search goes; empty if it cannot be told.
  func extentsByMap(in range: Range<UInt64>) -> [StoreExtent] {
    do throws(SystemError) {
      let found = try map(range, flushing: false)
      return isCacheEmpty(besideDataOf: found) ? found : try map(range, flushing: true)
    } catch {
      return []
    }
  }

  private func map(
    _ range: Range<UInt64>, flushing: Bool
  ) throws(SystemError) -> [StoreExtent] {
    var extents: [StoreExtent] = []
    var position = range.lowerBound
    for step in 0..<DescriptorStore.searchExtentsMax where position < range.upperBound {
      guard extents.count < StoreRequest.extentCountMax else { break }
      let rest = position..<range.upperBound
      guard let next = try descriptor.nextExtent(in: rest, flushing: flushing && step == 0) else {
        extents.extend(to: range.upperBound, from: position, .deallocated)
        break
      }
      extents.extend(to: next.range.lowerBound, from: position, .deallocated)
      guard extents.count < StoreRequest.extentCountMax else { break }
      extents.extend(
        to: next.range.upperBound, from: next.range.lowerBound,
        next.isUnwritten ? .anchored : .mapped)
      position = next.range.upperBound
    }
    return extents
  }

  /// Whether the page cache holds nothing of what is no data by the map.
  private func isCacheEmpty(besideDataOf extents: [StoreExtent]) -> Bool {
    var nextData: UInt64 = 0
    for extent in extents where extent.state != .mapped {
      if extent.offset >= nextData {
        guard let found = descriptor.nextData(at: extent.offset) else { return false }
        nextData = found
      }
      guard nextData >= extent.offset + extent.count else { return false }
    }
    return true
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
