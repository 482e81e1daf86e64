internal import BackingStore

/// What a disk holds, twice: what reads see, and what surely survives a power failure. Sparse.
///
/// Between the two lie, for each block, the versions that have been written since it was last
/// synchronized. After a crash a block is any one of them or the durable one: caches write back in
/// any order, but a block never tears.
struct DiskContents {
  private struct Version {
    var number: UInt64
    /// nil: a hole.
    var bytes: [UInt8]?
  }

  let blockBytes: Int
  let sizeBytes: UInt64
  /// Counts the changes; a synchronize covers those up to its start.
  private(set) var lastVersion: UInt64 = 0
  private var visible: [UInt64: [UInt8]] = [:]
  private var durable: [UInt64: [UInt8]] = [:]
  private var pending: [UInt64: [Version]] = [:]
  /// The blocks that keep their place while they are holes.
  private var anchored = RangeSet<UInt64>()

  init(blockBytes: Int, sizeBytes: UInt64) {
    self.blockBytes = blockBytes
    self.sizeBytes = sizeBytes
  }

  /// Blocks that are not holes, or anchored, in bytes.
  var allocatedBytes: UInt64 {
    let kept = anchored.ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
    let written = visible.keys.count { !anchored.contains($0) }
    return (kept + UInt64(written)) * UInt64(blockBytes)
  }
  var unsynchronizedBlockCount: Int { pending.count }

  // MARK: Reading; ranges lie within the size

  func visibleBytes(_ offset: UInt64, _ count: Int) -> [UInt8] { bytes(visible, offset, count) }

  func durableBytes(_ offset: UInt64, _ count: Int) -> [UInt8] { bytes(durable, offset, count) }

  private func bytes(_ blocks: [UInt64: [UInt8]], _ offset: UInt64, _ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count)
    for piece in pieces(offset, UInt64(count)) {
      if let block = blocks[piece.block] {
        result += block[piece.range]
      } else {
        result += [UInt8](repeating: 0, count: piece.range.count)
      }
    }
    return result
  }

  /// What of a range is data, anchored, or a hole, at most `countMax` pieces from its start on.
  func extents(_ offset: UInt64, _ count: UInt64, countMax: Int) -> [StoreExtent] {
    let end = offset + count
    // Where the state may change.
    var borders: Set<UInt64> = [end]
    func note(_ block: UInt64) {
      let place = block * UInt64(blockBytes)
      if place > offset, place < end { borders.insert(place) }
    }
    for block in visible.keys {
      note(block)
      note(block + 1)
    }
    for range in anchored.ranges {
      note(range.lowerBound)
      note(range.upperBound)
    }
    var extents: [StoreExtent] = []
    var position = offset
    for border in borders.sorted() where border > position {
      let state = state(of: position / UInt64(blockBytes))
      if let last = extents.last, last.state == state {
        extents[extents.count - 1].count += border - position
      } else {
        guard extents.count < countMax else { break }
        extents.append(StoreExtent(offset: position, count: border - position, state))
      }
      position = border
    }
    return extents
  }

  private func state(of block: UInt64) -> StoreExtent.State {
    if visible[block] != nil { return .mapped }
    return anchored.contains(block) ? .anchored : .deallocated
  }

  // MARK: Changing

  mutating func write(_ bytes: [UInt8], at offset: UInt64, isDurable: Bool) {
    for (block, data) in patched(bytes, at: offset) {
      change(block, to: data)
      if isDurable { makeDurable(block, upTo: .max) }
    }
  }

  /// A write that a power failure interrupts: each block arrives or not.
  mutating func tear(_ bytes: [UInt8], at offset: UInt64, using random: inout SeededGenerator) {
    for (block, data) in patched(bytes, at: offset) where random.coin() { change(block, to: data) }
  }

  /// Whole blocks become holes, the ends zeros.
  mutating func punch(_ offset: UInt64, _ count: UInt64) {
    zero(offset, count)
    let whole = (offset + UInt64(blockBytes) - 1) / UInt64(blockBytes)
    let end = (offset + count) / UInt64(blockBytes)
    if whole < end { anchored.remove(contentsOf: whole..<end) }
  }

  /// Whole blocks become holes that keep their place, the ends zeros; of a hole all of the block
  /// gets a place.
  mutating func anchor(_ offset: UInt64, _ count: UInt64) {
    guard count > 0 else { return }
    zero(offset, count)
    anchored.insert(
      contentsOf: offset / UInt64(blockBytes)..<(offset + count - 1) / UInt64(blockBytes) + 1)
  }

  private mutating func zero(_ offset: UInt64, _ count: UInt64) {
    let end = offset + count
    for block in visible.keys.sorted() {
      let start = block * UInt64(blockBytes)
      let lower = max(start, offset)
      let upper = min(start + UInt64(blockBytes), end)
      guard lower < upper, var data = visible[block] else { continue }
      data.replaceSubrange(
        Int(lower - start)..<Int(upper - start), with: repeatElement(0, count: Int(upper - lower)))
      change(block, to: upper - lower == UInt64(blockBytes) ? nil : data)
    }
  }

  private mutating func change(_ block: UInt64, to bytes: [UInt8]?) {
    lastVersion += 1
    visible[block] = bytes
    pending[block, default: []].append(Version(number: lastVersion, bytes: bytes))
  }

  /// The blocks that writing `bytes` would make.
  private func patched(_ bytes: [UInt8], at offset: UInt64) -> [(UInt64, [UInt8])] {
    var source = 0
    return pieces(offset, UInt64(bytes.count)).map { piece in
      var data = visible[piece.block] ?? [UInt8](repeating: 0, count: blockBytes)
      data.replaceSubrange(piece.range, with: bytes[source..<source + piece.range.count])
      source += piece.range.count
      return (piece.block, data)
    }
  }

  /// The blocks that a range touches, and which part of each.
  private func pieces(_ offset: UInt64, _ count: UInt64) -> [(block: UInt64, range: Range<Int>)] {
    var result: [(block: UInt64, range: Range<Int>)] = []
    var position = offset
    while position < offset + count {
      let start = Int(position % UInt64(blockBytes))
      let length = min(blockBytes - start, Int(offset + count - position))
      result.append((position / UInt64(blockBytes), start..<start + length))
      position += UInt64(length)
    }
    return result
  }

  // MARK: Durability

  /// Makes durable what was changed up to `version`.
  mutating func synchronize(upTo version: UInt64) {
    for block in Array(pending.keys) { makeDurable(block, upTo: version) }
  }

  /// A synchronize that failed: Linux forgets that the pages were dirty, so what did not reach the
  /// medium by luck never will, though reads still show it.
  mutating func failSynchronize(upTo version: UInt64, using random: inout SeededGenerator) {
    for block in pending.keys.sorted() {
      if random.coin() {
        makeDurable(block, upTo: version)
      } else {
        forget(block, upTo: version)
      }
    }
  }

  /// Power is lost and returns.
  mutating func crash(using random: inout SeededGenerator) {
    for block in pending.keys.sorted() {
      let versions = pending[block] ?? []
      let survivor = random.pick(0...versions.count)
      if survivor > 0 { durable[block] = versions[survivor - 1].bytes }
    }
    pending.removeAll()
    visible = durable
  }

  private mutating func makeDurable(_ block: UInt64, upTo version: UInt64) {
    guard let last = pending[block]?.last(where: { $0.number <= version }) else { return }
    durable[block] = last.bytes
    forget(block, upTo: version)
  }

  private mutating func forget(_ block: UInt64, upTo version: UInt64) {
    let rest = (pending[block] ?? []).filter { $0.number > version }
    pending[block] = rest.isEmpty ? nil : rest
  }
}
