internal import Reactor

/// What is on record of a FORMAT UNIT or a SANITIZE from before its first write until it has
/// succeeded: found when the unit starts, it says that the process ended in between, or that the
/// operation failed.
public struct WipeMark: Hashable, Sendable {
  public enum Operation: String, Sendable, CaseIterable {
    case format
    case sanitize
  }

  public var operation: Operation
  /// AUSE: EXIT FAILURE MODE may give a SANITIZE up.
  public var allowsUnrestrictedExit: Bool

  public init(_ operation: Operation, allowsUnrestrictedExit: Bool = false) {
    self.operation = operation
    self.allowsUnrestrictedExit = allowsUnrestrictedExit
  }
}

/// What is known of the wipes of a logical unit when it starts.
public enum SavedWipe: Equatable, Sendable {
  case none
  /// One has not succeeded.
  case unfinished(WipeMark)
  /// There is a mark, or may be one, and what it says cannot be told: the strictest is assumed, a
  /// SANITIZE that only another SANITIZE ends.
  case damaged
}

extension DeviceServer {
  /// Saves the unit's mark, or with nil removes it, then goes on with `body` on this reactor. Only
  /// while the unit is formatting or sanitizing: then nobody else does. At once without
  /// persistence.
  func saveMark(_ mark: WipeMark?, then body: @escaping (SystemError?) -> Void) {
    guard let persistence = unit.wipePersistence else { return body(nil) }
    persistence.save(mark, of: unit.identity, on: reactor, then: body)
  }
}
