internal import CLinux
internal import Glibc
internal import Reactor

extension FileDescriptor: MappedFile {
  func sizeBytes() throws(SystemError) -> UInt64 { try status().sizeBytes }

  /// By FIEMAP.
  func nextExtent(in range: Range<UInt64>) throws(SystemError) -> FileExtent? {
    var found = clinux_extent()
    var answer: Int32 = 0
    try check {
      answer = unsafe clinux_next_extent(
        rawValue, range.lowerBound, range.upperBound - range.lowerBound, &found)
      return answer
    }
    guard answer > 0 else { return nil }
    let (end, isEndless) = found.offset.addingReportingOverflow(found.count)
    let lower = max(found.offset, range.lowerBound)
    let upper = min(isEndless ? .max : end, range.upperBound)
    guard lower < upper else { throw .inputOutput }
    // With any other flag there may be data, or a copy that a write takes space for.
    let flags = found.flags & ~UInt32(FIEMAP_EXTENT_LAST | FIEMAP_EXTENT_MERGED)
    return FileExtent(
      range: lower..<upper, isUnwritten: flags == UInt32(FIEMAP_EXTENT_UNWRITTEN))
  }

  func nextData(at offset: UInt64) -> UInt64? {
    let found = lseek(rawValue, off_t(clamping: offset), SEEK_DATA)
    if found >= 0 { return UInt64(found) }
    return SystemError.last == .noSuchDevice ? UInt64(Int64.max) : nil
  }

  func nextHole(at offset: UInt64) -> UInt64? {
    let found = lseek(rawValue, off_t(clamping: offset), SEEK_HOLE)
    return found >= 0 ? UInt64(found) : nil
  }
}
