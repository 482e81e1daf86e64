public import Bytes

/// The command numbering of one session: which CmdSN may come, which comes next and which already
/// came (RFC 7143 §4.2.2.1).
///
/// Always ExpCmdSN − 1 ≤ MaxCmdSN < ExpCmdSN + `widthMax`, and MaxCmdSN never goes back. With
/// several connections a command can overtake another; it is then held by the owner, whose table
/// needs at most `widthMax` − 1 places, until `releaseNext()` names it.
public struct CommandWindow: Sendable {
  /// The widest window: bounds the bit maps here and the commands held by the owner.
  public static let widthMax = 512

  public enum Disposition: Hashable, Sendable {
    /// Next in order, or immediate: execute it now, then drain `releaseNext()`.
    case deliver
    /// In the window, but an earlier one is missing: keep it.
    case hold
    /// Outside the window or seen before: drop it without a word, as the RFC demands.
    case ignore
  }

  public private(set) var expCmdSN: SerialNumber
  public private(set) var maxCmdSN: SerialNumber
  /// Commands told to be held and not yet released.
  public private(set) var heldCount = 0

  /// The commands that may be in progress: `depthMax`, and fewer while the target has had to refuse
  /// some for want of room.
  public private(set) var depth: Int
  public let depthMax: Int
  /// What was offered when the window was narrowed last: refusals up to here are of the same crowd.
  private var narrowedAt: SerialNumber?
  private var completedSinceWidened = 0

  private var held = NumberSet()
  private var plugged = NumberSet()

  /// `initialCmdSN` is the CmdSN of the leading login request, which did not consume it (§11.12.8).
  public init(initialCmdSN: SerialNumber, credits: Int) {
    expCmdSN = initialCmdSN
    maxCmdSN = initialCmdSN - 1
    depthMax = max(1, credits)
    depth = depthMax
    grant(credits: credits)
  }

  /// Admits `credits` commands from ExpCmdSN on. Fewer than before take effect only as commands
  /// arrive, because what was granted cannot be taken back.
  public mutating func grant(credits: Int) {
    let bounded = UInt32(clamping: min(credits, Self.widthMax))
    let candidate = expCmdSN + bounded - 1
    if maxCmdSN.precedes(candidate) { maxCmdSN = candidate }
  }

  /// Opens the window as far as `inProgress` commands leave room.
  public mutating func offer(inProgress: Int) { grant(credits: depth - inProgress) }

  /// The command `cmdSN` was answered with TASK SET FULL or BUSY while `inProgress` were: half as
  /// many are offered from now on. What was offered before stands, and its refusals are no further
  /// cut.
  public mutating func refused(_ cmdSN: SerialNumber, inProgress: Int) {
    if let narrowedAt, !narrowedAt.precedes(cmdSN) { return }
    depth = max(1, min(depth, inProgress) / 2)
    narrowedAt = maxCmdSN
    completedSinceWidened = 0
  }

  /// A command was answered otherwise. After a window full of them one more is offered.
  public mutating func completed() {
    guard depth < depthMax else { return }
    if let narrowedAt {
      guard narrowedAt.precedes(expCmdSN) else { return }
      self.narrowedAt = nil
    }
    completedSinceWidened += 1
    guard completedSinceWidened >= depth else { return }
    completedSinceWidened = 0
    depth += 1
  }

  /// Whether a command numbered `cmdSN` would be taken: it is in the window and did not come
  /// before.
  public func awaits(_ cmdSN: SerialNumber) -> Bool {
    admits(cmdSN) && !held.contains(cmdSN) && !plugged.contains(cmdSN)
  }

  /// Places a command that arrived. Immediate ones pass and never advance anything, so their number
  /// needs a bound of its own.
  public mutating func receive(cmdSN: SerialNumber, isImmediate: Bool) -> Disposition {
    if isImmediate { return .deliver }
    guard awaits(cmdSN) else { return .ignore }
    guard cmdSN == expCmdSN else {
      held.insert(cmdSN)
      heldCount += 1
      return .hold
    }
    consumeExpected()
    return .deliver
  }

  /// The held command whose turn it is, or nil while a gap is before it. Call it until nil after
  /// each `.deliver` and each `plug` or `abortUnknownTask`.
  public mutating func releaseNext() -> SerialNumber? {
    let next = expCmdSN
    guard held.contains(next) else { return nil }
    held.remove(next)
    heldCount -= 1
    consumeExpected()
    return next
  }

  /// The held command `cmdSN` counts as not received again: it was found to be none.
  public mutating func forget(_ cmdSN: SerialNumber) {
    guard held.contains(cmdSN) else { return }
    held.remove(cmdSN)
    heldCount -= 1
  }

  /// True if `cmdSN` lies in [ExpCmdSN, MaxCmdSN].
  public func admits(_ cmdSN: SerialNumber) -> Bool {
    let ahead = cmdSN.distance(from: expCmdSN)
    return ahead >= 0 && ahead <= maxCmdSN.distance(from: expCmdSN)
  }

  /// Counts `cmdSN` as received although it never will be executed: its command was aborted while
  /// held, or before it came. A copy that still arrives is ignored.
  public mutating func plug(_ cmdSN: SerialNumber) {
    guard admits(cmdSN) else { return }
    if held.contains(cmdSN) {
      held.remove(cmdSN)
      heldCount -= 1
    }
    plugged.insert(cmdSN)
    skipPlugged()
  }

  /// Answers ABORT TASK for a Referenced Task Tag that names no task, held ones included (§11.6.1).
  /// A RefCmdSN in the window and before the function's own CmdSN is of a command still on its way:
  /// it counts as received and the function completes. Any other names no task; nor does the number
  /// of a held command, which has another task tag: what is not aborted is not answered as if it
  /// were.
  public mutating func abortUnknownTask(
    refCmdSN: SerialNumber, functionCmdSN: SerialNumber
  ) -> TaskManagementResponseCode {
    guard admits(refCmdSN), refCmdSN.precedes(functionCmdSN), !held.contains(refCmdSN) else {
      return .taskDoesNotExist
    }
    plug(refCmdSN)
    return .functionComplete
  }

  private mutating func consumeExpected() {
    precondition(admits(expCmdSN), "a command is consumed only inside the window")
    expCmdSN = expCmdSN + 1
    skipPlugged()
  }

  private mutating func skipPlugged() {
    while plugged.contains(expCmdSN) {
      plugged.remove(expCmdSN)
      expCmdSN = expCmdSN + 1
    }
  }
}

/// Serial numbers of one window as bits of a ring. Two numbers share a bit only when they are
/// `widthMax` apart, and no window holds both.
private struct NumberSet: Sendable {
  private var words = InlineArray<8, UInt64>(repeating: 0)

  func contains(_ number: SerialNumber) -> Bool {
    words[Self.word(number)] & Self.mask(number) != 0
  }

  mutating func insert(_ number: SerialNumber) { words[Self.word(number)] |= Self.mask(number) }
  mutating func remove(_ number: SerialNumber) { words[Self.word(number)] &= ~Self.mask(number) }

  private static func word(_ number: SerialNumber) -> Int { Int(number.rawValue / 64 % 8) }
  private static func mask(_ number: SerialNumber) -> UInt64 {
    1 << UInt64(number.rawValue % 64)
  }
}
