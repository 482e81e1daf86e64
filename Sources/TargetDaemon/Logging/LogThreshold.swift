internal import Logging
internal import Synchronization
internal import TargetConfig

/// The least important messages that all loggers of the daemon let through, which may change while
/// it runs. Asked by every message: one load.
final class LogThreshold: Sendable {
  private let index: Atomic<Int>

  init(_ level: Logger.Level) { index = Atomic(Self.index(of: level)) }

  var level: Logger.Level { Logger.Level.allCases[index.load(ordering: .relaxed)] }

  func set(_ level: TargetConfiguration.LogLevel) {
    index.store(Self.index(of: Logger.Level(level)), ordering: .relaxed)
  }

  private static func index(of level: Logger.Level) -> Int {
    Logger.Level.allCases.firstIndex(of: level) ?? 0
  }
}

extension Logger.Level {
  init(_ level: TargetConfiguration.LogLevel) { self = Self(rawValue: level.rawValue) ?? .info }
}
