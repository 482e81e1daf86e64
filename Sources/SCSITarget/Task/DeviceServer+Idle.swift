internal import Reactor

extension InitiatorTargetNexus {
  /// Whether the LUN map has a unit of `server`.
  public func has(_ server: DeviceServer) -> Bool { unitNexuses.contains { $0.server === server } }
}

// The end of a device server, whose unit is taken away.
extension DeviceServer {
  /// A FORMAT UNIT or SANITIZE that was begun here goes on.
  public var isWiping: Bool { wipe != nil }

  /// No task, no wipe and no nexus is left: nothing here touches the store any more.
  private var isIdle: Bool { tasks.isEmpty && nexuses.isEmpty && wipe == nil }

  /// Calls back when nothing is left here that could touch the store. New nexuses and wipes must
  /// have been kept away before.
  public func whenIdle(_ completion: @escaping () -> Void) {
    guard !isIdle else { return completion() }
    IdleWait(self, completion).start()
  }

  /// Looks again and again: it is for once in a unit's life, and a wipe ends where nobody waits for
  /// it.
  private final class IdleWait: TimerHandler {
    private static let interval = Milliseconds(10)

    private let server: DeviceServer
    private let completion: () -> Void

    init(_ server: DeviceServer, _ completion: @escaping () -> Void) {
      self.server = server
      self.completion = completion
    }

    func start() { _ = server.reactor.startTimer(after: IdleWait.interval, for: self) }

    func timerFired(_ timer: TimerID) {
      if server.isIdle { completion() } else { start() }
    }
  }
}
