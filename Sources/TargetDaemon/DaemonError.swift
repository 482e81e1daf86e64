/// Why the daemon does not start: sentences for the administrator, and the status to exit with.
public struct DaemonError: Error, Sendable, Equatable, CustomStringConvertible {
  public let status: ExitStatus
  /// Each names what it is about and what to do.
  public let sentences: [String]

  init(_ status: ExitStatus, _ sentences: [String]) {
    precondition(!sentences.isEmpty, "an error without a reason helps nobody")
    self.status = status
    self.sentences = sentences
  }

  init(_ status: ExitStatus, _ sentence: String) { self.init(status, [sentence]) }

  public var description: String { sentences.joined(separator: "\n") }
}
