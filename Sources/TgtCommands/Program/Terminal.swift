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
  init() {
    // Who reads the output may go, as `grep -q` does.
    _ = signal(SIGPIPE, SIG_IGN)
  }

  func write(_ text: String) { Self.write(text, to: STDOUT_FILENO) }
  func complain(_ text: String) { Self.write(text, to: STDERR_FILENO) }
  func readLine() -> String? { Swift.readLine(strippingNewline: true) }

  private static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
