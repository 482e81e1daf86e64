internal import BackingStore
internal import ISCSITarget
internal import Logging
internal import Reactor
internal import SCSITarget
internal import Synchronization

// Sizes, when the change is on record: whatever happens from here on, the next start presents the
// new ones, and of a file that is larger nothing is lost.
extension Application {
  /// Tells the units, then cuts off what is behind the new end of those that shrank, which nobody
  /// can reach any more. Warnings.
  func resizeUnits() -> [String] { preparation.resized.compactMap { resize($0) } }

  private func resize(_ resize: Preparation.Resized) -> String? {
    let number = resize.sizing.begin()
    let isTold = Rendezvous()
    let outcome = ResizeOutcome()
    let isAsked = daemon.worker.insist(until: .current + Daemon.patience) { worker in
      worker.resize(unitNamed: resize.name, toBytes: resize.after, allowsShrinking: true) {
        outcome.note($0)
        isTold.done()
      }
    }
    guard isAsked else {
      return
        "the reactors take no orders: the store \(resize.name) has its new size after a restart"
    }
    let isCut = resize.after < resize.before
    guard isTold.wait(atMost: Daemon.patience) else {
      guard isCut else {
        return "the initiators of the store \(resize.name) hear of its size when they can be told"
      }
      isTold.afterwards { [daemon] in
        _ = daemon.changes.perform { _ = cut(resize, outcome.current, number) }
      }
      return "operations behind the new end of the store \(resize.name) do not end: its file is cut"
        + " when they have"
    }
    return isCut
      ? cut(resize, outcome.current, number) : Self.warning(resize, outcome.current)
  }

  private func cut(
    _ resize: Preparation.Resized, _ outcome: UnitResize?, _ number: UInt64
  ) -> String? {
    // It may be gone, or have got another size, since.
    guard let served = daemon.inventory.served(named: resize.name),
      served.opened.onDisk === resize.store
    else { return nil }
    guard outcome == .resized else { return Self.warning(resize, outcome) }
    guard served.unit.geometry.capacityBytes == resize.after else { return nil }
    guard let error = resize.sizing.cut(to: resize.after, of: number) else { return nil }
    let warning = "\(error): it is presented with its new size, and the file keeps the old one"
    daemon.logger.warning("\(warning)", metadata: ["store": "\(resize.name)"])
    return warning
  }

  /// Of a unit that has begun a wipe since it was asked.
  private static func warning(_ resize: Preparation.Resized, _ outcome: UnitResize?) -> String? {
    guard outcome != .resized else { return nil }
    return resize.after > resize.before
      ? "a FORMAT UNIT or SANITIZE works on all of the store \(resize.name): its initiators hear of"
        + " its size when it has ended"
      : "a FORMAT UNIT or SANITIZE works on all of the store \(resize.name): it is presented with its"
        + " new size after a restart"
  }
}

private final class ResizeOutcome: Sendable {
  private let outcome = Mutex<UnitResize?>(nil)
  var current: UnitResize? { outcome.withLock { $0 } }
  func note(_ outcome: UnitResize) { self.outcome.withLock { $0 = outcome } }
}
