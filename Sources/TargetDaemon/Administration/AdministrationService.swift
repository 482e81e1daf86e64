internal import AdministrationServer
internal import Logging
internal import Reactor
internal import Synchronization
internal import TargetConfig

/// The administration of a daemon, and its server: on as soon as the portals listen, and off before
/// the daemon stops.
final class AdministrationService: Sendable {
  /// How long the watch of the stores may take to end: a medium that hangs when it is opened is
  /// left to itself.
  private static let watchPatience = Milliseconds.seconds(2)

  let administration: Administration
  private let server: AdministrationServer

  /// Blocks until clients can connect.
  init(_ administration: Administration) throws(DaemonError) {
    self.administration = administration
    let admin = administration.configuration.admin
    var configuration = AdministrationServer.Configuration(
      socketPath: admin.socket, group: admin.group)
    configuration.network = admin.listener.map { AdministrationServer.NetworkEndpoint($0) }
    configuration.standBack = { PlatformThread.standBack() }
    // The whole stop of the daemon has ten.
    configuration.limits.stopTime = .seconds(1)
    configuration.limits.bodyBytesMax = ConfigurationLoader.byteCountMax + (1 << 16)
    server = AdministrationServer(
      administration, events: administration.daemon.events, configuration: configuration,
      logger: administration.logger)
    try Self.makeDirectory(of: admin.socket)
    let problem: AdministrationServerError? = waitFor { [server] in
      do throws(AdministrationServerError) {
        try await server.start()
        return nil
      } catch {
        return error
      }
    }
    if let problem { throw Self.refusal(problem, admin) }
    administration.credentials.use(server)
    do throws(DaemonError) { try administration.watch.start(administration) } catch {
      stop()
      throw error
    }
  }

  func stop() {
    administration.noteStop()
    administration.credentials.use(nil)
    let _: Bool = waitFor { [server] in
      await server.stop()
      return true
    }
    if !administration.watch.stop(by: .current + Self.watchPatience) {
      administration.logger.warning("a medium that was missing is still being opened")
    }
  }

  private static func refusal(
    _ error: AdministrationServerError, _ admin: TargetConfiguration.Admin
  ) -> DaemonError {
    let remedy =
      switch error {
      case .socketTaken:
        "stop the daemon that has it, or give this one another (\"admin\": {\"socket\": …})"
      case .socket:
        "see to its directory, or choose another path (\"admin\": {\"socket\": …})"
      case .noSuchGroup: "make the group, or leave \"group\" out"
      case .listener: "correct \"admin\": {\"listener\": …}, or leave it out"
      case .alreadyStarted: "report this"
      }
    return DaemonError(.unavailable, "\(error); \(remedy)")
  }

  /// The directory above the socket, which at its standard place is gone after each boot.
  private static func makeDirectory(of socket: String) throws(DaemonError) {
    guard let slash = socket.lastIndex(of: "/"), slash != socket.startIndex else { return }
    let directory = String(socket[..<slash])
    guard !StoreMedia.exists(directory) else { return }
    do throws(SystemError) { try StateFile.makeDirectory(directory, mode: 0o755) } catch {
      throw DaemonError(
        .unavailable,
        "admin.socket \(socket): cannot make the directory \(directory): \(error); make it, or choose "
          + "another path (\"admin\": {\"socket\": …})")
    }
  }
}

/// What a task comes to. For threads that may sleep, never for those of tasks.
private func waitFor<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) -> Result {
  let outcome = Outcome<Result>()
  let done = Semaphore()
  Task {
    outcome.give(await body())
    done.signal()
  }
  done.wait()
  return outcome.value
}

private final class Outcome<Value: Sendable>: Sendable {
  private let given = Mutex<Value?>(nil)

  func give(_ value: Value) { given.withLock { $0 = value } }

  var value: Value {
    guard let value = given.withLock({ $0 }) else { preconditionFailure("it is given first") }
    return value
  }
}

extension AdministrationServer.NetworkEndpoint {
  init(_ listener: TargetConfiguration.AdminListener) {
    self.init(
      host: "\(listener.endpoint.address)", port: Int(listener.endpoint.port),
      certificateFile: listener.certificate, keyFile: listener.key, tokenFile: listener.tokens)
  }
}
