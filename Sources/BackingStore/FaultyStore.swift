#if FAULT_INJECTION
  internal import Bytes
  public import Reactor
  internal import Synchronization

  /// A store whose requests are delayed, failed or stopped as its faults say; all else the store
  /// behind it does. The first fault that hits decides.
  ///
  /// A delay is a timer of the reactor, and the request begins after it, as on a disk that is slow
  /// to get to work: nothing may conclude from the time that has passed that it will not land any
  /// more.
  public final class FaultyStore: Store {
    private let store: any Store
    private let state: Mutex<State>

    private struct State {
      var faults: [ActiveFault]
      var random: SplitMix64
      var stopped: [StoppedRequest] = []
      var isLatched = false
    }

    private struct ActiveFault {
      let fault: StoreFault
      private var seen = 0
      private var hits = 0

      init(_ fault: StoreFault) { self.fault = fault }

      /// Whether the fault hits `request`; counts it if it matches.
      mutating func takes(_ request: StoreRequest) -> Bool {
        guard fault.count.map({ hits < $0 }) ?? true, fault.matches(request) else { return false }
        seen += 1
        guard seen > fault.skipping else { return false }
        hits += 1
        return true
      }
    }

    /// What becomes of a request.
    private enum Fate {
      case unhindered
      case delayed(Milliseconds)
      case failed(StoreFailure)
      case stopped
    }

    /// `seed` decides the delays.
    public init(_ store: any Store, faults: [StoreFault], seed: UInt64 = 1) {
      self.store = store
      state = Mutex(State(faults: faults.map { ActiveFault($0) }, random: SplitMix64(seed: seed)))
    }

    public var geometry: StoreGeometry { store.geometry }
    public var capabilities: StoreCapabilities { store.capabilities }

    /// A synchronize that failed here latches, as one that the kernel fails does.
    public var readiness: StoreReadiness {
      let readiness = store.readiness
      return readiness == .ready && state.withLock(\.isLatched) ? .latched : readiness
    }

    public func start(_ request: StoreRequest, on reactor: Reactor) {
      switch fate(of: request) {
      case .unhindered: store.start(request, on: reactor)
      case .delayed(let delay):
        let late = LateRequest(request, for: store, on: reactor)
        _ = reactor.startTimer(after: delay, for: late)
      case .failed(let failure): request.finishLater(failure, on: reactor)
      case .stopped:
        let stopped = StoppedRequest(LateRequest(request, for: store, on: reactor), reactor)
        state.withLock { $0.stopped.append(stopped) }
      }
    }

    private func fate(of request: StoreRequest) -> Fate {
      state.withLock { state in
        for index in state.faults.indices where state.faults[index].takes(request) {
          switch state.faults[index].fault.effect {
          case .delay(let range):
            return .delayed(Milliseconds(UInt32.random(in: range, using: &state.random)))
          case .stop: return .stopped
          case .failure(let failure):
            if request.operation == .synchronize, case .medium = failure { state.isLatched = true }
            return .failed(failure)
          }
        }
        return .unhindered
      }
    }

    // MARK: For tests

    /// Ends all faults, and lets what they stopped begin.
    public func release() {
      let stopped = state.withLock { state in
        defer { state.stopped = [] }
        state.faults = []
        return state.stopped
      }
      for request in stopped { request.begin() }
    }
  }

  /// A request that has not begun.
  private final class LateRequest: TimerHandler {
    private let request: StoreRequest
    private let store: any Store
    private let reactor: Reactor

    init(_ request: StoreRequest, for store: any Store, on reactor: Reactor) {
      self.request = request
      self.store = store
      self.reactor = reactor
    }

    func begin() { store.start(request, on: reactor) }

    func timerFired(_ timer: TimerID) { begin() }
  }

  /// A request that begins only when somebody, on any thread, says so.
  private struct StoppedRequest: Sendable {
    private let request: ReactorBound<LateRequest>

    init(_ request: LateRequest, _ reactor: Reactor) {
      self.request = ReactorBound(request, on: reactor)
    }

    func begin() { request.post { $0.begin() } }
  }
#endif
