internal import CLinux
internal import Reactor

// What stores ask of their files and block devices.
extension FileDescriptor {
  /// Claims a block device (O_EXCL). A former owner that is being closed gives its lock back a
  /// moment before its claim, so EBUSY is believed only after a second.
  static func claim(_ path: String, _ flags: Int32) throws(SystemError) -> FileDescriptor {
    for _ in 1..<claimAttemptsMax {
      do throws(SystemError) { return try open(path, flags | O_EXCL) } catch {
        guard error == .busy else { throw error }
      }
      usleep(20_000)
    }
    return try open(path, flags | O_EXCL)
  }

  private static let claimAttemptsMax = 50

  /// Makes this descriptor's number name `other`'s description; the old one is closed, and its lock
  /// released.
  func become(_ other: consuming FileDescriptor) throws(SystemError) {
    try check { dup3(other.rawValue, rawValue, O_CLOEXEC) }
  }

  func status() throws(SystemError) -> FileStatus {
    var status = stat()
    try check { unsafe fstat(rawValue, &status) }
    return FileStatus(status)
  }

  /// The path that the kernel has for the open file now; nil: it does not tell.
  var currentPath: String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/fd/\(rawValue)", &bytes, Int(PATH_MAX))
    guard count > 0 else { return nil }
    return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: Lock

  /// Takes the lock of the open file description, which the kernel keeps until the last operation
  /// on it has ended, also when the process is gone. False: somebody else holds it.
  func tryLock(isShared: Bool) throws(SystemError) -> Bool {
    do {
      try check { flock(rawValue, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) }
      return true
    } catch {
      guard error == .wouldBlock else { throw error }
      return false
    }
  }

  func unlock() { _ = flock(rawValue, LOCK_UN) }

  // MARK: Size

  func setSize(_ bytes: UInt64) throws(SystemError) {
    try check { ftruncate(rawValue, off_t(bytes)) }
  }

  func synchronize() throws(SystemError) {
    try check { fsync(rawValue) }
  }

  // MARK: Abilities

  /// Whether the file itself is made of extents, of a file system whose preallocated ones take no
  /// more space when they are written.
  var isPreallocatable: Bool { clinux_is_preallocatable(rawValue) != 0 }

  /// Whether the file system knows `mode` (of fallocate(2)) at `offset`.
  func allows(_ mode: Int32, at offset: UInt64, count: Int) -> Bool {
    (try? check { fallocate(rawValue, mode | FALLOC_FL_KEEP_SIZE, off_t(offset), off_t(count)) })
      != nil
  }

  /// What O_DIRECT demands of offsets and lengths here, in bytes: 0 when it is impossible, nil when
  /// the kernel does not tell (statx(2), STATX_DIOALIGN).
  func directAlignment() -> UInt32? {
    var attributes = statx()
    let answer = unsafe statx(
      rawValue, "", AT_EMPTY_PATH, UInt32(STATX_DIOALIGN), &attributes)
    guard answer == 0, attributes.stx_mask & UInt32(STATX_DIOALIGN) != 0 else { return nil }
    return attributes.stx_dio_offset_align
  }

  func deviceSizeBytes() throws(SystemError) -> UInt64 {
    var bytes: UInt64 = 0
    try check { unsafe clinux_block_size_bytes(rawValue, &bytes) }
    return bytes
  }

  /// Nil: it is no loop device, or is on nothing.
  func loopBacking() -> LoopBacking? {
    var backing = clinux_loop_backing()
    guard unsafe clinux_loop_backing_of(rawValue, &backing) == 0 else { return nil }
    let isDevice = backing.number != 0 && backing.number != backing.device
    return LoopBacking(
      identity: isDevice
        ? .blockDevice(number: backing.number)
        : .file(device: backing.device, inode: backing.inode),
      isPart: backing.offset != 0 || backing.size_limit != 0)
  }

  func logicalSectorBytes() throws(SystemError) -> UInt32 {
    var bytes: Int32 = 0
    try check { unsafe clinux_block_logical_sector_bytes(rawValue, &bytes) }
    return UInt32(clamping: bytes)
  }

  func physicalSectorBytes() throws(SystemError) -> UInt32 {
    var bytes: UInt32 = 0
    try check { unsafe clinux_block_physical_sector_bytes(rawValue, &bytes) }
    return bytes
  }

  /// Repeats a call that a signal interrupted.
  func check(_ call: () -> Int32) throws(SystemError) {
    while call() < 0 {
      let error = SystemError.last
      guard error == .interrupted else { throw error }
    }
  }
}

/// What stat(2) says, as far as stores care.
struct FileStatus {
  let type: Int32
  let sizeBytes: UInt64
  /// What it takes on its file system; 0 as long as nobody has written to it.
  let allocatedBytes: UInt64
  /// How many names it has.
  let linkCount: UInt64
  let preferredBlockBytes: UInt32
  let identity: StoreIdentity
  let deviceNumber: UInt64

  init(_ status: stat) {
    type = Int32(status.st_mode & mode_t(S_IFMT))
    sizeBytes = UInt64(clamping: status.st_size)
    allocatedBytes = UInt64(clamping: status.st_blocks) * 512  // stat(3type)
    linkCount = UInt64(status.st_nlink)
    preferredBlockBytes = UInt32(clamping: status.st_blksize)
    deviceNumber = UInt64(status.st_rdev)
    identity =
      type == S_IFBLK
      ? .blockDevice(number: UInt64(status.st_rdev))
      : .file(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// nil when nothing is there.
  static func of(_ path: String, followsLink: Bool) throws(SystemError) -> FileStatus? {
    var status = stat()
    let answer = unsafe followsLink ? stat(path, &status) : lstat(path, &status)
    if answer == 0 { return FileStatus(status) }
    let error = SystemError.last
    guard error == .noSuchFile else { throw error }
    return nil
  }

  var kind: StoreKind? {
    switch type {
    case S_IFREG: .file
    case S_IFBLK: .blockDevice
    default: nil
    }
  }

  var typeName: String {
    switch type {
    case S_IFDIR: "directory"
    case S_IFCHR: "character device"
    case S_IFIFO: "FIFO"
    case S_IFSOCK: "socket"
    case S_IFLNK: "symbolic link"
    default: "special file"
    }
  }
}
