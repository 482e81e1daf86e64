internal import BackingStore
internal import Logging
internal import Reactor
internal import TargetConfig

/// Waits, on a thread for each, for the lock of stores that another process still holds; all others
/// serve meanwhile.
struct LockWait: Sendable {
  let logger: Logger
  /// Called on that thread when one has ended its wait, with the lock or without.
  let onEnd: @Sendable () -> Void

  func begin(_ opened: [StoreAssembly.Opened]) throws(DaemonError) {
    for opened in opened {
      guard let store = opened.onDisk, store.readiness == .waitingForLock else { continue }
      let name = opened.configured.name
      try PlatformThread.startDetached(name: "lock \(name)") { wait(for: store, name) }
    }
  }

  private func wait(for store: DescriptorStore, _ name: String) {
    let owner = StoreMedia.lockOwner(of: store.path).map { "\($0)" } ?? "unknown"
    logger.warning(
      """
      another process holds the store's lock: its logical units answer NOT READY until that \
      process has ended and its last write has landed
      """,
      metadata: ["store": "\(name)", "path": "\(store.path)", "pid": "\(owner)"])
    do throws(StoreError) {
      try store.waitForLock()
      logger.notice("the store's lock is granted: it serves now", metadata: ["store": "\(name)"])
    } catch {
      logger.error(
        "the store cannot be used and stays NOT READY: correct this and restart",
        metadata: ["store": "\(name)", "error": "\(error)"])
    }
    onEnd()
  }
}
