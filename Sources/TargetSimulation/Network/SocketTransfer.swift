internal import Glibc
internal import Reactor

/// A receive or send in flight. Keeps the list, whose owner keeps the memory.
struct SocketTransfer {
  let engine: SimulatedEngine
  let id: OperationID
  let list: ScatterGatherList
}

extension ScatterGatherList {
  /// Copies `bytes` into the ranges, first to last; they hold at least as many.
  func scatter(_ bytes: [UInt8]) {
    precondition(bytes.count <= byteCount)
    let vectors = unsafe unsafeVectors
    var copied = 0
    for index in 0..<vectors.count where copied < bytes.count {
      let vector = unsafe vectors[index]
      let count = unsafe min(vector.iov_len, bytes.count - copied)
      // In bounds: count is at most the range's length and what is left of `bytes`.
      unsafe bytes.withUnsafeBytes { source in
        guard let start = source.baseAddress else { return }
        unsafe vector.iov_base?.copyMemory(from: start + copied, byteCount: count)
      }
      copied += count
    }
  }

  /// The first `limit` bytes of the ranges.
  func gather(_ limit: Int) -> [UInt8] {
    precondition(limit <= byteCount)
    let vectors = unsafe unsafeVectors
    var bytes: [UInt8] = []
    bytes.reserveCapacity(limit)
    for index in 0..<vectors.count where bytes.count < limit {
      let vector = unsafe vectors[index]
      let count = unsafe min(vector.iov_len, limit - bytes.count)
      // In bounds: count is at most the range's length.
      unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: vector.iov_base, count: count))
    }
    return bytes
  }
}
