internal import Logging
internal import Reactor
internal import TargetConfig

// What becomes of a store whose sync has failed.
extension StoreAssembly {
  func warnOfLatch(_ store: TargetConfiguration.Store, _ finding: LatchMarks.Finding) {
    switch finding {
    case .mark(let path):
      logger.error(
        """
        a sync of the store failed earlier, so writes to it are refused: stop the daemon, check the \
        store's data, remove the file named here as mark, and start the daemon
        """,
        metadata: ["store": "\(store.name)", "mark": "\(path)"])
    case .unreadable(let path, let error):
      logger.error(
        """
        whether a sync of the store failed earlier cannot be found out, so writes to it are refused: \
        stop the daemon, mend what keeps it from looking at the file named here as mark, and start \
        the daemon
        """,
        metadata: ["store": "\(store.name)", "mark": "\(path)", "error": "\(error)"])
    }
  }

  /// Called on a reactor: hands the work, which sleeps, to a thread.
  func latchHandler(_ name: String) -> @Sendable (SystemError) -> Void {
    { [self] error in
      let metadata: Logger.Metadata = [
        "store": "\(name)", "error": "\(error)", "mark": "\(marks.path(of: name))",
      ]
      logger.critical(
        "a sync failed and writes may be lost: the store refuses writes from now on",
        metadata: metadata)
      let isAccepted = latchThread.perform {
        do throws(SystemError) { try marks.mark(name, error) } catch {
          warnOfUnsavedMark(metadata, "\(error)")
        }
      }
      if !isAccepted { warnOfUnsavedMark(metadata, "too many marks wait to be saved") }
    }
  }

  private func warnOfUnsavedMark(_ metadata: Logger.Metadata, _ error: String) {
    logger.critical(
      """
      the mark of the failed sync cannot be saved: writes are refused until this process ends, but \
      after a restart the store would take writes again as if none were lost; check its data before, \
      or create the file named here as mark
      """,
      metadata: metadata.merging(["error": "\(error)"]) { $1 })
  }
}
