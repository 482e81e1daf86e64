internal import Bytes
internal import HeapModule
public import Reactor

/// Everything below the seam: one clock, the network, the disks and what they are about to do, all
/// decided by one seed. The same seed and the same program give the same events at the same times.
///
/// Used on one thread, which also turns the reactors (`run`). Time stands still while a reactor has
/// anything to do and then jumps to the next event, so an hour's time-out costs nothing.
public final class SimulatedWorld {
  public let seed: UInt64
  public private(set) var now: MonotonicTime

  /// How long things take from now on.
  public var latencies = Latencies()

  /// Told of every event, for looking into a seed that fails.
  public var traceObserver: ((TraceEntry) -> Void)?

  var random: SeededGenerator
  let network = SimulatedNetwork()
  var disks: [SimulatedDisk] = []
  /// Changes whenever code outside the reactors may have given them something to do.
  private(set) var outsideActivity: UInt64 = 0
  private(set) var engineCount = 0

  private var events = Heap<Event>()
  private var nextSequence: UInt64 = 0
  private var trace = EventTrace()

  public init(seed: UInt64) {
    self.seed = seed
    random = SeededGenerator(seed: seed)
    // Not zero, so that a time that was never set shows; different for each seed.
    now = MonotonicTime(rawValue: 1_000_000_000 + random.pick(0...1_000_000_000))
  }

  /// An engine for one more reactor.
  public func makeEngine() -> SimulatedEngine {
    engineCount += 1
    return SimulatedEngine(world: self, number: engineCount)
  }

  /// A reactor on an engine of this world.
  public func makeReactor(index: Int = 0, memoryBudgetBytes: Int = 64 << 20) -> Reactor {
    Reactor(index: index, engine: makeEngine(), memoryBudgetBytes: memoryBudgetBytes)
  }

  // MARK: Randomness and trace

  /// A number that depends on the seed alone, for tests that vary what they do.
  public func pick<Number: FixedWidthInteger>(_ range: ClosedRange<Number>) -> Number {
    random.pick(range)
  }

  /// A digest of all that has happened: equal for equal runs.
  public var traceDigest: UInt64 { trace.digest }
  public var traceCount: Int { trace.count }

  /// Makes an observation of the test's own part of the trace.
  public func note(_ first: UInt64, _ second: UInt64 = 0, _ third: UInt64 = 0) {
    record(.note, first, second, third)
  }

  func record(
    _ kind: TraceEntry.Kind, _ first: UInt64, _ second: UInt64 = 0, _ third: UInt64 = 0
  ) {
    let entry = TraceEntry(time: now, kind: kind, first: first, second: second, third: third)
    trace.record(entry)
    traceObserver?(entry)
  }

  // MARK: Events

  /// Runs `action` when the clock has advanced by `delay`.
  public func schedule(after delay: Milliseconds, _ action: @escaping () -> Void) {
    schedule(at: now + delay) { [unowned self] in
      action()
      noteOutsideActivity()
    }
  }

  func schedule(afterNanoseconds delay: UInt64, _ action: @escaping () -> Void) {
    schedule(at: MonotonicTime(rawValue: now.rawValue + delay), action)
  }

  func schedule(at time: MonotonicTime, _ action: @escaping () -> Void) {
    nextSequence += 1
    events.insert(Event(time: max(time, now), sequence: nextSequence, action: action))
  }

  func noteOutsideActivity() { outsideActivity += 1 }

  /// When the next event is due; nil when nothing will happen by itself.
  var nextEventTime: MonotonicTime? { events.min?.time }

  /// Advances the clock to `time` at least, and lets happen what is due by then.
  func advance(to time: MonotonicTime) {
    if time > now {
      now = time
      record(.clock, time.rawValue)
    }
    while let event = events.min, event.time <= now {
      events.removeMin()
      event.action()
    }
  }

  /// Completes an operation after the time the kernel takes to report it.
  func complete(_ engine: SimulatedEngine, _ id: OperationID, _ result: OperationResult) {
    schedule(afterNanoseconds: random.pick(latencies.completion)) {
      engine.finish(Completion(id: id, result: result))
    }
  }
}

/// How long operations take, in nanoseconds; each time a number of the range, by seed.
public struct Latencies: Sendable {
  /// From one end of a connection to the other.
  public var network: ClosedRange<UInt64> = 20_000...300_000
  /// Between a socket operation's effect and its completion.
  public var completion: ClosedRange<UInt64> = 0...10_000
  public var diskRead: ClosedRange<UInt64> = 50_000...1_000_000
  public var diskWrite: ClosedRange<UInt64> = 50_000...1_000_000
  public var diskSynchronize: ClosedRange<UInt64> = 200_000...10_000_000
  public var diskAllocate: ClosedRange<UInt64> = 50_000...2_000_000

  public init() {}
}

/// Something that will happen. Of two at the same time the one that was scheduled first.
private struct Event: Comparable {
  var time: MonotonicTime
  var sequence: UInt64
  var action: () -> Void

  static func < (left: Event, right: Event) -> Bool {
    (left.time, left.sequence) < (right.time, right.sequence)
  }
  static func == (left: Event, right: Event) -> Bool { left.sequence == right.sequence }
}
