internal import CLinux
public import Reactor

/// A store in memory, for tests and scratch disks. Pages that were never written cost nothing, and
/// deallocated ones are given back. Its content ends with it.
///
/// Commands that overlap in time and place see a mixture of old and new, as on any disk. A write is
/// atomic for whoever sees to it that no other command overlaps it: there is no crash that leaves a
/// part of it, for none leaves anything.
public final class MemoryStore: Store {
  public let geometry: StoreGeometry
  public let capabilities: StoreCapabilities
  public var readiness: StoreReadiness { .ready }

  private let memory: AnonymousMemory

  /// `sizeBytes` is a multiple of the block size. `anchors`: pages that are zeroed are kept, which
  /// clears each of them on the reactor, and so is only for small stores.
  public init(
    sizeBytes: UInt64, logicalBlockBytes: UInt32 = 512, anchors: Bool = false
  ) throws(StoreError) {
    let options = StoreOptions(
      path: "memory store", sizeBytes: sizeBytes, logicalBlockBytes: logicalBlockBytes)
    try options.validate()
    do { memory = try AnonymousMemory(byteCount: Int(sizeBytes)) } catch {
      throw StoreError(options.path, .system(call: "mmap of \(sizeBytes) bytes", error))
    }
    geometry = StoreGeometry(
      capacityBytes: sizeBytes, logicalBlockBytes: logicalBlockBytes,
      physicalBlockBytes: max(4096, logicalBlockBytes))
    capabilities = StoreCapabilities(
      canPunchHoles: true, canZeroRanges: true, canAnchor: anchors, atomicWriteBytesMax: 1 << 20)
  }

  public func start(_ request: StoreRequest, on reactor: Reactor) {
    let offset = Int(clamping: request.offset)
    switch request.operation {
    case .read: memory.read(into: request.slice, at: offset)
    case .write: memory.write(from: request.slice, at: offset)
    case .synchronize: break
    case .findExtents:
      request.noteExtents(memory.extents(at: offset, count: Int(clamping: request.count)))
    case .zeroRange where capabilities.canAnchor:
      memory.anchor(at: offset, count: Int(clamping: request.count))
    case .punchHole, .zeroRange: memory.zero(at: offset, count: Int(clamping: request.count))
    }
    request.finishLater(nil, on: reactor)
  }
}

/// Zeroed pages of this process.
@safe
private final class AnonymousMemory: @unchecked Sendable {
  // Sendable: the addresses never change, and the bytes are as free for all as a disk's.
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int
  /// A byte for each page, its `Mark`. What the kernel has mapped tells less: pages that were only
  /// read count there, and those swapped out do not. Marked after the write, cleared before the
  /// page is given back, so that data never lies in a page without a mark.
  private let marks: UnsafeMutableRawPointer
  private let pageCount: Int

  init(byteCount: Int) throws(SystemError) {
    let pageCount = (byteCount + AnonymousMemory.pageBytes - 1) / AnonymousMemory.pageBytes
    let base = try unsafe AnonymousMemory.map(byteCount)
    do throws(SystemError) { try unsafe marks = AnonymousMemory.map(pageCount) } catch {
      unsafe munmap(base, byteCount)
      throw error
    }
    unsafe self.base = base
    self.byteCount = byteCount
    self.pageCount = pageCount
  }

  private static func map(_ byteCount: Int) throws(SystemError) -> UnsafeMutableRawPointer {
    let address = unsafe mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address = unsafe address, Int(bitPattern: address) != -1 else {
      throw SystemError.last
    }
    return unsafe address
  }

  deinit {
    unsafe munmap(base, byteCount)
    unsafe munmap(marks, pageCount)
  }

  private func check(_ offset: Int, _ count: Int) {
    precondition(
      offset >= 0 && count >= 0 && offset <= byteCount - count,
      "a device server admits only what lies within the capacity")
  }

  func read(into slice: BufferSlice, at offset: Int) {
    check(offset, slice.count)
    unsafe slice.unsafeAddress.copyMemory(from: base + offset, byteCount: slice.count)
  }

  func write(from slice: BufferSlice, at offset: Int) {
    check(offset, slice.count)
    unsafe (base + offset).copyMemory(from: slice.unsafeAddress, byteCount: slice.count)
    guard slice.count > 0 else { return }
    let page = offset / AnonymousMemory.pageBytes
    let last = (offset + slice.count - 1) / AnonymousMemory.pageBytes
    unsafe memset(marks + page, Int32(Mark.written.rawValue), last - page + 1)
  }

  /// What has become of a page since it was last given back.
  private enum Mark: UInt8 {
    case none = 0
    case written = 1
    /// Nobody has written to it, but it is kept.
    case kept = 2

    var state: StoreExtent.State {
      switch self {
      case .none: .deallocated
      case .written: .mapped
      case .kept: .anchored
      }
    }
  }

  private static let pageBytes = 4096

  /// How far a search looks at a time: 4 GiB, about a millisecond.
  private static let searchPagesMax = 1 << 20

  /// From `offset` on, as far as a search goes.
  func extents(at offset: Int, count: Int) -> [StoreExtent] {
    check(offset, count)
    guard count > 0 else { return [] }
    let pageBytes = AnonymousMemory.pageBytes
    let end = offset + count
    let first = offset / pageBytes
    let last = min((end - 1) / pageBytes, first + AnonymousMemory.searchPagesMax - 1)
    var extents: [StoreExtent] = []
    var begin = first
    for page in first...last {
      guard page == last || mark(page + 1) != mark(begin) else { continue }
      let start = max(begin * pageBytes, offset)
      extents.append(
        StoreExtent(
          offset: UInt64(start), count: UInt64(min((page + 1) * pageBytes, end) - start),
          mark(begin).state))
      begin = page + 1
      if extents.count == StoreRequest.extentCountMax { break }
    }
    return extents
  }

  private func mark(_ page: Int) -> Mark {
    unsafe Mark(rawValue: marks.load(fromByteOffset: page, as: UInt8.self)) ?? .written
  }

  /// Clears the range, and keeps its whole pages: those that were never written, too. They are
  /// marked first: who writes meanwhile marks them afterwards.
  func anchor(at offset: Int, count: Int) {
    check(offset, count)
    let page = AnonymousMemory.pageBytes
    let firstPage = (offset + page - 1) / page
    let endPage = (offset + count) / page
    if firstPage < endPage {
      unsafe memset(marks + firstPage, Int32(Mark.kept.rawValue), endPage - firstPage)
    }
    unsafe memset(base + offset, 0, count)
  }

  /// Gives whole pages back, which then read as zeros, and clears what is left at the edges.
  func zero(at offset: Int, count: Int) {
    check(offset, count)
    let page = AnonymousMemory.pageBytes
    let end = offset + count
    let firstPage = (offset + page - 1) / page * page
    let endPage = end / page * page
    if firstPage < endPage {
      unsafe memset(marks + firstPage / page, 0, (endPage - firstPage) / page)
    }
    guard firstPage < endPage,
      unsafe madvise(base + firstPage, endPage - firstPage, MADV_DONTNEED) == 0
    else {
      unsafe memset(base + offset, 0, count)
      return
    }
    unsafe memset(base + offset, 0, firstPage - offset)
    unsafe memset(base + endPage, 0, end - endPage)
  }
}
