/// Where a command reads and writes, and what it knows of its surroundings. Tests have their own.
protocol Console: Sendable {
  /// Writes to standard output; false where nobody reads it any more.
  @discardableResult
  func write(_ text: String) -> Bool
  /// Writes to standard error.
  func complain(_ text: String)

  /// Standard output is a terminal.
  var isTerminal: Bool { get }
  /// Colours are wanted: a terminal, and no NO_COLOR in the environment.
  var hasColors: Bool { get }
  /// Of the terminal, here and below; nil where there is none.
  var rows: Int? { get }
  var columns: Int? { get }

  /// Somebody sits at standard input and can be asked.
  var canAsk: Bool { get }
  /// One line of standard input without its end; nil at the end of the input.
  func readLine() -> String?
  /// As `readLine`, from the terminal, which does not show what is typed.
  func readHidden() -> String?
}

extension Console {
  func writeLine(_ text: String = "") { write(text + "\n") }

  /// A question on standard error; anything but "yes" or "y" means no.
  func confirms(_ question: String) -> Bool {
    complain(question + " [yes/no] ")
    let answer = readLine()?.lowercased()
    return answer == "yes" || answer == "y"
  }
}
