public import Reactor
public import SCSIModel
internal import Synchronization

/// What initiators have set on a logical unit to last: saved mode parameters (SP of MODE SELECT) and
/// identifying information.
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

  /// Nil: none were ever saved.
  public var modes: Modes?
  /// At most 64 bytes.
  public var identifyingInformation: [UInt8] = []
  /// At most 256 bytes of UTF-8 with a final NUL, or empty.
  public var textIdentifyingInformation: [UInt8] = []

  public init() {}
}

/// Keeps the saved parameters of logical units over the end of the process. The daemon saves them to
/// files; tests keep them in memory.
public protocol ParameterPersistence: Sendable {
  /// Saves `parameters` so that they outlive a crash at any moment: the old ones or these.
  /// `completion` is called on any thread, with nil when they are on stable storage, else with why
  /// they may not be relied on. Where it returns false it could not be told just then, and is to be
  /// called again a moment later. One save of a unit at a time; does not block.
  func save(
    _ parameters: SavedParameters, of unit: LogicalUnitIdentity,
    completion: @escaping @Sendable (SystemError?) -> Bool)
}

/// The saved parameters of a logical unit as all reactors see them, and its clock.
final class UnitParameters: Sendable {
  let persistence: (any ParameterPersistence)?
  private let state: Mutex<SavedParameters>
  /// What SET TIMESTAMP has made of the machine's clock, in milliseconds to add; nil: nothing.
  private let clockOffset = Mutex<Int64?>(nil)

  init(_ saved: SavedParameters, _ persistence: (any ParameterPersistence)?) {
    state = Mutex(saved)
    self.persistence = persistence
  }

  var saved: SavedParameters { state.withLock { $0 } }

  /// What is on stable storage from now on, or would be were there any.
  func install(_ saved: SavedParameters) { state.withLock { $0 = saved } }

  var timestamp: TimestampParameters {
    let now = WallClock.milliseconds
    guard let offset = clockOffset.withLock({ $0 }) else {
      return TimestampParameters(milliseconds: now, origin: .other)
    }
    return TimestampParameters(
      milliseconds: now &+ UInt64(bitPattern: offset), origin: .setTimestamp)
  }

  func setTimestamp(_ milliseconds: UInt64) {
    let offset = Int64(bitPattern: milliseconds &- WallClock.milliseconds)
    clockOffset.withLock { $0 = offset }
  }
}

extension DeviceServer {
  /// Saves `parameters`, then goes on with `body` on this reactor. Only between `beginChange` and
  /// `endChange`. Without persistence they are kept until the process ends.
  func save(_ parameters: SavedParameters, then body: @escaping (SystemError?) -> Void) {
    guard let persistence = unit.parameters.persistence else {
      unit.parameters.install(parameters)
      return body(nil)
    }
    let pending = PendingSave { [unit] error in
      if error == nil { unit.parameters.install(parameters) }
      body(error)
    }
    let answer = ReactorBound(pending, on: reactor)
    persistence.save(parameters, of: unit.identity) { error in
      answer.post { $0.body(error) }
    }
  }
}

/// What goes on when a save has ended.
final class PendingSave {
  let body: (SystemError?) -> Void
  init(_ body: @escaping (SystemError?) -> Void) { self.body = body }
}
