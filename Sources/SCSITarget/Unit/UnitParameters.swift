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

  /// Nil: none were ever saved.
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
  private let isChanging = Atomic<Bool>(false)

  init(_ saved: SavedParameters, _ persistence: (any UnitPersistence<SavedParameters>)?) {
    state = Mutex(saved)
    self.persistence = persistence
  }

  var saved: SavedParameters { state.withLock { $0 } }

  /// What is on stable storage from now on, or would be were there any.
  func install(_ saved: SavedParameters) { state.withLock { $0 = saved } }

  /// Lets one command at a time change what is saved: MODE SELECT or SET IDENTIFYING INFORMATION.
  /// False: another is at it.
  func beginChange() -> Bool { !isChanging.exchange(true, ordering: .acquiringAndReleasing) }
  func endChange() { isChanging.store(false, ordering: .releasing) }
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
