/// Which daemon this is.
public struct VersionResource: Codable, Sendable, Equatable {
  /// `swift-tgtd`.
  public var name: String
  public var version: String
  /// The newest version of the API: `v1`.
  public var api: String

  public init(name: String, version: String, api: String = "v1") {
    self.name = name
    self.version = version
    self.api = api
  }
}

/// How the daemon is.
public struct StatusResource: Codable, Sendable, Equatable {
  public enum Phase: String, Codable, Sendable, CaseIterable {
    case running, stopping
  }

  public var version: String
  public var phase: Phase
  public var processID: Int32
  public var startedAt: Timestamp
  /// Absolute; nil: it runs without a file.
  public var configurationFile: String?
  /// nil: without a file, or the disk does not say.
  public var configurationFileState: ConfigurationFileState?
  /// What runs is not what the file said when it was last read or written.
  public var hasUnsavedChanges: Bool
  /// Where identities, reservations and marks are kept.
  public var stateDirectory: String
  /// `uring` or `aio`.
  public var engine: String
  public var reactorCount: Int
  public var bufferBytes: UInt64
  public var bufferBytesInUse: UInt64
  public var targetCount: Int
  public var lunCount: Int
  public var storeCount: Int
  public var offlineStoreCount: Int
  /// Stores that serve what the next start would not find.
  public var endangeredStoreCount: Int
  public var sessionCount: Int
  public var connectionCount: Int
  public var portals: [PortalResource]
  /// Refused logins since the start by reason, as the metrics name them: `notFound`.
  public var loginFailures: [String: UInt64]
  /// Those of the last hour, the newest first, at most 16.
  public var refusedLogins: [RefusedLoginResource]
  /// What somebody ought to look at.
  public var problems: [StatusProblem]

  public init(version: String, phase: Phase, processID: Int32, startedAt: Timestamp) {
    self.version = version
    self.phase = phase
    self.processID = processID
    self.startedAt = startedAt
    hasUnsavedChanges = false
    stateDirectory = ""
    engine = ""
    reactorCount = 0
    bufferBytes = 0
    bufferBytesInUse = 0
    targetCount = 0
    lunCount = 0
    storeCount = 0
    offlineStoreCount = 0
    endangeredStoreCount = 0
    sessionCount = 0
    connectionCount = 0
    portals = []
    loginFailures = [:]
    refusedLogins = []
    problems = []
  }
}

/// What has become of the configuration file since the daemon last read or wrote it.
public enum ConfigurationFileState: String, Codable, Sendable, CaseIterable {
  /// It says what it said.
  case unchanged
  /// Somebody has edited it, and it is valid.
  case edited
  /// The next start and a reload would refuse it, or it cannot be read.
  case invalid
  /// There is none.
  case missing
}

/// Something that is not as it should be.
public struct StatusProblem: Codable, Sendable, Equatable {
  /// One sentence, for people.
  public var message: String
  /// The store, the portal or the configuration file that it is about.
  public var store: String?
  public var portal: String?
  public var file: String?
  /// What to do about it.
  public var remedy: String?

  public init(
    _ message: String, store: String? = nil, portal: String? = nil, file: String? = nil,
    remedy: String? = nil
  ) {
    self.message = message
    self.store = store
    self.portal = portal
    self.file = file
    self.remedy = remedy
  }
}
