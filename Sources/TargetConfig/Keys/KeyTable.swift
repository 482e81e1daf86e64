// Every key of the configuration file: type, unit, range, default, meaning. The checker, the
// messages and the schema are made from these rows; nothing else names a key's limits.

private typealias Configuration = TargetConfiguration

extension ObjectShape {
  /// The whole file.
  static let configuration = ObjectShape(
    name: "configuration", meaning: "The configuration of swift-tgtd, read at its start.",
    keys: [
      KeyDescription(
        name: "$schema", kind: .text(.free),
        meaning: "The JSON schema of this file, for editors; the daemon ignores it."),
      KeyDescription(
        name: "portals", kind: .list(.either([.text(.endpoint), .object(.portal)])),
        standard: .described(
          Configuration.Portal.standard.map(\.endpoint.description).joined(separator: ", ")),
        meaning: "The addresses to listen on: text, or an object for a portal group of its own."),
      KeyDescription(
        name: "stores", kind: .map(.storeName, .object(.store)),
        standard: .described("no stores"),
        meaning: "The logical units by name. Each has one identity and one cache setting, however "
          + "many targets present it."),
      KeyDescription(
        name: "targets", kind: .list(.object(.target)), standard: .described("no targets"),
        meaning: "The iSCSI targets."),
      KeyDescription(
        name: "iscsi", kind: .object(.negotiation),
        meaning: "What is negotiated where a target says nothing else, and with discovery."),
      KeyDescription(
        name: "discovery", kind: .object(.discovery),
        meaning: "Authentication of discovery sessions."),
      KeyDescription(
        name: "admin", kind: .object(.admin),
        meaning: "The administration interface: where swift-tgtadm and its like find the daemon."),
      KeyDescription(
        name: "state", kind: .text(.path),
        standard: .text(Configuration.standardStateDirectory),
        meaning: "The directory for identities and the marks of failed syncs. It must survive a "
          + "reboot. A relative path starts at the directory of this file."),
      KeyDescription(
        name: "engine", kind: .choice(Configuration.Engine.allCases.map(\.rawValue)),
        standard: .text(Configuration.Engine.automatic.rawValue),
        meaning: "The I/O engine: io_uring, or epoll with libaio where io_uring is forbidden."),
      KeyDescription(
        name: "reactors",
        kind: .either([.integer(1...Int64(Configuration.reactorCountMax)), .choice(["auto"])]),
        unit: "threads", standard: .text("auto"),
        meaning: "The number of reactor threads; auto means one for each CPU."),
      KeyDescription(
        name: "memory", kind: .size(Configuration.memoryBytesMin...Configuration.memoryBytesMax),
        unit: "bytes", standard: .described("a quarter of the memory, at most 1GiB"),
        meaning: "The budget for I/O buffers. Beyond it initiators get BUSY or TASK SET FULL."),
      KeyDescription(
        name: "limits", kind: .object(.limits),
        meaning: "Bounds of the whole daemon."),
      KeyDescription(
        name: "logLevel", kind: .choice(Configuration.LogLevel.allCases.map(\.rawValue)),
        standard: .text(Configuration.LogLevel.info.rawValue),
        meaning: "The least important messages that are logged."),
    ])

  static let portal = ObjectShape(
    name: "portal", meaning: "A listening address with its portal group.",
    keys: [
      KeyDescription(
        name: "address", kind: .text(.endpoint), isRequired: true,
        meaning: "IPv4 \"address:port\" or IPv6 \"[address]:port\"; without port, "
          + "\(Endpoint.defaultPort). Host names are not looked up."),
      KeyDescription(
        name: "group", kind: .integer(0...65535), standard: .integer(1),
        meaning: "The target portal group tag (RFC 7143 §13.9)."),
      KeyDescription(
        name: "advertise", kind: .text(.advertisedEndpoint), standard: .described("the address"),
        meaning: "What discovery announces instead, for addresses behind NAT or a service; a host "
          + "name is possible."),
    ])

  static let discovery = ObjectShape(
    name: "discovery",
    meaning: "Authentication of discovery sessions. An initiator is shown only the targets that "
      + "it may log in to.",
    keys: [
      KeyDescription(
        name: "chap", kind: .list(.object(.credential)), standard: .described("none needed"),
        meaning: "The users that may discover."),
      KeyDescription(
        name: "mutualChap", kind: .object(.credential),
        meaning: "How the target proves itself when the initiator asks for it."),
    ])

  static let credential = ObjectShape(
    name: "credential", meaning: "A CHAP user and its secret (RFC 1994).",
    keys: [
      KeyDescription(
        name: "user", kind: .text(.user), isRequired: true,
        meaning: "The CHAP name, CHAP_N."),
      KeyDescription(
        name: "secret", kind: .either([.text(.secret), .object(.secretFile)]), isRequired: true,
        meaning: "The secret, 12 to 255 bytes, or an object that names the file it stands in. It "
          + "must differ from every secret of the opposite direction."),
    ])

  static let secretFile = ObjectShape(
    name: "secretFile", meaning: "A file that holds one secret.",
    keys: [
      KeyDescription(
        name: "file", kind: .text(.path), isRequired: true,
        meaning: "Its path. The file must have mode 0600; a final line break does not count.")
    ])

  static let admin = ObjectShape(
    name: "admin",
    meaning: "The administration interface: where swift-tgtadm and its like find the daemon.",
    keys: [
      KeyDescription(
        name: "socket", kind: .text(.socketPath),
        standard: .text(Configuration.Admin.standardSocket),
        meaning: "The path of the Unix socket, at most 107 bytes."),
      KeyDescription(
        name: "group", kind: .text(.group), standard: .described("its owner alone"),
        meaning: "The system group that may use the socket besides its owner; its members are as "
          + "good as root: they can serve any file of the machine and read all secrets."),
      KeyDescription(
        name: "listener", kind: .object(.adminListener), standard: .described("none"),
        meaning: "Serves the same on the network, with TLS, to whoever has a token, who is as good "
          + "as root."),
    ])

  static let adminListener = ObjectShape(
    name: "adminListener",
    meaning: "The administration interface on the network: HTTPS with bearer tokens (RFC 6750).",
    keys: [
      KeyDescription(
        name: "address", kind: .text(.endpoint), isRequired: true,
        meaning: "The address and port to listen on; without port, 3261."),
      KeyDescription(
        name: "certificate", kind: .text(.path), isRequired: true,
        meaning: "The PEM file with the certificate, then those that lead to its root."),
      KeyDescription(
        name: "key", kind: .text(.path), isRequired: true,
        meaning: "The PEM file with the private key, which others must not be able to read."),
      KeyDescription(
        name: "tokens", kind: .text(.path), isRequired: true,
        meaning: "The file with the tokens, one a line of at least 16 bytes, which others must not "
          + "be able to read; one after the word metrics opens /v1/metrics alone. Tokens, "
          + "certificate and key are read anew with the configuration."),
    ])

  static let limits = ObjectShape(
    name: "limits", meaning: "Bounds of the whole daemon.",
    keys: [
      KeyDescription(
        name: "connections", kind: .integer(1...65_535),
        standard: .integer(Configuration.Limits.standard.connections),
        meaning: "TCP connections at the same time."),
      KeyDescription(
        name: "sessions", kind: .integer(1...Int64(Configuration.Limits.sessionsMax)),
        standard: .integer(Configuration.Limits.standard.sessions),
        meaning: "Sessions at the same time; at most as many as connections."),
      KeyDescription(
        name: "pendingLogins", kind: .integer(1...4096),
        standard: .integer(Configuration.Limits.standard.pendingLogins),
        meaning: "Connections that have not finished their login."),
      KeyDescription(
        name: "loginTimeout", kind: .integer(1...300), unit: "seconds",
        standard: .integer(Configuration.Limits.standard.loginTimeoutSeconds),
        meaning: "How long a login may take."),
    ])
}

extension ObjectShape {
  static let negotiation = ObjectShape(
    name: "iscsi", meaning: "Negotiation (RFC 7143 §13) and supervision of a session.",
    keys: digestKeys + transferKeys + sessionKeys)

  private static let standard = Configuration.Negotiation.standard

  private static let digestKeys = ["headerDigest", "dataDigest"].map { name in
    KeyDescription(
      name: name, kind: .choice(Configuration.DigestPolicy.allCases.map(\.rawValue)),
      standard: .text(standard.headerDigest.rawValue),
      meaning: "any: as the initiator prefers; none: never; crc32c: required (RFC 7143 §13.1).")
  }

  /// The protocol's range for the three lengths: 512 to 2^24-1 (RFC 7143 §13.12 to §13.14).
  private static let lengths: ClosedRange<UInt64> = 512...16_777_215

  private static let transferKeys = [
    KeyDescription(
      name: "maxRecvDataSegmentLength", kind: .size(lengths), unit: "bytes",
      standard: .text(ByteSize.description(UInt64(standard.maxRecvDataSegmentLength))),
      meaning: "The largest data segment the target accepts (RFC 7143 §13.12)."),
    KeyDescription(
      name: "maxBurstLength", kind: .size(lengths), unit: "bytes",
      standard: .text(ByteSize.description(UInt64(standard.maxBurstLength))),
      meaning: "The longest sequence of Data-In, or of Data-Out for one R2T (RFC 7143 §13.13)."),
    KeyDescription(
      name: "firstBurstLength", kind: .size(lengths), unit: "bytes",
      standard: .text(ByteSize.description(UInt64(standard.firstBurstLength))),
      meaning: "Unsolicited data of one command; at most maxBurstLength (RFC 7143 §13.14)."),
    KeyDescription(
      name: "initialR2T", kind: .boolean, standard: .boolean(standard.initialR2T),
      meaning: "Whether data waits for an R2T, which costs a round trip (RFC 7143 §13.10)."),
    KeyDescription(
      name: "immediateData", kind: .boolean, standard: .boolean(standard.immediateData),
      meaning: "Whether data may come with its command (RFC 7143 §13.11)."),
    KeyDescription(
      name: "maxOutstandingR2T", kind: .integer(1...8),
      standard: .integer(standard.maxOutstandingR2T),
      meaning: "R2Ts of one command in flight (RFC 7143 §13.17)."),
  ]

  private static let sessionKeys = [
    KeyDescription(
      name: "maxConnections", kind: .integer(1...8), standard: .integer(standard.maxConnections),
      meaning: "Connections of one session (RFC 7143 §13.2)."),
    KeyDescription(
      name: "defaultTime2Wait", kind: .integer(0...3600), unit: "seconds",
      standard: .integer(standard.defaultTime2WaitSeconds),
      meaning: "How long an initiator waits before it reconnects (RFC 7143 §13.15)."),
    KeyDescription(
      name: "defaultTime2Retain", kind: .integer(0...3600), unit: "seconds",
      standard: .integer(standard.defaultTime2RetainSeconds),
      meaning: "How long a session outlives its last connection (RFC 7143 §13.16)."),
    KeyDescription(
      name: "queueDepth", kind: .integer(1...Int64(Configuration.Negotiation.queueDepthMax)),
      unit: "commands",
      standard: .integer(standard.queueDepth),
      meaning: "Commands of one session in flight: the width of the CmdSN window."),
    KeyDescription(
      name: "nopInterval", kind: .integer(0...3600), unit: "seconds",
      standard: .integer(standard.nopIntervalSeconds),
      meaning: "Silence after which the target asks with a NOP-In; 0 means never."),
    KeyDescription(
      name: "nopTimeout", kind: .integer(1...3600), unit: "seconds",
      standard: .integer(standard.nopTimeoutSeconds),
      meaning: "How long the answer may take before the connection is closed."),
  ]
}
