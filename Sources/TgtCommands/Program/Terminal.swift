internal import CommandSupport
internal import Glibc

/// Where a program reads and writes. Tests have their own.
protocol Terminal: Sendable {
  func write(_ text: String)
  /// To standard error.
  func complain(_ text: String)
  /// One line of standard input without its end; nil at the end of the input.
  func readLine() -> String?
}

/// The descriptors that the process was started with.
struct SystemTerminal: Terminal {
  init() { Descriptor.outliveReaders() }

  func write(_ text: String) { Descriptor.write(text, to: STDOUT_FILENO) }
  func complain(_ text: String) { Descriptor.write(text, to: STDERR_FILENO) }
  func readLine() -> String? { Swift.readLine(strippingNewline: true) }
}
