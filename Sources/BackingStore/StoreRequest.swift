public import Reactor

/// One operation on a store, reused for a command's steps one after the other. Belongs to one
/// client for life, so a step costs no allocation.
public final class StoreRequest {
  public enum Operation: UInt8, Sendable {
    case read, write, synchronize, punchHole, zeroRange
    /// Finds out what of a range is mapped; `extents` is the answer.
    case findExtents
  }

  public private(set) var operation: Operation = .read
  /// Where in the store, in bytes.
  public private(set) var offset: UInt64 = 0
  /// How much, in bytes; for `synchronize` zero.
  public private(set) var count: UInt64 = 0
  /// For writes: on stable storage when it ends.
  public private(set) var isDurable = false
  public private(set) var isInFlight = false

  /// What `findExtents` found, ascending, without gaps from the range's start: all of the range, or
  /// as much as a search goes, at most what `extentCountMax` extents cover. Empty: the store cannot
  /// tell.
  public private(set) var extents: [StoreExtent] = []
  /// As many as anybody asks for at a time, and few enough for a hostile file.
  public static let extentCountMax = 1024

  private var buffer: Buffer?
  private var bufferOffset = 0
  private unowned var client: (any StoreClient)?

  /// Who does it and where, while engine operations are on their way.
  private var performer: (any OperationStore)?
  private unowned var reactor: Reactor?
  /// The outcome of a request that needs no (further) operation, until it is told.
  private var outcome: StoreFailure?
  /// How often an operation of this request was interrupted in a row.
  private(set) var interruptions = 0

  public init() {}

  public convenience init(client: any StoreClient) {
    self.init()
    belong(to: client)
  }

  /// Notes the client, once, before the first operation: a client can make its request before
  /// itself.
  public func belong(to client: any StoreClient) { self.client = client }

  // MARK: What to do; the client says it, then starts it

  public func prepareRead(into slice: BufferSlice, at offset: UInt64) {
    prepare(.read, slice, offset, UInt64(slice.count), isDurable: false)
  }

  public func prepareWrite(from slice: BufferSlice, at offset: UInt64, isDurable: Bool) {
    prepare(.write, slice, offset, UInt64(slice.count), isDurable: isDurable)
  }

  public func prepareSynchronize() {
    prepare(.synchronize, nil, 0, 0, isDurable: true)
  }

  /// `operation` is `.punchHole`, `.zeroRange` or `.findExtents`. Durable only after a
  /// `synchronize`, whatever the cache mode.
  public func prepare(_ operation: Operation, at offset: UInt64, count: UInt64) {
    precondition(
      operation == .punchHole || operation == .zeroRange || operation == .findExtents,
      "the others have a preparation of their own")
    prepare(operation, nil, offset, count, isDurable: false)
  }

  private func prepare(
    _ operation: Operation, _ slice: BufferSlice?, _ offset: UInt64, _ count: UInt64,
    isDurable: Bool
  ) {
    precondition(!isInFlight, "a request does one thing at a time")
    self.operation = operation
    buffer = slice?.buffer
    bufferOffset = slice?.offset ?? 0
    self.offset = offset
    self.count = count
    self.isDurable = isDurable
    interruptions = 0
    if !extents.isEmpty { extents = [] }
    isInFlight = true
  }

  /// Takes back what was prepared and has not been started.
  public func takeBack() {
    precondition(isInFlight && performer == nil, "what a store performs is not taken back")
    isInFlight = false
    buffer = nil
  }

  // MARK: For stores

  /// The memory of what is left; for reads and writes only.
  public var slice: BufferSlice {
    guard let buffer else { preconditionFailure("only reads and writes have a buffer") }
    return BufferSlice(buffer, bufferOffset..<bufferOffset + Int(count))
  }

  /// Notes that `done` bytes were transferred, so that the rest can be started.
  public func advance(by done: Int) {
    precondition(done >= 0 && UInt64(done) <= count, "no more is transferred than was asked for")
    bufferOffset += done
    offset += UInt64(done)
    count -= UInt64(done)
  }

  /// Notes what `findExtents` found.
  public func noteExtents(_ found: [StoreExtent]) { extents = found }

  /// Notes who performs the request: the ends of the operations that it starts on `reactor` with
  /// the request as their handler are passed on to `store`, which stays alive until then.
  public func begin(by store: any OperationStore, on reactor: Reactor) {
    precondition(isInFlight && performer == nil, "a request is performed once")
    performer = store
    self.reactor = reactor
  }

  /// Notes an operation that was interrupted before it did anything.
  func noteInterruption() { interruptions += 1 }

  /// Ends the request after the current event, so that `start` has returned when the client hears.
  public func finishLater(_ failure: StoreFailure?, on reactor: Reactor) {
    precondition(isInFlight, "a request ends once")
    outcome = failure
    reactor.complete(
      OperationResult(rawValue: 0), for: self, context: StoreRequest.outcomeContext)
  }

  private static let outcomeContext: UInt32 = 1

  /// Ends the request and tells the client, who may reuse it at once.
  public func finish(_ failure: StoreFailure?) {
    precondition(isInFlight, "a request ends once")
    guard let client else { preconditionFailure("a request has a client") }
    isInFlight = false
    buffer = nil
    performer = nil
    reactor = nil
    outcome = nil
    client.storeRequestEnded(self, failure)
  }
}

extension StoreRequest: OperationHandler {
  public func operationCompleted(_ context: UInt32, _ result: OperationResult) {
    if context == StoreRequest.outcomeContext { return finish(outcome) }
    guard let performer, let reactor else {
      preconditionFailure("an operation ended for a request that nobody performs")
    }
    performer.operationEnded(result, of: self, on: reactor)
  }
}

/// Consecutive bytes of a store that are all in one state.
public struct StoreExtent: Hashable, Sendable {
  /// SBC-3 §4.7.4.
  public enum State: UInt8, Sendable {
    case mapped
    /// Reads as zeros, and its space is reserved: writing to it takes no more.
    case anchored
    /// Reads as zeros and takes no space.
    case deallocated
  }

  public var offset: UInt64
  public var count: UInt64
  public var state: State

  public init(offset: UInt64, count: UInt64, _ state: State) {
    self.offset = offset
    self.count = count
    self.state = state
  }
}

/// A store that performs requests by operations of the reactor's engine, with the request itself as
/// their handler: so a step costs no allocation.
public protocol OperationStore: Store {
  /// The operation started last for `request` ended; start the next or finish the request.
  func operationEnded(_ result: OperationResult, of request: StoreRequest, on reactor: Reactor)
}

/// Owns requests and hears how they ended.
public protocol StoreClient: AnyObject {
  /// nil: all of it was done.
  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?)
}

/// What can go wrong in the world below, as far as it makes a difference to the initiator.
public enum StoreFailure: Error, Sendable, Equatable {
  /// ENOSPC, EDQUOT: 07/27/07.
  case outOfSpace
  /// EIO and what else a device may say of its medium: 03/11/00 reading, 03/0C/00 writing.
  case medium(SystemError)
  /// ENXIO, ENODEV: another path may still reach it, 02/04/03.
  case gone
  /// An earlier sync failed; see `StoreReadiness.latched`.
  case latched
  /// The store cannot do this (EOPNOTSUPP); the caller does it with plain writes.
  case unsupported
  /// ENOMEM and the like: BUSY.
  case shortOfResources
  /// Still waiting for the lock: 02/04/01.
  case notReady
}
