internal import CLinux
public import Glibc

/// A fixed-capacity list of memory ranges that one receive fills or one send empties, in the
/// kernel's own layout, so that an operation costs no conversion.
///
/// It points into buffers and does not keep them alive: its owner does, until the operation
/// completes.
@safe
public final class ScatterGatherList {
  private let vectors: UnsafeMutablePointer<iovec>
  private let header: UnsafeMutablePointer<msghdr>
  public let capacity: Int
  private var start = 0
  private var end = 0
  /// Bytes in all ranges that are left.
  public private(set) var byteCount = 0

  public init(capacity: Int) {
    precondition(capacity > 0 && capacity <= 1024, "IOV_MAX is 1024")
    self.capacity = capacity
    unsafe vectors = .allocate(capacity: capacity)
    unsafe header = .allocate(capacity: 1)
    unsafe header.initialize(to: msghdr())
  }

  deinit {
    unsafe vectors.deallocate()
    unsafe header.deallocate()
  }

  public var isEmpty: Bool { start == end }
  /// How many more ranges fit.
  public var room: Int { capacity - end }

  public func append(_ slice: BufferSlice) {
    guard slice.count > 0 else { return }
    precondition(end < capacity, "the list is full")
    unsafe vectors[end] = iovec(iov_base: slice.unsafeAddress, iov_len: slice.count)
    end += 1
    byteCount += slice.count
  }

  public func removeAll() {
    start = 0
    end = 0
    byteCount = 0
  }

  /// Drops the first `count` bytes: they were sent.
  public func advance(by count: Int) {
    precondition(count >= 0 && count <= byteCount)
    byteCount -= count
    var rest = count
    while rest > 0 {
      // start < end: `rest` bytes are left in the ranges, by the precondition.
      let length = unsafe vectors[start].iov_len
      guard rest < length else {
        rest -= length
        start += 1
        continue
      }
      unsafe vectors[start].iov_base += rest
      unsafe vectors[start].iov_len -= rest
      rest = 0
    }
  }

  /// The list as the kernel takes it. Valid until the list changes.
  var unsafeMessageHeader: UnsafeMutablePointer<msghdr> {
    unsafe header.pointee.msg_iov = vectors + start
    unsafe header.pointee.msg_iovlen = end - start
    return unsafe header
  }

  /// The ranges that are left, for engines that copy.
  public var unsafeVectors: UnsafeMutableBufferPointer<iovec> {
    unsafe UnsafeMutableBufferPointer(start: vectors + start, count: end - start)
  }
}
