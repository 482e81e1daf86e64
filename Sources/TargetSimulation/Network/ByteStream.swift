internal import Bytes
internal import Reactor

/// Hears what a stream brings and when it can take more.
protocol ByteStreamOwner: AnyObject {
  /// The connection request, bytes or the end came out at the far side.
  func arrived(_ item: ByteStream.Item, by stream: ByteStream)
}

/// How a stream cuts what it carries into pieces, and how a receive sees them.
public enum Fragmentation: Sendable, Equatable {
  /// In one piece as far as buffers allow; pieces that wait are received together.
  case whole
  /// One byte at a time: each receive brings one byte.
  case singleBytes
  /// Pieces of 1 … n bytes; whether pieces that wait are received together is up to the seed.
  case random(upTo: Int)
}

/// One direction of a connection: a send buffer, pieces on their way, a receive buffer. In order
/// and without loss as TCP makes it; while cut, nothing arrives, and healing sends the lost pieces
/// again.
///
/// What the receiver does not take is bounded: pieces leave the send buffer only as far as the
/// receive buffer has room for them.
final class ByteStream {
  enum Item {
    case open
    case data([UInt8])
    case end
  }

  /// Pieces on their way at once: a congestion window.
  static let piecesInFlightMax = 64

  var fragmentation = Fragmentation.whole
  let sendBufferBytes: Int
  let receiveBufferBytes: Int
  private unowned let world: SimulatedWorld
  private unowned let owner: any ByteStreamOwner

  private var outgoing = Queue<UInt8>()
  private(set) var isEnding = false
  private var hasSentEnd = false
  private var inFlight = Queue<Item>()
  private var inFlightBytes = 0
  private var arrived = Queue<[UInt8]>()
  private(set) var arrivedBytes = 0
  private(set) var hasEnded = false
  private var lastArrival = MonotonicTime(rawValue: 0)
  /// Arrivals that were scheduled before the last cut or discard are void.
  private var epoch = 0
  private var isCut = false
  private var acknowledgedAt: MonotonicTime
  /// Since when the sender waits for an acknowledgement, if it does.
  private var waitsSince: MonotonicTime

  init(
    world: SimulatedWorld, owner: any ByteStreamOwner, sendBufferBytes: Int,
    receiveBufferBytes: Int
  ) {
    self.world = world
    self.owner = owner
    self.sendBufferBytes = sendBufferBytes
    self.receiveBufferBytes = receiveBufferBytes
    acknowledgedAt = world.now
    waitsSince = world.now
  }

  // MARK: Sender

  /// How many more bytes the send buffer takes.
  var room: Int { max(0, sendBufferBytes - outgoing.count) }
  /// Bytes that were sent and not taken by the receiver yet.
  var bufferedBytes: Int { outgoing.count + inFlightBytes + arrivedBytes }

  func open() { launch(.open) }

  func send(_ bytes: [UInt8]) {
    precondition(!isEnding, "nothing follows the end of a stream")
    if unacknowledgedCount == 0 { waitsSince = world.now }
    outgoing.append(contentsOf: bytes)
    pump()
  }

  /// The end follows what was sent.
  func end() {
    isEnding = true
    pump()
  }

  /// Sends on as much as the windows allow.
  func pump() {
    while !isCut, !hasSentEnd, inFlight.count < ByteStream.piecesInFlightMax {
      if outgoing.isEmpty {
        guard isEnding else { return }
        hasSentEnd = true
        launch(.end)
      } else {
        guard window > 0 else { return }
        let piece = outgoing.takeFirst(min(window, pieceBytes()))
        inFlightBytes += piece.count
        launch(.data(piece))
      }
    }
  }

  private var window: Int { receiveBufferBytes - inFlightBytes - arrivedBytes }

  private func pieceBytes() -> Int {
    switch fragmentation {
    case .whole: Int.max
    case .singleBytes: 1
    case .random(let limit): world.random.pick(1...max(1, limit))
    }
  }

  private func launch(_ item: Item) {
    if inFlight.isEmpty { waitsSince = world.now }
    inFlight.append(item)
    if !isCut { scheduleArrival() }
  }

  /// Never before what was sent earlier.
  func arrivalTime() -> MonotonicTime {
    let latency = world.random.pick(world.latencies.network)
    return max(lastArrival, MonotonicTime(rawValue: world.now.rawValue + latency))
  }

  private func scheduleArrival() {
    lastArrival = arrivalTime()
    world.schedule(at: lastArrival) { [self, epoch] in
      if epoch == self.epoch { arrive() }
    }
  }

  private func arrive() {
    guard let item = inFlight.popFirst() else { return }
    acknowledgedAt = world.now
    waitsSince = world.now
    switch item {
    case .open: break
    case .end: hasEnded = true
    case .data(let bytes):
      inFlightBytes -= bytes.count
      arrivedBytes += bytes.count
      arrived.append(bytes)
    }
    owner.arrived(item, by: self)
    pump()
  }

  // MARK: Acknowledgement

  /// What the sender's TCP knows: the receiver's kernel acknowledges what arrives.
  var transmission: TransmissionState {
    TransmissionState(
      unacknowledgedSegments: UInt32(unacknowledgedCount),
      timeouts: unacknowledgedCount > 0 ? timeouts : 0,
      silence: world.now.milliseconds(since: acknowledgedAt))
  }

  /// What was sent in a cut has left, too, for the sender.
  private var unacknowledgedCount: Int {
    inFlight.count + (isCut && !outgoing.isEmpty && window > 0 ? 1 : 0)
  }

  /// Linux's on a fast network (measured): after 0.4 s and each time that twice as long has passed;
  /// 15 end a connection.
  private var timeouts: UInt8 {
    let waited = world.now.milliseconds(since: waitsSince)
    var count: UInt8 = 0
    var next = Milliseconds(400)
    while count < 15, waited >= next {
      count += 1
      next = next + next
    }
    return count
  }

  // MARK: Receiver

  /// What one receive of at most `limit` bytes brings.
  func take(atMost limit: Int) -> [UInt8] {
    var taken: [UInt8] = []
    while taken.count < limit, let piece = arrived.popFirst() {
      let rest = limit - taken.count
      taken += piece.prefix(rest)
      if piece.count > rest { arrived.prepend(Array(piece.dropFirst(rest))) }
      guard joinsPieces() else { break }
    }
    arrivedBytes -= taken.count
    pump()
    return taken
  }

  private func joinsPieces() -> Bool {
    switch fragmentation {
    case .whole: true
    case .singleBytes: false
    case .random: world.random.coin()
    }
  }

  // MARK: Trouble

  func cut() {
    isCut = true
    epoch += 1
  }

  func heal() {
    guard isCut else { return }
    isCut = false
    for _ in 0..<inFlight.count { scheduleArrival() }
    pump()
  }

  /// The connection was reset: nothing that is on its way arrives. What has arrived stays.
  func discard() {
    epoch += 1
    outgoing.removeAll()
    inFlight.removeAll()
    inFlightBytes = 0
    isEnding = true
    hasSentEnd = true
  }
}
