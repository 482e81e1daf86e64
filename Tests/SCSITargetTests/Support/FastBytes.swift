import Glibc

// The disks of these tests are megabytes, and builds for tests are not optimized: whole ranges are
// compared and copied by the C library.

/// Whether `count` bytes of both are the same.
func isEqual(_ left: [UInt8], at offset: Int, _ right: [UInt8], at other: Int, count: Int) -> Bool {
  precondition(offset + count <= left.count && other + count <= right.count)
  return left.withUnsafeBytes { left in
    right.withUnsafeBytes { right in
      count == 0 || memcmp(left.baseAddress! + offset, right.baseAddress! + other, count) == 0
    }
  }
}

func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count && isEqual(left, at: 0, right, at: 0, count: left.count)
}

func overwrite(_ target: inout [UInt8], at offset: Int, with source: [UInt8], count: Int) {
  precondition(count <= source.count && offset + count <= target.count)
  guard count > 0 else { return }
  target.withUnsafeMutableBytes { target in
    source.withUnsafeBytes { source in
      _ = memcpy(target.baseAddress! + offset, source.baseAddress!, count)
    }
  }
}

func clear(_ target: inout [UInt8], _ range: Range<Int>) {
  precondition(range.upperBound <= target.count)
  guard !range.isEmpty else { return }
  target.withUnsafeMutableBytes { target in
    _ = memset(target.baseAddress! + range.lowerBound, 0, range.count)
  }
}
