internal import AdministrationModel
internal import ArgumentParser

struct StatsCommand: DaemonCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Shows operations, throughput and latencies.",
    discussion: """
      Measures for --interval seconds and shows what was done in them, the busiest first; with \
      --watch again and again, like top, until ^C. On what is no terminal the tables follow each \
      other; on one, columns for which there is no room are left out and named. I/O is counted for the store and for the session: rows of targets and LUNs show what \
      the stores did that they present. p50 and p99 are what half and 99 of 100 commands took at most. --json shows the \
      daemon's counters, which only grow, without waiting; with --watch a line for each reading.

      EXAMPLES
        swift-tgtadm stats --watch
        swift-tgtadm stats --by session --interval 10
        swift-tgtadm stats --total

      \(ExitCode.lookingHelp)
      """)

  @Flag(help: "Go on until ^C.")
  var watch = false

  @Option(help: ArgumentHelp("Measure for so long; 0.1 to 3600.", valueName: "seconds"))
  var interval = 1.0

  @Option(help: ArgumentHelp("With --watch: end after so many tables.", valueName: "number"))
  var count: Int?

  @Option(help: "A line for each store, target, lun or session.")
  var by = StatisticsTable.Subject.store

  @Flag(help: "Show all that was counted since the start, not what happens now.")
  var total = false

  @OptionGroup var global: GlobalOptions

  func validate() throws {
    guard (0.1...3600).contains(interval) else {
      throw ValidationError("--interval is from 0.1 to 3600 seconds")
    }
    guard count.map({ $0 > 0 && watch }) ?? true else {
      throw ValidationError("--count is at least 1, and needs --watch")
    }
    guard !total || !watch else { throw ValidationError("--total does not go with --watch") }
  }

  func run(_ daemon: any Daemon, _ console: any Console) async throws {
    if global.json {
      try await writeReadings(daemon, console)
    } else if total {
      let table = StatisticsTable(by: by, from: nil, to: try await daemon.statistics())
      console.write(table.text(on: console))
    } else {
      try await showRates(daemon, console)
    }
  }

  private var readingCount: Int { watch ? count ?? Int.max : 1 }

  private func writeReadings(_ daemon: any Daemon, _ console: any Console) async throws {
    for number in 0..<readingCount {
      if number > 0 { try await pause() }
      guard try console.writeJSON(try await daemon.statistics(), onOneLine: watch) else { return }
    }
  }

  private func showRates(_ daemon: any Daemon, _ console: any Console) async throws {
    var earlier = try await daemon.statistics()
    for number in 0..<readingCount {
      try await pause()
      let now = try await daemon.statistics()
      let text = StatisticsTable(by: by, from: earlier, to: now).text(on: console)
      guard show(text, isFirst: number == 0, console) else { return }
      earlier = now
    }
  }

  private func pause() async throws {
    try await Invocation.current.sleep(.milliseconds(Int64(interval * 1000)))
  }

  /// On a terminal each table takes the place of the one before (ECMA-48 CUP and ED), as far as it
  /// fits.
  private func show(_ text: String, isFirst: Bool, _ console: any Console) -> Bool {
    guard watch, console.isTerminal else { return console.write((isFirst ? "" : "\n") + text) }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    // A line that breaks would push the first ones off the screen.
    let width = console.columns ?? 80
    let fitting = lines.prefix(max(2, (console.rows ?? 24) - 1))
      .map { Self.cut($0, to: width) }.joined(separator: "\n")
    return console.write("\u{1B}[H\u{1B}[2J" + fitting)
  }
}

extension StatsCommand {
  /// Its first `width` places; a colour takes none, and ends with the line.
  static func cut(_ line: Substring, to width: Int) -> String {
    var out = "", left = width, isEscape = false, hasColor = false
    for character in line {
      if character == "\u{1B}" {
        (isEscape, hasColor) = (true, true)
      } else if isEscape {
        isEscape = character != "m"
      } else {
        guard left > 0 else { break }
        left -= 1
      }
      out.append(character)
    }
    return hasColor ? out + "\u{1B}[0m" : out
  }
}

extension StatisticsTable.Subject: ExpressibleByArgument {}
