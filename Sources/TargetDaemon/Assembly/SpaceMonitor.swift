internal import BackingStore
internal import Logging
internal import Reactor
internal import SCSITarget
internal import TargetConfig

/// Looks, on a thread of its own, at how much room the sparse files of stores have left. Where it
/// cannot look the unit goes on telling what was found last.
final class SpaceMonitor: Sendable {
  /// Between two looks at a file with a threshold, so that the alarm comes soon; at others the
  /// figures are only read by people.
  private static let thresholdInterval = Milliseconds.seconds(5)
  private static let interval = Milliseconds.seconds(60)

  private let wakeUp = Semaphore()
  private let ended = Semaphore()

  private struct Watched: Sendable {
    let unit: LogicalUnit
    let path: String
    let hasThreshold: Bool
  }

  /// Starts the thread, which looks at whatever is served at the time.
  func start(_ inventory: Inventory, _ logger: Logger) throws(DaemonError) {
    do throws(DaemonError) {
      try PlatformThread.startDetached(name: "space monitor") { [wakeUp, ended] in
        Self.run(inventory, until: wakeUp, logger)
        ended.signal()
      }
    } catch {
      ended.signal()
      throw error
    }
  }

  private static func watched(_ inventory: Inventory) -> [Watched] {
    inventory.served.compactMap { served in
      let configured = served.opened.configured
      guard case .file(let path) = configured.medium,
        served.unit.store.capabilities.canPunchHoles
      else { return nil }
      return Watched(
        unit: served.unit, path: path, hasThreshold: configured.thinThresholdPercent != nil)
    }
  }

  /// False: a file system did not answer by `deadline`.
  func stop(by deadline: MonotonicTime) -> Bool {
    wakeUp.signal()
    return ended.wait(until: deadline)
  }

  private static func run(
    _ inventory: Inventory, until stopped: Semaphore, _ logger: Logger
  ) {
    var nextOfAll = MonotonicTime.current
    repeat {
      let now = MonotonicTime.current
      let isTimeForAll = now >= nextOfAll
      if isTimeForAll { nextOfAll = now + interval }
      for one in watched(inventory) where isTimeForAll || one.hasThreshold {
        look(at: one, logger)
      }
    } while !stopped.wait(until: .current + thresholdInterval)
  }

  private static func look(at watched: Watched, _ logger: Logger) {
    guard let space = StoreMedia.space(of: watched.path) else { return }
    let isAlarm = watched.unit.noteSpace(
      usedBytes: space.usedBytes, availableBytes: space.availableBytes)
    guard isAlarm else { return }
    logger.warning(
      "the store runs out of room: initiators were told so",
      metadata: [
        "store": "\(watched.unit.identity.name)", "usedMiB": "\(space.usedBytes >> 20)",
        "availableMiB": "\(space.availableBytes >> 20)",
      ])
  }
}
