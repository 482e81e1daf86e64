import AdministrationModel
import Synchronization
import Testing

@testable import AdministrationCommands

@Suite("Statistics and events")
struct StatsTests {
  private static func reading(second: Int64, reads: UInt64, writes: UInt64) -> StatisticsResource {
    var io = IOStatistics()
    io.counters.reads = reads
    io.counters.writes = writes
    io.counters.readBytes = reads * 4096
    io.counters.writtenBytes = writes * 1_048_576
    io.counters.inFlight = 3
    io.readLatency = LatencyHistogram(
      boundsMicroseconds: [100, 1000], counts: [reads, 0, 0])
    var resource = StatisticsResource(
      at: Timestamp(secondsSinceEpoch: Samples.now.millisecondsSinceEpoch / 1000 + second),
      total: io)
    resource.stores = [
      StatisticsResource.OfStore(store: "idle", io: IOStatistics()),
      StatisticsResource.OfStore(store: "a", io: io),
    ]
    resource.targets = [StatisticsResource.OfTarget(target: "iqn.t", io: io)]
    resource.luns = [
      StatisticsResource.OfLUN(target: "iqn.t", lun: 0, store: "idle", io: IOStatistics()),
      StatisticsResource.OfLUN(target: "iqn.t", lun: 1, store: "a", io: io),
      StatisticsResource.OfLUN(target: "iqn.t", initiator: "iqn.n", lun: 0, store: "a", io: io),
    ]
    resource.sessions = [
      StatisticsResource.OfSession(session: 3, initiator: "iqn.n", target: "iqn.t", io: io)
    ]
    return resource
  }

  private static func daemon() -> FakeDaemon {
    FakeDaemon {
      $0.statistics = [
        reading(second: 0, reads: 1000, writes: 10), reading(second: 2, reads: 3000, writes: 11),
        reading(second: 4, reads: 3000, writes: 11),
      ]
    }
  }

  @Test("Rates come from two readings and the time between them, the busiest first")
  func rates() async {
    let run = await run("stats --interval 2", Self.daemon())
    #expect(
      run.output == """
        2026-11-21 06:44:16Z  1001 IOPS  read 3.9 MiB/s  written 512 KiB/s  in flight 3

        STORE  READS/S  WRITES/S  OTHERS/S       READ    WRITTEN  READ P50  READ P99  WRITE P50  WRITE P99  QUEUE  ERRORS  CONFLICTS
        a         1000       0.5         0  3.9 MiB/s  512 KiB/s     50 µs     99 µs          -          -      3       0          0
        idle         0         0         0      0 B/s      0 B/s         -         -          -          -      0       0          0

        """)
    #expect(run.daemon.state.withLock { $0.slept } == [.milliseconds(2000)])
  }

  @Test("Rows of LUNs name the initiator that alone has the LUN")
  func ofLUNs() async {
    let run = await run("stats --total --by lun", Self.daemon())
    let lines = run.output.split(separator: "\n").dropFirst()
    #expect(lines.count == 4)
    #expect(lines.first?.hasPrefix("TARGET  FOR    LUN  STORE") == true)
    #expect(lines.contains { $0.hasPrefix("iqn.t   -        1  a ") })
    #expect(lines.contains { $0.hasPrefix("iqn.t   iqn.n    0  a ") })
  }

  @Test("--total shows counts since the start, without waiting")
  func total() async {
    let run = await run("stats --total --by session", Self.daemon())
    #expect(run.output.contains("since the start  1010 operations"))
    #expect(run.output.contains(" 3  iqn.n      iqn.t    1000      10  "))
    #expect(!run.output.contains("P50"), "sessions have no latencies")
    #expect(run.daemon.state.withLock { $0.slept }.isEmpty)
  }

  @Test("--watch goes on, on a terminal in place and cut to its size")
  func watch() async {
    let plain = await run("stats --watch --count 2", Self.daemon())
    #expect(plain.output.split(separator: "IOPS").count == 3)
    #expect(!plain.output.contains("\u{1B}"))
    let console = TestConsole(isTerminal: true)
    _ = await AdministrationCommandsTests.run(
      ["stats", "--watch", "--count", "2"], Self.daemon(), console: console)
    let screens = console.output.split(separator: "\u{1B}[H\u{1B}[2J")
    #expect(screens.count == 2)
    #expect(screens.allSatisfy { $0.split(separator: "\n").count <= 5 })
    let lines = screens.joined(separator: "\n").split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 60 }, "a line that breaks pushes others off the screen")
  }

  /// The table on a terminal of that width, without colours.
  private static func screen(
    _ width: Int, _ arguments: [String] = [],
    _ adjust: (inout StatisticsResource) -> Void = { _ in }
  ) async -> [Substring] {
    let console = TestConsole(isTerminal: true, width: width)
    let daemon = FakeDaemon {
      var now = reading(second: 2, reads: 3000, writes: 11)
      adjust(&now)
      $0.statistics = [reading(second: 0, reads: 1000, writes: 10), now]
    }
    _ = await run(["stats"] + arguments, daemon, console: console)
    return console.output.replacing("\u{1B}[31m", with: "").replacing("\u{1B}[0m", with: "")
      .split(separator: "\n")
  }

  @Test("On a terminal of 80 columns what matters least is left out, and named")
  func fits() async {
    let lines = await Self.screen(80)
    #expect(
      lines.dropFirst().map(String.init) == [
        "STORE  READS/S  WRITES/S       READ    WRITTEN  READ P99  WRITE P99  QUEUE",
        "a         1000       0.5  3.9 MiB/s  512 KiB/s     99 µs          -      3",
        "idle         0         0      0 B/s      0 B/s         -          -      0",
        "not shown: CONFLICTS, ERRORS, OTHERS/S, READ P50, WRITE P50",
      ])
    let wide = await Self.screen(200)
    #expect(wide[1].hasSuffix("ERRORS  CONFLICTS") && !wide.contains { $0.hasPrefix("not shown") })
  }

  @Test("Errors are not left out for what says less")
  func keepsErrors() async {
    let lines = await Self.screen(80) { $0.stores[1].io.counters.errors = 7 }
    #expect(lines[1].hasSuffix("ERRORS") && lines[2].hasSuffix("7"))
    #expect(lines.allSatisfy { $0.count <= 80 })
  }

  @Test(
    "Names that are too long lose their beginning, and the summary is broken",
    arguments: [
      40, 60, 80, 100,
    ])
  func longNames(width: Int) async {
    let lines = await Self.screen(width, ["--by", "session"]) { resource in
      resource.sessions[0].initiator =
        "iqn.1993-08.org.debian:01:" + String(repeating: "x", count: 40)
      resource.sessions[0].target = "iqn.2026-11.com.example:a-target-with-a-name-of-its-own"
      resource.digestErrors = 12
      resource.loginFailures = ["timeout": 1234]
    }
    #expect(lines.allSatisfy { $0.count <= max(width, 49) }, "\(lines)")
    #expect(lines.contains { $0.contains("…") })
    #expect(lines.contains { $0.contains("name-of-its-own") } == (width > 40))
  }

  @Test("A line is cut by what is seen of it: colours take no place, and end with it")
  func cutting() {
    #expect(StatsCommand.cut("12345", to: 5) == "12345")
    #expect(StatsCommand.cut("85 µs and more", to: 5) == "85 µs")
    #expect(StatsCommand.cut("12\u{1B}[31m345\u{1B}[0m", to: 3) == "12\u{1B}[31m3\u{1B}[0m")
    #expect(StatsCommand.cut("", to: 3) == "")
  }

  @Test("--watch ends when nobody reads any more")
  func closedOutput() async {
    let console = TestConsole()
    console.state.withLock { $0.writesLeft = 2 }
    let run = await AdministrationCommandsTests.run(
      ["stats", "--watch"], Self.daemon(), console: console)
    #expect(run.code == 0)
    #expect(run.daemon.calls.count == 4)
  }

  @Test("A daemon that started anew has done all that it counts")
  func restart() async {
    let daemon = FakeDaemon {
      $0.statistics = [
        Self.reading(second: 0, reads: 1000, writes: 10),
        Self.reading(second: 1, reads: 50, writes: 0),
      ]
    }
    let run = await run("stats", daemon)
    #expect(run.output.contains("  50 IOPS"))
  }

  @Test("--json is the daemon's reading at once; with --watch one line each")
  func json() async {
    let one = await run("stats --json", Self.daemon())
    #expect(one.daemon.state.withLock { $0.slept }.isEmpty)
    let lines = await run("stats --json --watch --count 2", Self.daemon())
    #expect(lines.output.split(separator: "\n").count == 2)
    #expect(lines.output.hasPrefix("{\"at\":\"2026-11-21T06:44:14.000Z\""))
  }

  @Test("events are lines, and say nothing of signs of life")
  func events() async {
    let daemon = FakeDaemon { state in
      var event = Event(.loginRefused, "iqn.n\u{1B}: wrong secret")
      event.at = Samples.now
      state.events = [Event(.alive, ""), event, event, event]
    }
    let run = await run("events --count 2 --after 7", daemon)
    #expect(run.daemon.calls == ["events 7"])
    let line = "2026-11-21 06:44:14Z  loginRefused          iqn.n\\u{1b}: wrong secret\n"
    #expect(run.output == line + line)
    let json = await AdministrationCommandsTests.run("events --json", daemon)
    #expect(json.output.split(separator: "\n").count == 3)
    #expect(json.output.hasPrefix("{\"at\":"))
  }

  static let sizeTexts: [(UInt64, String)] = [
    (0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (100 << 30, "100 GiB"),
    (1_073_741_823, "1.0 GiB"), (1_610_612_736, "1.5 GiB"), (.max, "16.0 EiB"),
    (1 << 60, "1 EiB"),
  ]

  @Test("Sizes are in the unit that fits, rounded to one decimal", arguments: sizeTexts)
  func sizes(bytes: UInt64, text: String) {
    #expect(Quantity.size(bytes) == text)
  }

  static let latencyTexts: [(Double, String)] = [
    (0, "0 µs"), (85.4, "85 µs"), (999, "999 µs"), (1234, "1.2 ms"), (45_600, "46 ms"),
    (3_400_000, "3.4 s"), (.infinity, "9000000000000000000 s"),
  ]

  @Test("Latencies are in the unit that fits", arguments: latencyTexts)
  func latencies(microseconds: Double, text: String) {
    #expect(Quantity.latency(microseconds) == text)
  }
}
