public import Logging
import Synchronization

/// Remembers what was logged.
public final class LogBook: Sendable {
  private let level: Logger.Level
  private let entries = Mutex<[String]>([])

  /// Nothing below `level`.
  public init(_ level: Logger.Level = .trace) { self.level = level }

  /// Level, message, metadata.
  public var lines: [String] { entries.withLock { $0 } }

  public func contains(_ text: String) -> Bool { lines.contains { $0.contains(text) } }

  public var logger: Logger { Logger(label: "test") { _ in Handler(book: self) } }

  private struct Handler: LogHandler {
    let book: LogBook
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    init(book: LogBook) {
      self.book = book
      logLevel = book.level
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let line = "\(event.level) \(event.message) \(event.metadata ?? [:])"
      book.entries.withLock { $0.append(line) }
    }
  }
}
