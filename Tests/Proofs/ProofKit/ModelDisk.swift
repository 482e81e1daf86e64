import Glibc

/// What a disk holds, in the simplest way: an array, and the state of each page, in which it gives
/// space back. Ranges exist; who calls has checked.
struct ModelDisk {
  /// PROVISIONING STATUS of GET LBA STATUS (SBC-3 §5.4.2).
  enum State: UInt8 {
    case mapped = 0
    case deallocated = 1
    case anchored = 2
  }

  static let pageBytes = 4096
  let blockBytes: Int
  let blocks: Int
  private(set) var image: [UInt8]
  private var pages: [State]

  init(blockBytes: Int, blocks: Int) {
    self.blockBytes = blockBytes
    self.blocks = blocks
    image = [UInt8](repeating: 0, count: blocks * blockBytes)
    pages = [State](
      repeating: .deallocated, count: (image.count + Self.pageBytes - 1) / Self.pageBytes)
  }

  func exists(_ lba: UInt64, _ count: UInt64) -> Bool {
    lba <= UInt64(blocks) && count <= UInt64(blocks) - lba
  }

  func bytes(_ lba: UInt64, _ count: UInt64) -> [UInt8] {
    Array(image[Int(lba) * blockBytes..<Int(lba + count) * blockBytes])
  }

  func holds(_ lba: UInt64, _ data: [UInt8], count: Int) -> Bool {
    image.withUnsafeBytes { image in
      data.withUnsafeBytes { data in
        count == 0
          || memcmp(image.baseAddress! + Int(lba) * blockBytes, data.baseAddress!, count) == 0
      }
    }
  }

  /// Writes the first `count` bytes of `data`.
  mutating func write(_ lba: UInt64, _ data: [UInt8], count: Int) {
    guard count > 0 else { return }
    noteWritten(lba, bytes: count)
    image.withUnsafeMutableBytes { image in
      data.withUnsafeBytes { data in
        _ = memcpy(image.baseAddress! + Int(lba) * blockBytes, data.baseAddress!, count)
      }
    }
  }

  mutating func unite(_ lba: UInt64, _ data: [UInt8]) {
    let start = Int(lba) * blockBytes
    noteWritten(lba, bytes: data.count)
    for index in data.indices { image[start + index] |= data[index] }
  }

  mutating func repeatBlock(_ lba: UInt64, _ count: UInt64, _ block: [UInt8]) {
    for index in 0..<count { write(lba + index, block, count: blockBytes) }
  }

  /// Zeros; the whole pages take no space, or keep theirs.
  mutating func unmap(_ lba: UInt64, _ count: UInt64, anchors: Bool) {
    clear(lba, count)
    let start = Int(lba) * blockBytes
    let end = start + Int(count) * blockBytes
    for page in pages.indices
    where page * Self.pageBytes >= start && (page + 1) * Self.pageBytes <= end {
      pages[page] = anchors ? .anchored : .deallocated
    }
  }

  private mutating func noteWritten(_ lba: UInt64, bytes: Int) {
    guard bytes > 0 else { return }
    let start = Int(lba) * blockBytes
    for page in start / Self.pageBytes...(start + bytes - 1) / Self.pageBytes {
      pages[page] = .mapped
    }
  }

  /// Blocks in the same state, one after the other, from `lba` to the end.
  func states(from lba: UInt64) -> [(lba: UInt64, count: UInt64, state: State)] {
    var runs: [(lba: UInt64, count: UInt64, state: State)] = []
    for block in lba..<UInt64(blocks) {
      let state = pages[Int(block) * blockBytes / Self.pageBytes]
      if let last = runs.last, last.state == state {
        runs[runs.count - 1].count += 1
      } else {
        runs.append((block, 1, state))
      }
    }
    return runs
  }

  private mutating func clear(_ lba: UInt64, _ count: UInt64) {
    guard count > 0 else { return }
    image.withUnsafeMutableBytes { image in
      _ = memset(
        image.baseAddress! + Int(lba) * blockBytes, 0, Int(count) * blockBytes)
    }
  }
}

/// Whether two arrays are the same; the C library's comparison, for large ones.
func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
  left.count == right.count
    && left.withUnsafeBytes { left in
      right.withUnsafeBytes { right in
        left.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0
      }
    }
}
