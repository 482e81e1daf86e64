internal import CLinux
public import Reactor

/// A store in memory, for tests and scratch disks. Pages that were never written cost nothing, and
/// deallocated ones are given back. Its content ends with it.
///
/// Commands that overlap in time and place see a mixture of old and new, as on any disk.
public final class MemoryStore: Store {
  public let geometry: StoreGeometry
  public let capabilities = StoreCapabilities(canPunchHoles: true, canZeroRanges: true)
  public var readiness: StoreReadiness { .ready }

  private let memory: AnonymousMemory

  /// `sizeBytes` is a multiple of the block size.
  public init(sizeBytes: UInt64, logicalBlockBytes: UInt32 = 512) throws(StoreError) {
    let options = StoreOptions(
      path: "memory store", sizeBytes: sizeBytes, logicalBlockBytes: logicalBlockBytes)
    try options.validate()
    do { memory = try AnonymousMemory(byteCount: Int(sizeBytes)) } catch {
      throw StoreError(options.path, .system(call: "mmap of \(sizeBytes) bytes", error))
    }
    geometry = StoreGeometry(
      capacityBytes: sizeBytes, logicalBlockBytes: logicalBlockBytes,
      physicalBlockBytes: max(4096, logicalBlockBytes))
  }

  public func start(_ request: StoreRequest, on reactor: Reactor) {
    let offset = Int(clamping: request.offset)
    switch request.operation {
    case .read: memory.read(into: request.slice, at: offset)
    case .write: memory.write(from: request.slice, at: offset)
    case .synchronize: break
    case .punchHole, .zeroRange: memory.zero(at: offset, count: Int(clamping: request.count))
    }
    request.finishLater(nil, on: reactor)
  }
}

/// Zeroed pages of this process.
@safe
private final class AnonymousMemory: @unchecked Sendable {
  // Sendable: the address never changes, and the bytes are as free for all as a disk's.
  private let base: UnsafeMutableRawPointer
  private let byteCount: Int

  init(byteCount: Int) throws(SystemError) {
    let address = unsafe mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address = unsafe address, Int(bitPattern: address) != -1 else {
      throw SystemError.last
    }
    unsafe base = address
    self.byteCount = byteCount
  }

  deinit { unsafe munmap(base, byteCount) }

  private func check(_ offset: Int, _ count: Int) {
    precondition(offset >= 0 && count >= 0 && offset <= byteCount - count)
  }

  func read(into slice: BufferSlice, at offset: Int) {
    check(offset, slice.count)
    unsafe slice.unsafeAddress.copyMemory(from: base + offset, byteCount: slice.count)
  }

  func write(from slice: BufferSlice, at offset: Int) {
    check(offset, slice.count)
    unsafe (base + offset).copyMemory(from: slice.unsafeAddress, byteCount: slice.count)
  }

  private static let pageBytes = 4096

  /// Gives whole pages back, which then read as zeros, and clears what is left at the edges.
  func zero(at offset: Int, count: Int) {
    check(offset, count)
    let page = AnonymousMemory.pageBytes
    let end = offset + count
    let firstPage = (offset + page - 1) / page * page
    let endPage = end / page * page
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
