/// The memory a reactor moves data through: buffers of a few sizes, kept for reuse, never more than
/// the budget. A reactor's own, so it needs no lock.
///
/// When the budget is used up `allocate` answers nil, and the command that asked is told BUSY:
/// memory never grows past what the administrator allowed, whatever the initiators ask for.
public final class BufferPool {
  /// 4 KiB … 16 MiB by fours: a block, a page of answers, the usual bursts, the largest transfer.
  static let capacities = [4, 16, 64, 256, 1024, 4096, 16384].map { $0 * 1024 }

  /// The most one allocation may ask for.
  public static let largestBufferBytes = 16384 * 1024

  public let budgetBytes: Int

  /// What one user of many may have lent: half of what there is, so that nobody keeps all others
  /// from theirs.
  public var shareBytesMax: Int { budgetBytes / 2 }

  /// The largest buffer of those that one user can have.
  public let largestShareBytes: Int

  /// What commands always leave of the budget, so that a login, which needs little, is never kept
  /// out by them: an eighth. Those who have not logged in yet hold no more than that.
  public var connectionReserveBytes: Int { budgetBytes / 8 }

  /// What `allocateFromReserve` may have over the budget, for the few small commands that must be
  /// served when others have used all of it up.
  public static let reserveBytes = 1 << 20
  /// Bytes of all buffers in existence that are not of the reserve, lent or free: at most the
  /// budget.
  public private(set) var reservedBytes = 0
  /// Bytes of the buffers lent out now, those of the reserve among them.
  public private(set) var lentBytes = 0
  /// Bytes of the buffers of the reserve, all of which are lent: at most `reserveBytes`.
  private var reserveLentBytes = 0
  /// The size class of buffers of the reserve, which are not kept for reuse.
  private static let reserveClass = -1
  private var free: [[Buffer]]

  public init(budgetBytes: Int) {
    self.budgetBytes = budgetBytes
    largestShareBytes =
      BufferPool.capacities.last { $0 <= budgetBytes / 2 } ?? BufferPool.capacities[0]
    free = BufferPool.capacities.map { _ in [] }
  }

  /// What a buffer for `byteCount` bytes holds; 0 for none.
  public static func capacity(holding byteCount: Int) -> Int {
    guard byteCount > 0 else { return 0 }
    return capacities.first { $0 >= byteCount } ?? largestBufferBytes
  }

  /// A buffer of at least `byteCount` bytes, or nil when the budget is used up. Contents arbitrary.
  public func allocate(_ byteCount: Int) -> Buffer? {
    guard let sizeClass = BufferPool.capacities.firstIndex(where: { $0 >= byteCount }) else {
      return nil
    }
    guard let buffer = free[sizeClass].popLast() ?? create(sizeClass) else { return nil }
    lentBytes += buffer.capacity
    return buffer
  }

  /// As `allocate`, for a command; `userBytes` is what the commands of the same user have already,
  /// such as those of one logical unit, whose disk may never give them back.
  ///
  /// Who has something gets more only while as much is left as it then has. So one user has half of
  /// the budget at most, n who all want everything have 1/(n + 1) each, and there is always
  /// something left for who has nothing yet. `leftBytesMin` is left whoever asks: what connections
  /// need, if not more.
  public func allocateForCommand(
    _ byteCount: Int, userBytes: Int, leftBytesMin: Int = 0
  ) -> Buffer? {
    guard let buffer = allocate(byteCount) else { return nil }
    let leftBytes = budgetBytes - lentBytes + reserveLentBytes
    guard leftBytes >= max(connectionReserveBytes, leftBytesMin),
      userBytes == 0 || userBytes + buffer.capacity <= leftBytes
    else {
      release(buffer)
      return nil
    }
    return buffer
  }

  /// A buffer of the smallest size that is not of the budget, and so leaves connections theirs: for
  /// who has found no other.
  public func allocateFromReserve(_ byteCount: Int) -> Buffer? {
    let capacity = BufferPool.capacities[0]
    guard byteCount <= capacity, reserveLentBytes + capacity <= BufferPool.reserveBytes,
      let buffer = Buffer(capacity: capacity, sizeClass: BufferPool.reserveClass)
    else { return nil }
    reserveLentBytes += capacity
    lentBytes += capacity
    return buffer
  }

  /// Takes a buffer back; nobody may use it afterwards.
  public func release(_ buffer: Buffer) {
    lentBytes -= buffer.capacity
    precondition(lentBytes >= 0, "a buffer was released twice")
    // The reserve is not lent to others.
    if buffer.sizeClass == BufferPool.reserveClass {
      reserveLentBytes -= buffer.capacity
    } else {
      free[buffer.sizeClass].append(buffer)
    }
  }

  private func create(_ sizeClass: Int) -> Buffer? {
    let capacity = BufferPool.capacities[sizeClass]
    if reservedBytes + capacity > budgetBytes { discardFreeBuffers(toGain: capacity) }
    guard reservedBytes + capacity <= budgetBytes,
      let buffer = Buffer(capacity: capacity, sizeClass: sizeClass)
    else { return nil }
    reservedBytes += capacity
    return buffer
  }

  /// Frees buffers of other sizes, largest first, until `byteCount` fits in the budget.
  private func discardFreeBuffers(toGain byteCount: Int) {
    for sizeClass in free.indices.reversed() {
      while reservedBytes + byteCount > budgetBytes, free[sizeClass].popLast() != nil {
        reservedBytes -= BufferPool.capacities[sizeClass]
      }
    }
  }
}
