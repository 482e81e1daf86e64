internal import Reactor
public import SCSIModel
internal import Synchronization

/// What initiators have set on a logical unit to last: saved mode parameters (SP of MODE SELECT)
/// and identifying information.
public struct SavedParameters: Sendable, Equatable {
  /// Mode parameters, together with the write cache setting of the configuration at that time: when
  /// the administrator changes that, his word is the later one.
  public struct Modes: Sendable, Equatable {
    public var settings: ModeSettings
    public var configuredWriteCache: Bool

    public init(settings: ModeSettings, configuredWriteCache: Bool) {
      self.settings = settings
      self.configuredWriteCache = configuredWriteCache
    }
  }

  /// nil: none were ever saved.
  public var modes: Modes?
  /// At most 64 bytes.
  public var identifyingInformation: [UInt8] = []
  /// At most 256 bytes of UTF-8 with a final NUL, or empty.
  public var textIdentifyingInformation: [UInt8] = []

  public init() {}
}

/// The saved parameters of a logical unit as all reactors see them.
final class UnitParameters: Sendable {
  let persistence: (any UnitPersistence<SavedParameters>)?
  private let state: Mutex<SavedParameters>
  private let turns = Mutex(Turns())

  /// Who changes them, and who waits to.
  private struct Turns {
    var isTaken = false
    var waiting: [ReactorBound<PendingChange>] = []
  }

  init(_ saved: SavedParameters, _ persistence: (any UnitPersistence<SavedParameters>)?) {
    state = Mutex(saved)
    self.persistence = persistence
  }

  var saved: SavedParameters { state.withLock { $0 } }

  /// What is on stable storage from now on, or would be were there any.
  func install(_ saved: SavedParameters) { state.withLock { $0 = saved } }

  /// Lets one command at a time change what is saved: MODE SELECT or SET IDENTIFYING INFORMATION.
  /// False: another is at it.
  func beginChange() -> Bool {
    turns.withLock { turns in
      if turns.isTaken { return false }
      turns.isTaken = true
      return true
    }
  }

  /// Begins a change when the one under way and those that wait have ended; `body` follows on
  /// `reactor`, which is the caller's, at once if there are none.
  func awaitChange(on reactor: Reactor, then body: @escaping () -> Void) {
    let pending = ReactorBound(PendingChange(body), on: reactor)
    let isFirst = turns.withLock { turns in
      guard turns.isTaken else {
        turns.isTaken = true
        return true
      }
      turns.waiting.append(pending)
      return false
    }
    if isFirst { body() }
  }

  /// The next one's turn, if anybody waits.
  func endChange() {
    let next: ReactorBound<PendingChange>? = turns.withLock { turns in
      turns.isTaken = !turns.waiting.isEmpty
      return turns.isTaken ? turns.waiting.removeFirst() : nil
    }
    next?.answer { $0.begin() }
  }
}

/// A change that waits for its turn.
private final class PendingChange {
  private let body: () -> Void

  init(_ body: @escaping () -> Void) { self.body = body }

  func begin() { body() }
}

extension DeviceServer {
  /// Saves `parameters`, then goes on with `body` on this reactor. Only between `beginChange` and
  /// `endChange`. Without persistence they are kept until the process ends.
  func save(_ parameters: SavedParameters, then body: @escaping (SystemError?) -> Void) {
    guard let persistence = unit.parameters.persistence else {
      unit.parameters.install(parameters)
      return body(nil)
    }
    persistence.save(parameters, of: unit.identity, on: reactor) { [unit] error in
      if error == nil { unit.parameters.install(parameters) }
      body(error)
    }
  }
}
