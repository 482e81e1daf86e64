internal import CConsole
internal import CommandSupport
internal import Glibc

/// The descriptors that the process was started with.
struct SystemConsole: Console {
  private let wantsColors: Bool

  init(environment: [String: String]) {
    let isAsked = environment["NO_COLOR"]?.isEmpty ?? true
    wantsColors = isAsked && environment["TERM"] != "dumb"
    Descriptor.outliveReaders()
  }

  func write(_ text: String) -> Bool { Descriptor.write(text, to: STDOUT_FILENO) }
  func complain(_ text: String) { Descriptor.write(text, to: STDERR_FILENO) }

  var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
  var hasColors: Bool { wantsColors && isTerminal }
  var rows: Int? {
    let rows = Int(cconsole_terminal_rows(STDOUT_FILENO))
    return rows > 0 ? rows : nil
  }
  var columns: Int? {
    let columns = Int(cconsole_terminal_columns(STDOUT_FILENO))
    return columns > 0 ? columns : nil
  }
  var canAsk: Bool { isatty(STDIN_FILENO) == 1 }

  func readLine() -> String? { Swift.readLine(strippingNewline: true) }

  /// While the echo is off, ^C is a character like others: a signal would leave the terminal mute.
  /// Who types it gives up, and that is nil, too.
  func readHidden() -> String? {
    var settings = termios()
    guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { return readLine() }
    var hidden = settings
    hidden.c_lflag &= ~tcflag_t(ECHO | ISIG)
    unsafe _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
    let line = readLine()
    unsafe _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
    complain("\n")
    let interrupt: Unicode.Scalar = "\u{3}"
    return line.flatMap { $0.unicodeScalars.contains(interrupt) ? nil : $0 }
  }
}
