public import Reactor

/// How a connection of a `SimulatedWorld` behaves.
public struct ConnectionOptions: Sendable {
  /// How what the peer sends reaches the target's receives.
  public var toTarget = Fragmentation.whole
  public var toPeer = Fragmentation.whole
  /// The size of each of the target's send buffer, its receive buffer and the peer's receive
  /// buffer.
  public var bufferBytes = 256 * 1024
  /// Sends of the target end short, by seed, even when there is room.
  public var shortensSends = false

  public init() {}
}

/// The far end of a connection to the target: what a test scripts in an initiator's place.
public final class SimulatedPeer {
  public let address: String
  /// What the target sent, as far as it was read. A test may empty it.
  public var received: [UInt8] = []
  /// Called when bytes, the end or a reset came.
  public var onArrival: (() -> Void)?

  /// The target's kernel took the connection.
  public private(set) var isConnected = false
  /// Nobody listened.
  public private(set) var isRefused = false
  /// The target ended the connection in order, and all it sent before was read.
  public private(set) var hasEnded = false
  /// The target, or this end, broke the connection.
  public private(set) var isReset = false
  /// This end does not exist any more: what arrives is answered by a reset.
  private(set) var isGone = false

  /// While false nothing is read: the target's sends fill the buffers and then wait.
  public var isReading = true {
    didSet { if isReading { readAvailable() } }
  }

  private unowned let world: SimulatedWorld
  private let number: UInt64
  private let target: String
  private let options: ConnectionOptions
  private(set) lazy var connection = SimulatedConnection(
    world: world, peer: self, number: number, options: options, localAddress: target,
    peerAddress: address)

  init(
    world: SimulatedWorld, number: UInt64, address: String, target: String,
    options: ConnectionOptions
  ) {
    self.world = world
    self.number = number
    self.address = address
    self.target = target
    self.options = options
  }

  /// Nothing more will come: ended, reset or closed by this end.
  public var isClosed: Bool { hasEnded || isReset || isGone }

  /// Bytes that the target's sends have given to the kernel and this end has not read.
  public var unreadBytes: Int { connection.toPeer.bufferedBytes }

  // MARK: Script

  /// Queues `bytes`; they leave as the target's receive buffer allows. Ignored when the connection
  /// is over, as a real initiator's would be.
  public func send(_ bytes: [UInt8]) {
    guard !isGone, !isReset, !connection.toTarget.isEnding else { return }
    connection.toTarget.send(bytes)
    world.noteOutsideActivity()
  }

  /// Ends this end's direction after what was sent, and reads on.
  public func endSending() {
    guard !isGone, !isReset, !connection.toTarget.isEnding else { return }
    connection.toTarget.end()
  }

  /// Closes in order: the end follows what was sent; what arrives later is answered by a reset.
  public func close() {
    endSending()
    isGone = true
  }

  /// Breaks the connection off, as a crashed program's kernel or SO_LINGER 0 does.
  public func reset() {
    guard !isGone, !isReset else { return }
    isGone = true
    isReset = true
    connection.resetTarget()
  }

  /// From now on nothing arrives at either end, not even a reset, and nobody is told.
  public func cut() { connection.cut() }

  /// Ends a cut: what was lost is sent again, but for resets.
  public func heal() { connection.heal() }

  /// Removes and returns the first `count` received bytes; nil while there are fewer.
  public func take(_ count: Int) -> [UInt8]? {
    guard received.count >= count else { return nil }
    let taken = Array(received.prefix(count))
    received.removeFirst(count)
    return taken
  }

  // MARK: For the connection

  func connected() {
    isConnected = true
    world.noteOutsideActivity()
    onArrival?()
  }

  func readAvailable() {
    guard isReading, !isGone else { return }
    let stream = connection.toPeer
    while stream.arrivedBytes > 0 { received += stream.take(atMost: .max) }
    if stream.hasEnded { hasEnded = true }
    connection.peerTookBytes()
    onArrival?()
  }

  func resetArrived(isRefusal: Bool) {
    guard !isGone else { return }
    isReset = true
    isRefused = isRefusal
    onArrival?()
  }
}

extension SimulatedWorld {
  /// A listening socket of the target at `address`, such as "10.0.0.1:3260".
  public func listen(_ address: String, backlog: Int = 1024) -> SocketHandle {
    precondition(network.listener(at: address) == nil, "\(address) is in use")
    let handle = network.makeHandle()
    network.add(SimulatedListener(world: self, address: address, handle: handle, backlog: backlog))
    return handle
  }

  /// Connects to the target's listener at `target`. The request arrives after the network's
  /// latency; what is sent meanwhile follows it.
  public func connect(
    to target: String, from address: String? = nil, options: ConnectionOptions = .init()
  ) -> SimulatedPeer {
    let peer = SimulatedPeer(
      world: self, number: UInt64(network.peers.count),
      address: address ?? network.makePeerAddress(), target: target, options: options)
    network.add(peer)
    peer.connection.toTarget.open()
    noteOutsideActivity()
    return peer
  }

  /// Makes the next accept that has a connection to take fail; the connection waits for another.
  public func failNextAccept(on listener: SocketHandle, with error: SystemError) {
    network.listener(listener).failNextAccept(with: error)
  }

  /// The target's own address of a connection.
  public func localAddress(of socket: SocketHandle) -> String {
    network.connection(socket).localAddress
  }

  public func peerAddress(of socket: SocketHandle) -> String {
    network.connection(socket).peerAddress
  }

  /// Sockets the target has accepted and not closed: whether it leaks any.
  public var openSocketCount: Int { network.openSocketCount }
}
