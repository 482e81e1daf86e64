internal import AdministrationModel
internal import Glibc
internal import Logging
internal import Reactor
internal import Synchronization
internal import TargetConfig

/// The program: what `swift-tgtd` does once its arguments are read.
public enum DaemonProcess {
  /// Serves what the configuration at `path` says until a signal ends it.
  public static func run(configuration path: String) -> ExitStatus {
    guard let loaded = load(path) else { return .configuration }
    // Before the first thread, which inherits it.
    SignalThread.block()
    do throws(DaemonError) {
      let log = try LogQueue.start(STDERR_FILENO, .ofStandardError)
      defer { _ = log.flush(by: .current + LogQueue.flushBound) }
      return try serve(loaded, log)
    } catch {
      complain(error.sentences)
      return error.status
    }
  }

  private static func serve(
    _ loaded: LoadedConfiguration, _ log: LogQueue
  ) throws(DaemonError) -> ExitStatus {
    let threshold = LogThreshold(Logger.Level(loaded.configuration.logLevel))
    let logger = logger(threshold, log)
    let manager = ServiceManager.fromEnvironment()
    ProcessSetup.prepare(logger)
    logger.notice("starting", metadata: ["version": "\(Version.text)", "pid": "\(getpid())"])
    for warning in loaded.warnings { logger.warning("\(warning)") }
    let stopRequest = Semaphore()
    let reloading = Reloading()
    try SignalThread.start(
      logger,
      SignalThread.Effects(
        stop: { stopRequest.signal() },
        reload: {
          guard let administration = reloading.administration else {
            return logger.notice("SIGHUP ignored: the daemon starts")
          }
          administration.reloadBySignal()
        },
        beforeExit: { _ = log.flush(by: .current + LogQueue.flushBound) }))
    let daemon = try Daemon(loaded, logger: logger) { manager.status($0) }
    let service: AdministrationService
    do throws(DaemonError) {
      service = try AdministrationService(
        Administration(
          daemon, loaded, file: ConfigurationFile(loaded.fileName), logger: logger,
          onLevel: { threshold.set($0) }))
    } catch {
      _ = daemon.stop()
      throw error
    }
    reloading.administration = service.administration
    manager.ready(daemon.status)
    logger.notice("ready: \(daemon.status)")
    stopRequest.wait()
    manager.stopping()
    service.stop()
    return daemon.stop() ? .orderly : .failure
  }

  /// Prints what the configuration at `path` means, and which media are missing; or what is wrong
  /// with it: then the status is that of a start. Makes, locks and changes nothing.
  public static func check(configuration path: String) -> ExitStatus {
    guard let loaded = load(path) else { return .configuration }
    do throws(DaemonError) {
      print(ConfigurationSummary.text(try TargetDirectoryCheck.run(loaded)), terminator: "")
      return .orderly
    } catch {
      complain(error.sentences)
      return error.status
    }
  }

  /// nil: the problems were told.
  private static func load(_ path: String) -> LoadedConfiguration? {
    do throws(ConfigurationError) { return try ConfigurationLoader.load(path) } catch {
      complain(error.problems.map(\.description))
      return nil
    }
  }

  private static func logger(_ threshold: LogThreshold, _ log: LogQueue) -> Logger {
    let handler = LineLogHandler(threshold, style: .ofStandardError, queue: log)
    return Logger(label: "swift-tgtd") { _ in handler }
  }

  /// To people, hence without time or level; the journal takes the priority off. Written here and
  /// now: the process ends next, and the reason has to be out before.
  private static func complain(_ sentences: [String]) {
    let prefix = LineLogHandler.Style.ofStandardError == .priority ? "<3>" : ""
    for sentence in sentences {
      let bytes = Array("\(prefix)swift-tgtd: \(LogText.message(sentence))\n".utf8)
      unsafe _ = write(STDERR_FILENO, bytes, bytes.count)
    }
  }
}

/// Who reads the configuration anew; nobody before it is there.
private final class Reloading: Sendable {
  private let current = Mutex<Administration?>(nil)

  var administration: Administration? {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }
}
