import Glibc

/// What a disk holds, in the simplest way: an array. Ranges exist; who calls has checked.
struct ModelDisk {
  let blockBytes: Int
  let blocks: Int
  private(set) var image: [UInt8]

  init(blockBytes: Int, blocks: Int) {
    self.blockBytes = blockBytes
    self.blocks = blocks
    image = [UInt8](repeating: 0, count: blocks * blockBytes)
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
    image.withUnsafeMutableBytes { image in
      data.withUnsafeBytes { data in
        _ = memcpy(image.baseAddress! + Int(lba) * blockBytes, data.baseAddress!, count)
      }
    }
  }

  mutating func unite(_ lba: UInt64, _ data: [UInt8]) {
    let start = Int(lba) * blockBytes
    for index in data.indices { image[start + index] |= data[index] }
  }

  mutating func repeatBlock(_ lba: UInt64, _ count: UInt64, _ block: [UInt8]) {
    for index in 0..<count { write(lba + index, block, count: blockBytes) }
  }

  mutating func clear(_ lba: UInt64, _ count: UInt64) {
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
