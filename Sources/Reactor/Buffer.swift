internal import Glibc

/// A piece of page-aligned memory from a `BufferPool`, lent to one owner at a time.
///
/// Pooled memory keeps what its last user left in it: whoever sends a range to a peer has written
/// all of that range first.
@safe
public final class Buffer {
  @usableFromInline let base: UnsafeMutableRawPointer
  public let capacity: Int
  let sizeClass: Int

  init?(capacity: Int, sizeClass: Int) {
    var memory: UnsafeMutableRawPointer?
    guard unsafe posix_memalign(&memory, Buffer.alignmentBytes, capacity) == 0,
      let memory = unsafe memory
    else { return nil }
    unsafe base = memory
    self.capacity = capacity
    self.sizeClass = sizeClass
  }

  deinit { unsafe free(base) }

  /// What O_DIRECT asks of memory on every device with sectors up to 4 KiB.
  static let alignmentBytes = 4096

  /// The bytes of `range`, for reading by code that needs a pointer. Must not outlive the call.
  @inlinable
  public func withUnsafeBytes<Result, Failure: Error>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    return try unsafe body(
      UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// The byte at `offset`.
  @inlinable
  public subscript(offset: Int) -> UInt8 {
    get {
      precondition(offset >= 0 && offset < capacity)
      return unsafe base.load(fromByteOffset: offset, as: UInt8.self)
    }
    set {
      precondition(offset >= 0 && offset < capacity)
      unsafe base.storeBytes(of: newValue, toByteOffset: offset, as: UInt8.self)
    }
  }

  /// The `count` bytes at `offset` as a value, such as a PDU header.
  @inlinable
  public func load<let count: Int>(_ type: InlineArray<count, UInt8>.Type, at offset: Int)
    -> InlineArray<count, UInt8>
  {
    precondition(offset >= 0 && offset + count <= capacity)
    // An array of bytes has alignment 1 and every bit pattern is valid.
    return unsafe (base + offset).loadUnaligned(as: type)
  }

  @inlinable
  public func store<let count: Int>(_ bytes: InlineArray<count, UInt8>, at offset: Int) {
    precondition(offset >= 0 && offset + count <= capacity)
    unsafe (base + offset).storeBytes(of: bytes, as: InlineArray<count, UInt8>.self)
  }

  public func store(_ bytes: [UInt8], at offset: Int) {
    precondition(offset >= 0 && offset + bytes.count <= capacity)
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe (base + offset).copyMemory(from: start, byteCount: source.count)
    }
  }

  /// Copies `count` bytes from `source`; the two may be the same buffer and overlap.
  @inlinable
  public func copy(from source: Buffer, at sourceOffset: Int, to offset: Int, count: Int) {
    precondition(count >= 0 && sourceOffset >= 0 && sourceOffset + count <= source.capacity)
    precondition(offset >= 0 && offset + count <= capacity)
    unsafe (base + offset).copyMemory(from: source.base + sourceOffset, byteCount: count)
  }

  /// Sets in `count` bytes at `offset` every bit that is set in those of `source`, another buffer.
  public func formUnion(with source: Buffer, at sourceOffset: Int, to offset: Int, count: Int) {
    precondition(count >= 0 && sourceOffset >= 0 && sourceOffset + count <= source.capacity)
    precondition(offset >= 0 && offset + count <= capacity && source !== self)
    var done = 0
    while done + 8 <= count {
      let added = unsafe (source.base + sourceOffset + done).loadUnaligned(as: UInt64.self)
      let present = unsafe (base + offset + done).loadUnaligned(as: UInt64.self)
      unsafe (base + offset + done).storeBytes(of: present | added, as: UInt64.self)
      done += 8
    }
    while done < count {
      self[offset + done] |= source[sourceOffset + done]
      done += 1
    }
  }

  public func fill(_ range: Range<Int>, with byte: UInt8) {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    unsafe memset(base + range.lowerBound, Int32(byte), range.count)
  }

  /// A copy of `range`, for the slow paths.
  public func bytes(_ range: Range<Int>) -> [UInt8] {
    unsafe withUnsafeBytes(range) { unsafe [UInt8]($0) }
  }

  /// Whether two ranges of equal length hold the same bytes.
  public func equals(_ offset: Int, _ other: Buffer, at otherOffset: Int, count: Int) -> Bool {
    precondition(count >= 0 && offset >= 0 && offset + count <= capacity)
    precondition(otherOffset >= 0 && otherOffset + count <= other.capacity)
    return unsafe memcmp(base + offset, other.base + otherOffset, count) == 0
  }

  public func slice(_ range: Range<Int>) -> BufferSlice { BufferSlice(self, range) }
}

/// A range of a buffer, as operations take it. Keeps the buffer alive.
public struct BufferSlice {
  public let buffer: Buffer
  public let offset: Int
  public let count: Int

  @inlinable
  public init(_ buffer: Buffer, _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.capacity)
    self.buffer = buffer
    offset = range.lowerBound
    count = range.count
  }

  /// Without its first `count` bytes: what is left after a short read or write.
  public func dropFirst(_ count: Int) -> BufferSlice {
    BufferSlice(buffer, offset + count..<offset + self.count)
  }

  /// Where the range starts, for an engine. Valid while the buffer is alive.
  @inlinable
  public var unsafeAddress: UnsafeMutableRawPointer { unsafe buffer.base + offset }
}
