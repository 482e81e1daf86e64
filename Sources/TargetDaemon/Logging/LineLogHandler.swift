internal import CLinux
internal import Glibc
internal import Logging

/// Makes one line of each event and hands it to the queue, on whose thread it is written:
///
///     2026-11-21T00:33:35.123Z notice listening address=0.0.0.0:3260 group=1
///
/// To the journal the line begins with its priority instead, which notes the time itself:
///
///     <5>notice listening address=0.0.0.0:3260 group=1
///
/// A value type, so that a change to one logger touches no other.
struct LineLogHandler: LogHandler {
  /// What begins a line.
  enum Style: Sendable, Equatable {
    case time
    /// sd-daemon(3).
    case priority
  }

  /// That of all, unless it was given another.
  var logLevel: Logger.Level {
    get { ownLevel ?? threshold.level }
    set { ownLevel = newValue }
  }
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  private let style: Style
  private let queue: LogQueue
  private let threshold: LogThreshold
  private var ownLevel: Logger.Level?

  /// More would be an attack on the reader.
  static let pairsMax = 24

  init(level: Logger.Level, style: Style, queue: LogQueue) {
    self.init(LogThreshold(level), style: style, queue: queue)
  }

  init(_ threshold: LogThreshold, style: Style, queue: LogQueue) {
    self.threshold = threshold
    self.style = style
    self.queue = queue
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var pairs = metadata
    if let provided = metadataProvider?.get() { pairs.merge(provided) { $1 } }
    if let own = event.metadata { pairs.merge(own) { $1 } }
    if let error = event.error { pairs["error"] = "\(error)" }
    queue.append(Self.line(style, event.level, event.message.description, pairs))
  }

  /// The line with its end.
  static func line(
    _ style: Style, _ level: Logger.Level, _ message: String, _ pairs: Logger.Metadata
  ) -> String {
    var line =
      switch style {
      case .time: LogTime.now.description + " "
      case .priority: "<\(level.priority)>"
      }
    line += "\(level.rawValue) \(LogText.message(message))"
    for (key, value) in pairs.sorted(by: { $0.key < $1.key }).prefix(pairsMax) {
      line += " \(LogText.value(key))=\(LogText.value(value.description))"
    }
    return line + "\n"
  }
}

extension LineLogHandler.Style {
  /// `.priority` when standard error is the journal's stream, as JOURNAL_STREAM ("device:inode")
  /// tells; a shell that inherited the variable may have sent it elsewhere (systemd.exec(5)).
  static var ofStandardError: LineLogHandler.Style {
    guard let stream = unsafe getenv("JOURNAL_STREAM").map({ unsafe String(cString: $0) }) else {
      return .time
    }
    var status = stat()
    guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return .time }
    return stream == "\(status.st_dev):\(status.st_ino)" ? .priority : .time
  }
}

extension Logger.Level {
  /// Priority of syslog(3).
  fileprivate var priority: Int {
    switch self {
    case .trace, .debug: 7
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .error: 3
    case .critical: 2
    }
  }
}

/// A moment in UTC as ISO 8601 writes it, to the millisecond.
private struct LogTime: CustomStringConvertible {
  let time: timespec

  static var now: LogTime {
    var time = timespec()
    unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
    return LogTime(time: time)
  }

  var description: String {
    var seconds = time.tv_sec
    var parts = unsafe tm()
    unsafe _ = gmtime_r(&seconds, &parts)
    let date = unsafe "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
    let clock = unsafe "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
    return "\(date)T\(clock).\(padded(Int32(time.tv_nsec / 1_000_000), 3))Z"
  }

  private func padded(_ number: Int32, _ width: Int = 2) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
