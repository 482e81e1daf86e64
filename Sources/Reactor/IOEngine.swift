/// The seam between the program and the kernel: everything a reactor ever asks of the outside
/// world.
///
/// An engine belongs to one reactor and is used on that reactor's thread only (but for its
/// `waker`). Operations are queued, not performed: `wait` submits all that are pending at once.
/// Each operation ends in exactly one completion that carries its `OperationID`; a cancelled one
/// too. The memory an operation names must stay valid until then: **the completion, never the
/// cancellation, ends the kernel's interest in it.**
public protocol IOEngine: AnyObject {
  var kind: EngineKind { get }

  /// The monotonic clock (simulated time in a simulation).
  var now: MonotonicTime { get }

  /// Interrupts a `wait` of this engine, from any thread.
  var waker: any EngineWaker { get }

  // MARK: Network

  /// Takes one connection; the completion's value is the new socket.
  func accept(on listener: SocketHandle, id: OperationID)

  /// Readies a socket just accepted for use as a connection and says who is at its ends; nil if the
  /// peer is gone already.
  func prepare(_ socket: SocketHandle) -> ConnectionEnds?

  /// Forgets a socket that goes on at another engine. No operation may be pending on it.
  func detach(_ socket: SocketHandle)

  /// Receives what is there, at least one byte, into `list`. 0 means the peer closed.
  func receive(on socket: SocketHandle, into list: ScatterGatherList, id: OperationID)

  /// Sends `list`; may end short, the caller advances the list and sends the rest.
  func send(on socket: SocketHandle, from list: ScatterGatherList, id: OperationID)

  /// Ends both directions: pending receives and sends of this socket complete soon after.
  func shutDown(_ socket: SocketHandle)

  /// What TCP knows of a connection's peer, by a system call; nil: nothing.
  func transmission(of socket: SocketHandle) -> TransmissionState?

  /// Gives the socket back. No operation may be pending on it.
  func close(_ socket: SocketHandle)

  // MARK: Storage

  func read(_ file: FileHandle, into slice: BufferSlice, at offset: UInt64, id: OperationID)

  /// Writes; with `isDurable` the data is on stable storage when it completes (RWF_DSYNC).
  func write(
    _ file: FileHandle, from slice: BufferSlice, at offset: UInt64, isDurable: Bool,
    id: OperationID)

  /// fdatasync(2): every write completed before is on stable storage when it completes.
  func synchronize(_ file: FileHandle, id: OperationID)

  /// fallocate(2) in one of the modes that a block device or a file may know.
  func allocate(
    _ file: FileHandle, _ mode: AllocationMode, at offset: UInt64, count: UInt64, id: OperationID)

  // MARK: Turn

  /// Submits everything pending, then waits until there is a completion, a wake-up, or `deadline`
  /// (nil: no deadline; a past one: do not wait), and appends what has completed.
  func wait(until deadline: MonotonicTime?, completions: inout [Completion])

  /// Appends what has ended since `wait` without it, so that the answers leave in the same turn.
  func takeEnded(into completions: inout [Completion])

  // MARK: Pace

  /// Lets the next `wait` collect completions for so long before it returns the first; 0: not at
  /// all.
  func gather(for nanoseconds: UInt32)
}

extension IOEngine {
  /// An engine without TCP knows nothing.
  public func transmission(of socket: SocketHandle) -> TransmissionState? { nil }
  /// Nothing ends without `wait` unless the engine says so.
  public func takeEnded(into completions: inout [Completion]) {}
  /// An engine that cannot wait so exactly does not.
  public func gather(for nanoseconds: UInt32) {}
}

/// The two addresses of a TCP connection.
public struct ConnectionEnds: Sendable, Equatable {
  public let local: SocketAddress
  public let peer: SocketAddress

  public init(local: SocketAddress, peer: SocketAddress) {
    self.local = local
    self.peer = peer
  }

  /// As the kernel knows them, with the options of every connection set on the way.
  init?(preparing socket: SocketHandle) {
    guard let local = SocketAddress(of: socket), let peer = SocketAddress(peerOf: socket),
      (try? SocketOptions.apply(to: socket)) != nil
    else { return nil }
    self.init(local: local, peer: peer)
  }
}

/// Wakes the thread that sits in an engine's `wait`.
public protocol EngineWaker: Sendable {
  func wake()
}

public enum EngineKind: String, Sendable {
  case uring, aio, simulated
}

/// A socket that an engine knows: a file descriptor, or a number of the simulation's.
public struct SocketHandle: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// An open file or block device.
public struct FileHandle: Hashable, Sendable, BitwiseCopyable {
  public let rawValue: Int32
  /// Opened without O_DIRECT: reads and writes go through the page cache.
  public let isBuffered: Bool
  /// What hangs as one: calls for a device that hangs never hold up those for another.
  public let device: DeviceNumber

  @inlinable
  public init(rawValue: Int32, isBuffered: Bool, device: DeviceNumber) {
    self.rawValue = rawValue
    self.isBuffered = isBuffered
    self.device = device
  }
}

/// A block device (stat(2)'s st_rdev), or what a file's file system is on (st_dev).
public struct DeviceNumber: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt64
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What to do to a range of a file (the modes of fallocate(2)).
public enum AllocationMode: UInt8, Sendable {
  /// Deallocate; reads as zeros afterwards (FALLOC_FL_PUNCH_HOLE | KEEP_SIZE).
  case punchHole
  /// Zeros, preferably by metadata alone (FALLOC_FL_ZERO_RANGE | KEEP_SIZE).
  case zeroRange
}

/// Names an operation in flight: slot and generation of the reactor's table. Opaque to engines.
public struct OperationID: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt64
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The end of one operation.
public struct Completion: Sendable, BitwiseCopyable {
  public var id: OperationID
  public var result: OperationResult

  @inlinable
  public init(id: OperationID, result: OperationResult) {
    self.id = id
    self.result = result
  }
}

/// A byte count or handle, or the errno of a failure, as the kernel packs them into one integer.
public struct OperationResult: RawRepresentable, Equatable, Sendable, BitwiseCopyable {
  public let rawValue: Int32

  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }

  @inlinable
  public static func failure(_ error: SystemError) -> OperationResult {
    OperationResult(rawValue: -error.rawValue)
  }

  /// The count or handle of a success; nil for a failure.
  @inlinable
  public var value: Int? { rawValue >= 0 ? Int(rawValue) : nil }

  @inlinable
  public var error: SystemError? { rawValue < 0 ? SystemError(rawValue: 0 &- rawValue) : nil }
}

/// Nanoseconds of the monotonic clock.
public struct MonotonicTime: RawRepresentable, Comparable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt64
  @inlinable
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable
  public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
    left.rawValue < right.rawValue
  }

  @inlinable
  public static func + (time: MonotonicTime, milliseconds: Milliseconds) -> MonotonicTime {
    MonotonicTime(rawValue: time.rawValue &+ UInt64(milliseconds.rawValue) &* 1_000_000)
  }

  /// How long after `earlier`; zero if it is not after it.
  @inlinable
  public func milliseconds(since earlier: MonotonicTime) -> Milliseconds {
    guard rawValue > earlier.rawValue else { return Milliseconds(0) }
    return Milliseconds(UInt32(clamping: (rawValue - earlier.rawValue) / 1_000_000))
  }
}

/// A span of time, up to 49 days.
public struct Milliseconds: RawRepresentable, Comparable, Hashable, Sendable, BitwiseCopyable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  @inlinable
  public init(_ value: UInt32) { rawValue = value }

  @inlinable
  public static func seconds(_ count: UInt32) -> Milliseconds { Milliseconds(count * 1000) }

  @inlinable
  public static func + (left: Milliseconds, right: Milliseconds) -> Milliseconds {
    Milliseconds(UInt32(clamping: UInt64(left.rawValue) + UInt64(right.rawValue)))
  }

  /// As long, or so much longer that it ends on a multiple of `grid` of the clock.
  public func roundedUp(to grid: Milliseconds, from now: MonotonicTime) -> Milliseconds {
    guard grid.rawValue > 0 else { return self }
    let end = now.rawValue / 1_000_000 + UInt64(rawValue)
    let late = end % UInt64(grid.rawValue)
    guard late > 0 else { return self }
    return self + Milliseconds(grid.rawValue - UInt32(late))
  }

  @inlinable
  public static func < (left: Milliseconds, right: Milliseconds) -> Bool {
    left.rawValue < right.rawValue
  }
}
