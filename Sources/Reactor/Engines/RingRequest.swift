internal import CLinux
internal import Glibc

/// A storage operation that io_uring may have to do on one of its workers, the threads that the
/// kernel gives a ring for what cannot be done without waiting.
///
/// Reads and writes past the page cache are first told not to wait (RWF_NOWAIT), and need no worker
/// unless they fail for that. All others here need one from the beginning.
@safe
struct RingRequest {
  enum Call {
    case read
    case write(isDurable: Bool)
    case synchronize
    case allocate(AllocationMode)
  }

  let file: FileHandle
  let id: OperationID
  /// Whether it has a worker if it needs one: see `UringEngine.workers`.
  var mayWait: Bool
  private let call: Call
  private let bytes: UnsafeMutableRawPointer?
  private let offset: UInt64
  private let count: UInt64

  /// The range ends at Int.max at most. The slice's memory is the operation's until its completion.
  init(
    _ call: Call, _ file: FileHandle, _ slice: BufferSlice, at offset: UInt64, id: OperationID
  ) {
    self.call = call
    self.file = file
    self.id = id
    self.offset = offset
    mayWait = file.isBuffered || !file.takesNoWait
    unsafe bytes = slice.unsafeAddress
    count = UInt64(slice.count)
  }

  /// The range ends at Int.max at most.
  init(
    _ call: Call, _ file: FileHandle, at offset: UInt64 = 0, count: UInt64 = 0, id: OperationID
  ) {
    self.call = call
    self.file = file
    self.id = id
    self.offset = offset
    self.count = count
    mayWait = true
    unsafe bytes = nil
  }

  func prepare(_ entry: UnsafeMutablePointer<io_uring_sqe>) {
    let descriptor = file.rawValue
    let flags = mayWait ? 0 : RWF_NOWAIT
    switch call {
    case .read:
      unsafe clinux_ring_prepare_read(entry, descriptor, bytes, UInt32(count), offset, flags)
    case .write(let isDurable):
      unsafe clinux_ring_prepare_write(
        entry, descriptor, bytes, UInt32(count), offset, flags | (isDurable ? RWF_DSYNC : 0))
    case .synchronize:
      unsafe io_uring_prep_fsync(entry, descriptor, IORING_FSYNC_DATASYNC)
    case .allocate(let mode):
      unsafe io_uring_prep_fallocate(
        entry, descriptor, mode.kernelMode, off_t(offset), off_t(count))
    }
  }
}
