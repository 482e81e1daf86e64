/// Makes the configuration from a document and reports what concerns several values at once. Where
/// a single value is wrong the checker has said so already; here it silently counts as absent.
struct ConfigurationBuilder {
  var report: ProblemReport
  let context: LoadingContext
  /// Good, and of the same directory; nil: there is none.
  let former: LoadedConfiguration?
  /// What `former` was read from, and what is read now.
  let texts: TextPair?
  var configuration = TargetConfiguration()
  var ledger = SecretLedger()
  /// Of the configuration, to look up: every LUN does.
  private(set) var storeNames: Set<String> = []

  init(
    report: ProblemReport, context: LoadingContext, former: LoadedConfiguration? = nil,
    texts: TextPair? = nil
  ) {
    self.report = report
    self.context = context
    self.former = former
    self.texts = texts
    self.report.beginCrossChecks()
  }

  mutating func build(_ root: DocumentNode) -> TargetConfiguration {
    if let node = root["portals"] { buildPortals(node) }
    if let node = root["iscsi"] { configuration.iscsi = negotiation(node, over: .standard) }
    if let node = root["stores"] { buildStores(node) }
    storeNames = Set(configuration.stores.map(\.name))
    if let node = root["targets"] {
      buildTargets(node)
      // One node for each target, unless one has no name, which is said already.
      if node.elements.count == configuration.targets.count { checkAccessStates(node) }
    }
    buildDiscovery(root["discovery"])
    buildDaemon(root)
    checkStoresAreUsed(root)
    checkOwnFiles(root)
    checkMemory(root)
    checkSecrets()
    return configuration
  }

  func resolve(_ path: String) -> String { FilePath.resolve(path, against: context.directory) }

  // MARK: Portals

  /// Each listens with a socket of its own, discovery tells of all, and each pair is compared here.
  static let portalCountMax = 1024

  private mutating func buildPortals(_ list: DocumentNode) {
    configuration.portals = []
    guard list.elements.count <= Self.portalCountMax else {
      return report.error(
        list, "\(list.elements.count) portals: at most \(Self.portalCountMax) are possible")
    }
    var places: [DocumentNode] = []
    for node in list.elements {
      let address = node["address"] ?? node
      guard let text = address.text, let endpoint = try? Endpoint(parsing: text) else { continue }
      for (earlier, place) in zip(configuration.portals, places)
      where endpoint.overlaps(earlier.endpoint) {
        report.error(
          address, "\(endpoint) overlaps \(earlier.endpoint) of line \(place.line): keep one")
        break
      }
      let group = node["group"]?.integer.flatMap { UInt16(exactly: $0) } ?? 1
      let advertise = node["advertise"]?.text.flatMap { try? AdvertisedEndpoint(parsing: $0) }
      configuration.portals.append(
        TargetConfiguration.Portal(endpoint: endpoint, group: group, advertise: advertise))
      places.append(node)
    }
    if list.elements.isEmpty {
      report.warning(list, "no portals: nobody can connect until one is added")
    }
  }

  // MARK: Daemon

  private mutating func buildDiscovery(_ node: DocumentNode?) {
    guard let node else { return }
    let users = credentials(node["chap"])
    configuration.discovery.chap = users
    configuration.discovery.mutualChap = outgoingCredential(node["mutualChap"])
    if let mutual = node["mutualChap"], node.hasNone("chap") { reportUselessMutual(mutual) }
  }

  private mutating func buildDaemon(_ root: DocumentNode) {
    if let path = root["state"]?.text { configuration.stateDirectory = resolve(path) }
    if let socket = root["admin"]?["socket"] { buildSocket(socket) }
    configuration.admin.group = root["admin"]?["group"]?.text
    configuration.admin.listener = root["admin"]?["listener"].flatMap { adminListener($0) }
    configuration.engine = choice(root["engine"]) ?? configuration.engine
    configuration.logLevel = choice(root["logLevel"]) ?? configuration.logLevel
    configuration.reactorCount = root["reactors"]?.int
    configuration.memoryBytes = root["memory"]?.sizeBytes
    if let node = root["limits"] { buildLimits(node) }
  }

  private mutating func buildSocket(_ node: DocumentNode) {
    guard let path = node.text.map({ resolve($0) }) else { return }
    configuration.admin.socket = path
    if path.utf8.count > 107, node.text != path {
      report.error(
        node, "\(path.quoted) has \(path.utf8.count) bytes: a socket's path has at most 107")
    }
  }

  private func adminListener(_ node: DocumentNode) -> TargetConfiguration.AdminListener? {
    let port = TargetConfiguration.AdminListener.defaultPort
    guard let address = node["address"]?.text,
      let endpoint = try? Endpoint(parsing: address, defaultPort: port),
      let certificate = node["certificate"]?.text, let key = node["key"]?.text,
      let tokens = node["tokens"]?.text
    else { return nil }
    return TargetConfiguration.AdminListener(
      endpoint: endpoint, certificate: resolve(certificate), key: resolve(key),
      tokens: resolve(tokens))
  }

  private mutating func buildLimits(_ node: DocumentNode) {
    var limits = TargetConfiguration.Limits.standard
    limits.connections = node["connections"]?.int ?? limits.connections
    limits.sessions = node["sessions"]?.int ?? min(limits.sessions, limits.connections)
    limits.pendingLogins =
      node["pendingLogins"]?.int ?? min(limits.pendingLogins, limits.connections)
    limits.loginTimeoutSeconds = node["loginTimeout"]?.int ?? limits.loginTimeoutSeconds
    for (key, value) in [("sessions", limits.sessions), ("pendingLogins", limits.pendingLogins)] {
      if value > limits.connections, let child = node[key] {
        report.error(
          child,
          "\(value) is more than limits.connections (\(limits.connections)): "
            + "each needs a connection")
      }
    }
    configuration.limits = limits
  }

  /// Where the file leaves the number of reactors open, the daemon looks again once it knows it.
  private mutating func checkMemory(_ root: DocumentNode) {
    guard let node = root["memory"], let memory = configuration.memoryBytes else { return }
    let reactors = configuration.reactorCount ?? 1
    if let problem = configuration.memoryProblem(bytes: memory, reactorCount: reactors) {
      report.error(node, "\(node.value.shown) \(problem)")
    }
  }

  // MARK: Negotiation

  mutating func negotiation(
    _ node: DocumentNode, over base: TargetConfiguration.Negotiation
  ) -> TargetConfiguration.Negotiation {
    var result = base
    result.headerDigest = choice(node["headerDigest"]) ?? base.headerDigest
    result.dataDigest = choice(node["dataDigest"]) ?? base.dataDigest
    result.maxRecvDataSegmentLength =
      length(node["maxRecvDataSegmentLength"]) ?? base.maxRecvDataSegmentLength
    result.maxBurstLength = length(node["maxBurstLength"]) ?? base.maxBurstLength
    result.initialR2T = node["initialR2T"]?.boolean ?? base.initialR2T
    result.immediateData = node["immediateData"]?.boolean ?? base.immediateData
    result.maxOutstandingR2T = node["maxOutstandingR2T"]?.int ?? base.maxOutstandingR2T
    result.maxConnections = node["maxConnections"]?.int ?? base.maxConnections
    result.defaultTime2WaitSeconds =
      node["defaultTime2Wait"]?.int ?? base.defaultTime2WaitSeconds
    result.defaultTime2RetainSeconds =
      node["defaultTime2Retain"]?.int ?? base.defaultTime2RetainSeconds
    result.queueDepth = node["queueDepth"]?.int ?? base.queueDepth
    result.nopIntervalSeconds = node["nopInterval"]?.int ?? base.nopIntervalSeconds
    result.nopTimeoutSeconds = node["nopTimeout"]?.int ?? base.nopTimeoutSeconds
    result.firstBurstLength = firstBurst(node, base, result.maxBurstLength)
    return result
  }

  /// RFC 7143 §13.14: FirstBurstLength must not exceed MaxBurstLength. An inherited value yields.
  private mutating func firstBurst(
    _ node: DocumentNode, _ base: TargetConfiguration.Negotiation, _ maxBurstLength: Int
  ) -> Int {
    guard let child = node["firstBurstLength"], let first = length(child) else {
      return min(base.firstBurstLength, maxBurstLength)
    }
    if first > maxBurstLength {
      report.error(
        child,
        "\(child.value.shown) is more than maxBurstLength "
          + "(\(ByteSize.description(UInt64(maxBurstLength)))): RFC 7143 §13.14 forbids it")
    }
    return first
  }

  private func length(_ node: DocumentNode?) -> Int? {
    node?.sizeBytes.flatMap { Int(exactly: $0) }
  }

  func choice<Choice: RawRepresentable<String>>(_ node: DocumentNode?) -> Choice? {
    node?.text.flatMap { Choice(rawValue: $0) }
  }
}

extension Endpoint {
  /// Whether Linux refuses to listen on both: the same address, or one covers the other.
  fileprivate func overlaps(_ other: Endpoint) -> Bool {
    guard port == other.port, address.family == other.address.family else { return false }
    return address == other.address || address.isUnspecified || other.address.isUnspecified
  }
}
