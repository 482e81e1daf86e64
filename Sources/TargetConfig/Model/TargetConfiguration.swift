/// Everything one configuration file says, with every default filled in.
///
/// A value that came out of `ConfigurationLoader` holds these promises: names are unique, every
/// reference resolves, sizes are whole blocks, paths are absolute, names of iSCSI nodes are lower
/// case, and no incoming CHAP secret equals an outgoing one.
public struct TargetConfiguration: Sendable, Equatable {
  public var portals: [Portal] = Portal.standard
  /// In the order of the file.
  public var stores: [Store] = []
  /// In the order of the file.
  public var targets: [Target] = []
  public var discovery = Discovery()
  public var admin = Admin()
  /// What discovery sessions negotiate, and targets that say nothing else.
  public var iscsi = Negotiation.standard
  public var limits = Limits.standard
  public var stateDirectory = Self.standardStateDirectory
  public var engine = Engine.automatic
  /// The number of reactor threads; nil means one for each CPU.
  public var reactorCount: Int?
  /// The budget for I/O buffers; nil means a quarter of the memory, at most 1 GiB.
  public var memoryBytes: UInt64?
  public var logLevel = LogLevel.info

  public init() {}

  public static let standardStateDirectory = "/var/lib/swift-tgtd"
  public static let reactorCountMax = 256
  /// Two large bursts for each of a few sessions; below this nothing works well.
  public static let memoryBytesMin: UInt64 = 16 << 20
  public static let memoryBytesMax: UInt64 = 1 << 40

  /// Why buffers of `bytes` are too few for that many reactors, completing "<value> …"; nil when
  /// they are not. Below two of the longest bursts for each, large commands could only wait for
  /// each other.
  public func memoryProblem(bytes: UInt64, reactorCount: Int) -> String? {
    let burst = UInt64(targets.map(\.iscsi.maxBurstLength).max() ?? 0)
    let longest = max(burst, UInt64(iscsi.maxBurstLength))
    let needed = 2 * longest * UInt64(reactorCount)
    guard bytes < needed else { return nil }
    return "is too small: two bursts of \(ByteSize.description(longest)) for each reactor "
      + "(\(reactorCount)) need \(ByteSize.description(needed))"
  }

  public func store(named name: String) -> Store? { stores.first { $0.name == name } }

  public func target(named name: String) -> Target? { targets.first { $0.name == name } }
}

extension TargetConfiguration {
  /// Which I/O engine the reactors use.
  public enum Engine: String, Sendable, CaseIterable {
    case automatic = "auto"
    case uring
    case aio
  }

  /// The levels of swift-log, by their names there.
  public enum LogLevel: String, Sendable, CaseIterable {
    case trace, debug, info, notice, warning, error, critical
  }

  /// A listening socket and its portal group (RFC 7143 §4.4.1).
  public struct Portal: Sendable, Equatable {
    public var endpoint: Endpoint
    /// The portal group tag. Portals of one group may carry connections of one session.
    public var group: UInt16
    /// What discovery announces in place of `endpoint`, for addresses behind NAT or a service.
    public var advertise: AdvertisedEndpoint?

    public init(endpoint: Endpoint, group: UInt16 = 1, advertise: AdvertisedEndpoint? = nil) {
      self.endpoint = endpoint
      self.group = group
      self.advertise = advertise
    }

    /// Every address, IPv4 and IPv6 on sockets of their own.
    public static let standard = [
      Portal(endpoint: Endpoint(address: InternetAddress(v4: 0), port: Endpoint.defaultPort)),
      Portal(endpoint: Endpoint(address: InternetAddress(v6: 0), port: Endpoint.defaultPort)),
    ]
  }

  /// A CHAP user and its secret.
  public struct Credential: Sendable, Equatable {
    public var user: String
    public var secret: Secret
    /// The path of the file that the secret stands in; nil: it stands in the configuration itself.
    /// Which of them makes no difference to what is served.
    public var secretFile: String?

    public init(user: String, secret: Secret, secretFile: String? = nil) {
      self.user = user
      self.secret = secret
      self.secretFile = secretFile
    }

    public static func == (one: Credential, other: Credential) -> Bool {
      one.user == other.user && one.secret == other.secret
    }
  }

  /// Authentication of discovery sessions. Without `chap`, discovery needs none; it still shows an
  /// initiator only the targets that it may log in to.
  public struct Discovery: Sendable, Equatable {
    public var chap: [Credential] = []
    public var mutualChap: Credential?

    public init() {}
  }

  public struct Admin: Sendable, Equatable {
    /// The path of the Unix socket.
    public var socket = Self.standardSocket
    /// The system group that may use the socket; nil means its owner alone.
    public var group: String?
    /// nil: nobody on the network.
    public var listener: AdminListener?

    public init() {}

    public static let standardSocket = "/run/swift-tgtd/admin.sock"
  }

  /// The administration interface on the network.
  public struct AdminListener: Sendable, Equatable {
    public var endpoint: Endpoint
    /// Absolute paths of PEM files.
    public var certificate: String
    public var key: String
    /// The absolute path of the file with the bearer tokens.
    public var tokens: String

    /// Next to that of iSCSI.
    public static let defaultPort: UInt16 = 3261

    public init(endpoint: Endpoint, certificate: String, key: String, tokens: String) {
      self.endpoint = endpoint
      self.certificate = certificate
      self.key = key
      self.tokens = tokens
    }
  }

  /// Bounds of the whole daemon.
  public struct Limits: Sendable, Equatable {
    public var connections: Int
    public var sessions: Int
    /// Connections that have not finished their login: the bound against floods. One more and the
    /// oldest is dropped, so a flood costs this many connections and honest logins, over in
    /// milliseconds, still succeed.
    public var pendingLogins: Int
    public var loginTimeoutSeconds: Int

    public static let standard = Limits(
      connections: 4096, sessions: 1024, pendingLogins: 256, loginTimeoutSeconds: 15)
    /// A TSIH has 16 bits and is never zero (RFC 7143 §11.12.6); one more stays free, for a session
    /// that takes the place of another.
    public static let sessionsMax = 65_534

    public init(connections: Int, sessions: Int, pendingLogins: Int, loginTimeoutSeconds: Int) {
      self.connections = connections
      self.sessions = sessions
      self.pendingLogins = pendingLogins
      self.loginTimeoutSeconds = loginTimeoutSeconds
    }
  }
}
