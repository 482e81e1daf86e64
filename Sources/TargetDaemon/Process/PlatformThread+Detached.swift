internal import Reactor

extension PlatformThread {
  /// A thread for what may sleep, such as waiting for a lock or a signal, that ends by itself.
  static func startDetached(
    name: String, _ run: @escaping @Sendable () -> Void
  ) throws(DaemonError) {
    do throws(SystemError) { try PlatformThread.start(name: name, run) } catch {
      throw DaemonError(
        .systemError,
        "cannot start the thread \(name): \(error); "
          + "raise the limit of tasks (TasksMax=) or free memory")
    }
  }
}
