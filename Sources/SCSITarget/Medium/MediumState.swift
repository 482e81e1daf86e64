internal import SCSIModel
internal import Synchronization

/// What START STOP UNIT, FORMAT UNIT and SANITIZE have made of a logical unit's medium
/// (SBC-3 §4.11, §5.3, §5.24, §5.25). Asked by every command on every reactor: one load.
public final class MediumState: Sendable {
  enum Condition: UInt8, Sendable {
    case ready
    /// START STOP UNIT with START 0: until the next START.
    case stopped
    /// Taken out of a removable unit, until it is loaded.
    case ejected
    case formatting
    case sanitizing
    /// Until another FORMAT UNIT succeeds.
    case formatFailed
    /// Until another SANITIZE succeeds, or EXIT FAILURE MODE where that was allowed (AUSE).
    case sanitizeFailed
  }

  private let current = Atomic<UInt8>(Condition.ready.rawValue)
  private let done = Atomic<UInt16>(0)
  private let unrestrictedExit = Atomic<Bool>(false)
  private let preventions = Atomic<Int>(0)
  private let interrupted = Atomic<Bool>(false)

  init(_ saved: SavedWipe = .none) {
    switch saved {
    case .none: break
    case .unfinished(let mark):
      let condition = mark.operation == .format ? Condition.formatFailed : .sanitizeFailed
      current.store(condition.rawValue, ordering: .releasing)
      allowsUnrestrictedExit = mark.allowsUnrestrictedExit
    case .damaged:
      current.store(Condition.sanitizeFailed.rawValue, ordering: .releasing)
    }
  }

  var condition: Condition { Condition(rawValue: current.load(ordering: .acquiring)) ?? .ready }

  /// Whether it was `from`, and is now `to`.
  func change(from: Condition, to: Condition) -> Bool {
    current.compareExchange(
      expected: from.rawValue, desired: to.rawValue, ordering: .acquiringAndReleasing
    ).exchanged
  }

  /// How far a FORMAT UNIT or SANITIZE has come, in 65536ths.
  var progress: UInt16 {
    get { done.load(ordering: .relaxed) }
    set { done.store(newValue, ordering: .relaxed) }
  }

  /// AUSE of the last SANITIZE.
  var allowsUnrestrictedExit: Bool {
    get { unrestrictedExit.load(ordering: .relaxed) }
    set { unrestrictedExit.store(newValue, ordering: .relaxed) }
  }

  /// Ends a FORMAT UNIT or SANITIZE after the piece in flight, as failed: the process ends.
  public func interrupt() { interrupted.store(true, ordering: .releasing) }
  var isInterrupted: Bool { interrupted.load(ordering: .acquiring) }

  // MARK: Removal

  /// Whether a nexus has asked for the medium to stay (PREVENT ALLOW MEDIUM REMOVAL).
  var isRemovalPrevented: Bool { preventions.load(ordering: .acquiring) > 0 }

  func preventRemoval() { preventions.wrappingAdd(1, ordering: .acquiringAndReleasing) }
  func allowRemoval() { preventions.wrappingSubtract(1, ordering: .acquiringAndReleasing) }

  // MARK: Admission

  /// Why a command may not reach the medium in `condition`; nil if it may.
  func refusal(of row: CommandRow, _ condition: Condition) -> SenseData? {
    let needsNoMedium = row.traits.contains(.allowedWhenNotReady)
    switch condition {
    case .ready: return nil
    // Who stops a unit does not keep the others from fencing him.
    case .stopped, .ejected:
      return needsNoMedium || row.command.isReservationCommand ? nil : sense(of: condition)
    case .formatting, .sanitizing:
      return needsNoMedium && !row.traits.contains(.movesMedium) ? nil : sense(of: condition)
    case .formatFailed:
      return needsNoMedium || row.command == .formatUnit || row.command.isSanitize
        ? nil : sense(of: condition)
    case .sanitizeFailed:
      return needsNoMedium || row.command.isSanitize ? nil : sense(of: condition)
    }
  }

  /// What REQUEST SENSE, and commands that need the medium, are told; nil if it is ready.
  func sense(of condition: Condition) -> SenseData? {
    switch condition {
    case .ready: nil
    case .stopped: .logicalUnitNotReadyInitializingCommandRequired
    case .ejected: .mediumNotPresent
    case .formatting: .formatInProgress(progress)
    case .sanitizing: .sanitizeInProgress(progress)
    case .formatFailed: .mediumFormatCorrupted
    case .sanitizeFailed: .sanitizeCommandFailed
    }
  }
}
