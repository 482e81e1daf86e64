/// What the program reads, writes and knows besides the daemon. Tests have their own.
protocol Surroundings: AnyObject {
  func write(_ text: String)
  /// Writes to standard error.
  func complain(_ text: String)
  /// One line of the input without its end; nil at the end of the input.
  func readLine(prompt: String) -> String?

  /// Somebody sits there: lines are edited, and shown with a prompt.
  var isInteractive: Bool { get }
  var hasColors: Bool { get }
  /// The width of the terminal; nil where there is none.
  var columns: Int? { get }
  /// Of the machine, up to its first dot.
  var hostName: String { get }
  /// Absolute.
  var currentDirectory: String { get }
  /// As uname(1) has it: `x86_64`.
  var architecture: String { get }
  /// So many hexadecimal digits that nobody can guess.
  func randomDigits(_ count: Int) -> String

  /// nil: there is no such file.
  func text(of path: String) throws(ExecutionError) -> String?
  /// A file of mode 0600, in place of what was there, in one step.
  func replace(_ path: String, by text: String) throws(ExecutionError)
  func remove(_ path: String)
  /// nil: there is nothing.
  func kind(of path: String) -> FileKind?
}

enum FileKind: Equatable {
  case file(bytes: UInt64)
  case device
  case directory
  case other
}
