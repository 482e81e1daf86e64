import AdministrationClient
import AdministrationModel
import Glibc
import Reactor
import ServiceFixtures
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

/// A daemon with its API on a socket of its own, administered by the real client.
final class LiveDaemon: Sendable {
  static let target = "iqn.2026-11.com.example:t"

  let scratch: Scratch
  let book = LogBook()
  let port: UInt16
  let daemon: Daemon
  let service: AdministrationService
  let client: AdministrationClient
  private let isStopped = Mutex(false)

  /// `rest` follows what every configuration here has; stores and targets for a start.
  /// `admin`: what is under that besides the socket.
  static func start(
    _ rest: String = LiveDaemon.disk, on fileSystem: any StateFileSystem = KernelFileSystem(),
    in scratch: Scratch? = nil, media: MediaThreads = MediaThreads(), admin: String = ""
  ) async throws -> LiveDaemon {
    try await onThread {
      try LiveDaemon(rest, fileSystem, try scratch ?? Scratch(), media, admin)
    }
  }

  private init(
    _ rest: String, _ fileSystem: any StateFileSystem, _ scratch: Scratch, _ media: MediaThreads,
    _ admin: String
  ) throws {
    self.scratch = scratch
    port = Loopback.freePort()
    let text = """
      // of the administrator
      {
        "portals": ["127.0.0.1:\(port)"], // one
        \(rest)
        "state": "state", "reactors": 2, "memory": "32MiB",
        "admin": {"socket": "admin.sock"\(admin)},
      }

      """
    try scratch.write(Array(text.utf8), to: "targets.json")
    let loaded = try ConfigurationLoader.load(scratch("targets.json"))
    daemon = try Daemon(loaded, logger: book.logger, media: media)
    do {
      service = try AdministrationService(
        Administration(
          daemon, loaded, file: ConfigurationFile(scratch("targets.json"), on: fileSystem),
          logger: book.logger))
    } catch {
      _ = daemon.stop()
      throw error
    }
    client = AdministrationClient(socketPath: scratch("admin.sock"))
  }

  deinit {
    guard !isStopped.withLock({ $0 }) else { return }
    let (service, daemon, scratch) = (service, daemon, scratch)
    try? PlatformThread.startDetached(name: "stop") {
      service.stop()
      _ = daemon.stop()
      _ = scratch
    }
  }

  func stop() async throws {
    isStopped.withLock { $0 = true }
    let (service, daemon) = (service, daemon)
    try await onThread {
      service.stop()
      _ = daemon.stop()
    }
  }

  /// A target with one LUN, open to any.
  static let disk = """
    "stores": {
        // the disk
        "disk": {"file": "disk.img", "size": "1MiB"},
      },
      "targets": [
        {"name": "\(target)", "luns": [{"lun": 1, "store": "disk"}], "initiators": "any"}, // all
      ],
    """

  // MARK: What it says

  var file: String {
    get throws { String(decoding: try scratch.read("targets.json"), as: UTF8.self) }
  }

  var previousFile: String {
    get throws { String(decoding: try scratch.read("targets.json~"), as: UTF8.self) }
  }

  /// As somebody with an editor would.
  func edit(_ change: (String) -> String) throws {
    try scratch.write(Array(change(try file).utf8), to: "targets.json")
  }

  /// What runs is what the file says.
  func isSaved() throws -> Bool {
    let loaded = try ConfigurationLoader.load(scratch("targets.json"))
    return ConfigurationDifference(
      from: service.administration.configuration, to: loaded.configuration
    ).isEmpty
  }

  // MARK: Changes

  @discardableResult
  func change(
    _ changes: Change..., options: ChangeOptions = ChangeOptions()
  ) async throws(AdministrationError) -> ChangeResult {
    try await client.change(ChangeRequest(changes, options))
  }

  /// A file store and the LUN that presents it.
  func lunAddition(
    _ store: String, size: UInt64 = 1 << 20, lun: UInt16? = nil
  ) -> [Change] {
    [
      .addStore(
        StoreSpecification(
          name: store, kind: .file, path: scratch("\(store).img"), sizeBytes: size)),
      .addLUN(
        Change.LUNAddition(target: Self.target, LUNSpecification(lun: lun, store: store))),
    ]
  }

  @discardableResult
  func addLUN(
    _ store: String, size: UInt64 = 1 << 20, lun: UInt16? = nil,
    options: ChangeOptions = ChangeOptions()
  ) async throws(AdministrationError) -> ChangeResult {
    try await client.change(ChangeRequest(lunAddition(store, size: size, lun: lun), options))
  }

  func exists(_ name: String) -> Bool { access(scratch(name), F_OK) == 0 }

  /// The error of what must be refused; and that neither file nor what runs is another afterwards.
  /// `isForeseen`: a dry run is refused in the same words.
  func refusal(
    _ changes: [Change], _ options: ChangeOptions = ChangeOptions(), isForeseen: Bool = true,
    location: SourceLocation = #_sourceLocation
  ) async throws -> AdministrationError {
    let before = (try file, service.administration.configuration)
    let client = client
    var trial = options
    trial.dryRun = true
    let foreseen =
      isForeseen ? await failure { try await client.change(ChangeRequest(changes, trial)) } : nil
    let error = await #expect(
      throws: AdministrationError.self, sourceLocation: location
    ) { try await client.change(ChangeRequest(changes, options)) }
    if isForeseen { #expect(foreseen == error, "of a dry run", sourceLocation: location) }
    #expect(try file == before.0, sourceLocation: location)
    #expect(service.administration.configuration == before.1, sourceLocation: location)
    return try #require(error, sourceLocation: location)
  }
}

private func failure(_ body: () async throws -> ChangeResult) async -> AdministrationError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? AdministrationError
  }
}

/// What waits for tasks must not hold up a thread of theirs.
func onThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    do {
      try PlatformThread.startDetached(name: "test") {
        continuation.resume(with: Swift.Result(catching: body))
      }
    } catch {
      continuation.resume(throwing: error)
    }
  }
}
