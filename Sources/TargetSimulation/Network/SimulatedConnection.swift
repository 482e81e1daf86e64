internal import Bytes
internal import Reactor

/// A TCP connection: two streams, and the state of the end that the target's kernel keeps. The
/// other end is its `peer`.
final class SimulatedConnection: ByteStreamOwner {
  let number: UInt64
  let localAddress: String
  let peerAddress: String
  private unowned let world: SimulatedWorld
  unowned let peer: SimulatedPeer

  private(set) lazy var toTarget = ByteStream(
    world: world, owner: self, sendBufferBytes: .max, receiveBufferBytes: options.bufferBytes)
  private(set) lazy var toPeer = ByteStream(
    world: world, owner: self, sendBufferBytes: options.bufferBytes,
    receiveBufferBytes: options.bufferBytes)

  private let options: ConnectionOptions
  private var receives = Queue<SocketTransfer>()
  private var sends = Queue<SocketTransfer>()
  private var isShutDown = false
  private var isClosedByTarget = false
  private var isReset = false
  private var hasReportedReset = false
  private var isCut = false

  init(
    world: SimulatedWorld, peer: SimulatedPeer, number: UInt64, options: ConnectionOptions,
    localAddress: String, peerAddress: String
  ) {
    self.world = world
    self.peer = peer
    self.number = number
    self.options = options
    self.localAddress = localAddress
    self.peerAddress = peerAddress
    toTarget.fragmentation = options.toTarget
    toPeer.fragmentation = options.toPeer
  }

  // MARK: The target's operations

  func receive(_ transfer: SocketTransfer) {
    precondition(
      transfer.list.byteCount > 0, "a receive without memory cannot be told from the end")
    receives.append(transfer)
    serveReceives()
  }

  /// The kernel reads the memory some time after the operation was queued, not at once.
  func send(_ transfer: SocketTransfer) {
    precondition(transfer.list.byteCount > 0, "a send of nothing")
    sends.append(transfer)
    world.schedule(afterNanoseconds: world.random.pick(world.latencies.completion)) { [self] in
      serveSends()
    }
  }

  func shutDownByTarget() {
    isShutDown = true
    if !toPeer.isEnding { toPeer.end() }
    serveReceives()
    serveSends()
  }

  /// Linux answers a close with unread data by a reset (RFC 2525 §2.17), else the end follows what
  /// was sent.
  func closeByTarget() {
    precondition(receives.isEmpty && sends.isEmpty, "an operation is pending on a closed socket")
    isClosedByTarget = true
    world.record(.closed, number)
    if toTarget.arrivedBytes > 0 {
      resetPeer()
    } else if !toPeer.isEnding {
      toPeer.end()
    }
  }

  /// The machine is gone, and with it what its kernel had buffered. Whoever asks after it has come
  /// back is answered by a reset.
  func vanish() {
    abandonOperations()
    isClosedByTarget = true
    toPeer.discard()
  }

  /// The process is gone: nobody waits for them any more.
  func abandonOperations() {
    receives.removeAll()
    sends.removeAll()
  }

  private func serveReceives() {
    while let transfer = receives.first, let result = receiveResult(transfer.list) {
      _ = receives.popFirst()
      world.complete(transfer.engine, transfer.id, result)
    }
  }

  /// nil: nothing to tell yet. What arrived before a reset or the end is received first.
  private func receiveResult(_ list: ScatterGatherList) -> OperationResult? {
    if toTarget.arrivedBytes > 0 {
      let bytes = toTarget.take(atMost: list.byteCount)
      list.scatter(bytes)
      return OperationResult(rawValue: Int32(bytes.count))
    }
    if isReset, !hasReportedReset {
      hasReportedReset = true
      return .failure(.connectionReset)
    }
    return isReset || isShutDown || toTarget.hasEnded ? OperationResult(rawValue: 0) : nil
  }

  private func serveSends() {
    while let transfer = sends.first, let result = sendResult(transfer.list) {
      _ = sends.popFirst()
      world.complete(transfer.engine, transfer.id, result)
    }
  }

  /// nil: the send buffer is full.
  private func sendResult(_ list: ScatterGatherList) -> OperationResult? {
    if isReset || isShutDown {
      let isFirstToTell = isReset && !hasReportedReset
      hasReportedReset = hasReportedReset || isReset
      return .failure(isFirstToTell ? .connectionReset : .brokenPipe)
    }
    guard toPeer.room > 0 else { return nil }
    var count = min(toPeer.room, list.byteCount)
    if options.shortensSends, count > 1, world.random.coin() {
      count = world.random.pick(1...count)
    }
    toPeer.send(list.gather(count))
    return OperationResult(rawValue: Int32(count))
  }

  // MARK: Arrivals

  func arrived(_ item: ByteStream.Item, by stream: ByteStream) {
    if stream === toTarget {
      arrivedAtTarget(item)
    } else {
      arrivedAtPeer(item)
    }
  }

  private func arrivedAtTarget(_ item: ByteStream.Item) {
    switch item {
    case .open:
      guard let listener = world.network.listener(at: localAddress),
        listener.connectionArrived(self)
      else {
        world.record(.connectionRefused, number)
        isClosedByTarget = true
        return resetPeer(isRefusal: true)
      }
      world.record(.connectionOpened, number)
      peer.connected()
    case .data(let bytes):
      world.record(.arrivedAtTarget, number, UInt64(bytes.count), digest(bytes))
      if isClosedByTarget { resetPeer() }
      serveReceives()
    case .end:
      world.record(.arrivedAtTarget, number)
      serveReceives()
    }
  }

  private func arrivedAtPeer(_ item: ByteStream.Item) {
    if case .data(let bytes) = item {
      world.record(.arrivedAtPeer, number, UInt64(bytes.count), digest(bytes))
    } else {
      world.record(.arrivedAtPeer, number)
    }
    if peer.isGone {
      answerForGonePeer(item)
    } else {
      peer.readAvailable()
    }
    toPeer.pump()
    serveSends()
    world.noteOutsideActivity()
  }

  /// A peer that closed in order still takes the end, but data has nowhere to go.
  private func answerForGonePeer(_ item: ByteStream.Item) {
    _ = toPeer.take(atMost: .max)
    if case .end = item, !peer.isReset { return }
    resetTarget()
  }

  private func digest(_ bytes: [UInt8]) -> UInt64 {
    var digest = CRC32C()
    digest.update(bytes)
    return UInt64(digest.value)
  }

  /// The peer took bytes: sends that waited for room may go on.
  func peerTookBytes() { serveSends() }

  // MARK: Resets and cuts

  /// Sends a reset to the target. Unlike data it is not repeated: lost in a cut, lost for ever.
  func resetTarget() {
    let isLost = isCut
    world.schedule(at: toTarget.arrivalTime()) { [self] in
      guard !isLost, !isCut, !isReset else { return }
      isReset = true
      world.record(.reset, number, 0)
      toTarget.discard()
      toPeer.discard()
      serveReceives()
      serveSends()
    }
  }

  private func resetPeer(isRefusal: Bool = false) {
    let isLost = isCut
    world.schedule(at: toPeer.arrivalTime()) { [self] in
      guard !isLost, !isCut else { return }
      world.record(.reset, number, 1)
      toTarget.discard()
      toPeer.discard()
      peer.resetArrived(isRefusal: isRefusal)
      world.noteOutsideActivity()
    }
  }

  func cut() {
    isCut = true
    toTarget.cut()
    toPeer.cut()
  }

  func heal() {
    isCut = false
    toTarget.heal()
    toPeer.heal()
    serveSends()
  }
}
