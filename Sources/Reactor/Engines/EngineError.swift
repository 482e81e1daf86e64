/// Why an engine could not be made: the call that failed, and what the administrator can do.
public struct EngineError: Error, Sendable, CustomStringConvertible {
  /// The kernel's call, such as "io_uring_setup".
  public let call: String
  public let error: SystemError
  /// What may be done about it; empty if nothing is known.
  public let advice: String

  init(call: String, error: SystemError, advice: String = "") {
    self.call = call
    self.error = error
    self.advice = advice
  }

  public var description: String {
    advice.isEmpty ? "\(call): \(error)" : "\(call): \(error) (\(advice))"
  }
}
