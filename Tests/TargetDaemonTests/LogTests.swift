import CLinux
import Glibc
import Logging
import Reactor
import Testing

@testable import TargetDaemon

@Suite("The log")
struct LogTests {
  private func line(
    _ level: Logger.Level, _ message: String, _ pairs: Logger.Metadata
  ) -> String { LineLogHandler.line(.priority, level, message, pairs) }

  @Test(
    "T-LOG-1: what a peer calls itself can neither end the line nor drive the terminal",
    arguments: [
      ("%n%s", "%n%s"), ("a\nb", "a\\nb"), ("a\r\nb", "a\\r\\nb"), ("a\u{0}b", "a\\u{0}b"),
      ("\u{1b}[31mred", "\\u{1b}[31mred"), ("\u{9b}2J", "\\u{9b}2J"), ("\u{7f}", "\\u{7f}"),
      ("\u{2028}", "\\u{2028}"), ("\u{202e}txt", "\\u{202e}txt"), ("\\n", "\\\\n"),
      ("", "\"\""), ("a b", "\"a b\""), ("a=b", "\"a=b\""), ("say \"x\"", "\"say \\\"x\\\"\""),
      ("ä", "ä"),
    ])
  func escapes(_ text: String, _ shown: String) {
    #expect(LogText.value(text) == shown)
    let line = self.line(.info, "login", ["initiator": "\(text)"])
    #expect(line == "<6>info login initiator=\(shown)\n")
    #expect(!self.line(.info, text, ["\(text)": "x"]).dropLast().contains { $0.isNewline })
  }

  @Test("T-LOG-1: a quote under a combining mark is escaped too, so no value can forge a field")
  func combiningMarks() {
    let line = self.line(.info, "login", ["initiator": "a\"\u{301} granted=\"\u{301}yes"])
    let expected = "<6>info login initiator=\"a\\\"\u{301} granted=\\\"\u{301}yes\"\n"
    // As bytes: "\"" equals no character that a mark has joined.
    #expect(Array(line.utf8) == Array(expected.utf8))
    #expect(LogText.value("\"\u{301}").utf8.elementsEqual("\"\\\"\u{301}\"".utf8))
    #expect(LogText.value("a\u{a0}b") == "\"a\u{a0}b\"", "any white space asks for quotes")
  }

  @Test("T-LOG-1: a value of 4 KiB is cut and its length told, also when every byte is escaped")
  func bounds() {
    let long = LogText.value(String(repeating: "x", count: 4096))
    #expect(long == "\"" + String(repeating: "x", count: 256) + "…(4096 bytes)\"")
    let escaped = LogText.value(String(repeating: "\u{1b}", count: 4096))
    #expect(escaped.utf8.count < 300)
    let many = Dictionary(
      uniqueKeysWithValues: (0..<1000).map {
        ("\($0)", Logger.MetadataValue.string(String(repeating: "\n", count: 4096)))
      })
    let line = self.line(.error, String(repeating: "y", count: 1 << 20), many)
    #expect(line.utf8.count < 16_384)
  }

  @Test("Priorities are those of syslog, values are sorted by key, nested ones are escaped too")
  func lines() {
    #expect(line(.critical, "m", [:]) == "<2>critical m\n")
    #expect(line(.debug, "m", [:]) == "<7>debug m\n")
    #expect(
      line(.notice, "m", ["b": ["x\ny"], "a": "1"])
        == "<5>notice m a=1 b=\"[\\\"x\\\\ny\\\"]\"\n")
    let timed = LineLogHandler.line(.time, .warning, "m", [:])
    #expect(timed.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning m\n/) != nil)
  }

  // MARK: The queue

  /// A pipe of one page, and what was written into it.
  private final class Pipe {
    let input: Int32
    private let output: Int32

    init() {
      var ends: [Int32] = [0, 0]
      precondition(pipe(&ends) == 0)
      (output, input) = (ends[0], ends[1])
      precondition(fcntl(input, F_SETPIPE_SZ, 4096) == 4096)
    }

    // The queue's thread keeps writing to the input: it stays open, and the reader's end with it.

    /// Lines until one of them ends with `last`.
    func lines(through last: String) -> [Substring] {
      var text: [UInt8] = []
      var chunk = [UInt8](repeating: 0, count: 4096)
      while !text.suffix(last.utf8.count + 1).elementsEqual((last + "\n").utf8) {
        var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        guard poll(&wanted, 1, 30_000) == 1 else { break }
        let count = read(output, &chunk, chunk.count)
        text += chunk.prefix(max(0, count))
      }
      return String(decoding: text, as: UTF8.self).split(separator: "\n")
    }
  }

  private func later() -> MonotonicTime { .current + .seconds(30) }

  @Test("Lines of many threads come out whole, each thread's in their order")
  func threads() throws {
    let pipe = Pipe()
    let queue = try LogQueue.start(pipe.input, .priority)
    let handler = LineLogHandler(level: .info, style: .priority, queue: queue)
    let logger = Logger(label: "test") { _ in handler }
    let done = Semaphore()
    for thread in 0..<4 {
      try PlatformThread.startDetached(name: "log \(thread)") {
        for index in 0..<50 { logger.info("thread", metadata: ["who": "\(thread)-\(index)"]) }
        logger.trace("below the level")
        done.signal()
      }
    }
    for _ in 0..<4 { done.wait() }
    logger.info("end")
    let lines = pipe.lines(through: "end").dropLast()
    #expect(lines.count == 200)
    for thread in 0..<4 {
      let own = lines.filter { $0.contains("who=\(thread)-") }
      #expect(own == (0..<50).map { "<6>info thread who=\(thread)-\($0)" })
    }
    #expect(queue.flush(by: later()))
  }

  @Test(
    "A reader that is stuck stops nobody: lines over the bound are dropped, and counted in place")
  func stuckReader() throws {
    let pipe = Pipe()
    let queue = try LogQueue.start(pipe.input, .priority)
    let sent = LogQueue.linesMax * 3
    for index in 0..<sent { queue.append("line \(index)\n") }
    #expect(!queue.flush(by: .current + Milliseconds(20)), "the pipe is full")
    // The flush noted the gap, so room for one more line comes after it.
    let before = pipe.lines(through: "as it was written")
    let kept = before.dropLast()
    #expect(kept == (0..<kept.count).map { "line \($0)" }[...], "in order, up to the gap")
    #expect(kept.count >= LogQueue.linesMax && kept.count < sent)
    #expect(
      before.last
        == """
        <4>warning \(sent - kept.count) lines were dropped: the log was not read as fast as it was \
        written
        """)
    queue.append("after\n")
    #expect(pipe.lines(through: "after") == ["after"])
    #expect(queue.flush(by: later()))
  }

  @Test("A gap is told as soon as there is room, though nobody logs or flushes any more")
  func gapWithoutSuccessor() throws {
    let pipe = Pipe()
    let queue = try LogQueue.start(pipe.input, .priority)
    let long = String(repeating: "x", count: 8191) + "\n"
    for _ in 0..<LogQueue.bytesMax / 8192 + 10 { queue.append(long) }
    let lines = pipe.lines(through: "as it was written")
    #expect(lines.last?.hasPrefix("<4>warning 1") == true, "\(lines.last ?? "nothing")")
    #expect(lines.count <= LogQueue.bytesMax / 8192 + 2, "at most 1 MiB waited")
  }

  @Test("A log whose reader has gone, or that does not block, is no reason to stop")
  func badDescriptors() throws {
    let closed = try LogQueue.start(-1, .time)
    closed.append("nobody reads this\n")
    #expect(closed.flush(by: later()))
    let pipe = Pipe()
    #expect(fcntl(pipe.input, F_SETFL, O_NONBLOCK) == 0)
    let queue = try LogQueue.start(pipe.input, .priority)
    for index in 0..<900 { queue.append("line number \(index)\n") }
    #expect(pipe.lines(through: "number 899").count == 900)
  }
}
