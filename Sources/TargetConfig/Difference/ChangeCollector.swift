/// Compares two configurations part by part.
struct ChangeCollector {
  typealias Application = ConfigurationChange.Application
  typealias Subject = ConfigurationChange.Subject

  let old: TargetConfiguration
  let new: TargetConfiguration
  private(set) var changes: [ConfigurationChange] = []

  init(old: TargetConfiguration, new: TargetConfiguration) {
    self.old = old
    self.new = new
  }

  mutating func compare() {
    comparePortals()
    compareStores()
    for pair in Pair.matching(old.targets, new.targets, by: { $0.name }) { compareTargets(pair) }
    compareUsers(old.discovery.chap, new.discovery.chap, .discovery)
    compareMutual(old.discovery.mutualChap, new.discovery.mutualChap, .discovery)
    for (key, before, after) in old.iscsi.differences(to: new.iscsi) {
      changed(.negotiation, key, before, after)
    }
    compareLimits()
    compareDaemon()
  }

  // MARK: Records

  mutating func added(_ subject: Subject, _ new: String? = nil) {
    record(.added, subject, nil, nil, new, .live)
  }

  mutating func removed(_ subject: Subject, _ old: String? = nil, _ application: Application) {
    record(.removed, subject, nil, old, nil, application)
  }

  /// Records nothing where both are the same.
  mutating func changed(
    _ subject: Subject, _ key: String, _ old: String, _ new: String,
    _ application: Application = .live
  ) {
    guard old != new else { return }
    record(.changed, subject, key, old, new, application)
  }

  mutating func changedSecret(_ subject: Subject) {
    record(.changed, subject, "secret", nil, nil, .live)
  }

  private mutating func record(
    _ kind: ConfigurationChange.Kind, _ subject: Subject, _ key: String?, _ old: String?,
    _ new: String?, _ application: Application
  ) {
    changes.append(
      ConfigurationChange(
        kind: kind, subject: subject, key: key, old: old, new: new, application: application))
  }

  // MARK: Portals and stores

  private mutating func comparePortals() {
    for pair in Pair.matching(old.portals, new.portals, by: { $0.endpoint }) {
      switch pair {
      case .added(let portal): added(.portal(portal.endpoint), Words.portal(portal))
      case .removed(let portal):
        // Its connections end with it.
        removed(.portal(portal.endpoint), Words.portal(portal), .reopen)
      case .both(let before, let after):
        let subject = Subject.portal(after.endpoint)
        // Sessions carry the tag in their names (RFC 7143 §4.4.2): they cannot take another.
        changed(subject, "group", "\(before.group)", "\(after.group)", .reopen)
        changed(
          subject, "advertise", before.advertise?.description ?? "the address",
          after.advertise?.description ?? "the address")
      }
    }
  }

  private mutating func compareStores() {
    for pair in Pair.matching(old.stores, new.stores, by: { $0.name }) {
      switch pair {
      case .added(let store): added(.store(store.name), Words.store(store))
      case .removed(let store): removed(.store(store.name), Words.store(store), .reopen)
      case .both(let before, let after): compareStores(before, after)
      }
    }
  }

  /// Initiators take a unit by its identity, and keep what they know of its blocks: where these
  /// change it is another unit to them.
  private mutating func compareStores(
    _ before: TargetConfiguration.Store, _ after: TargetConfiguration.Store
  ) {
    let subject = Subject.store(after.name)
    changed(subject, "medium", Words.medium(before.medium), Words.medium(after.medium), .reopen)
    let shrinks = (after.sizeBytes ?? .max) < (before.sizeBytes ?? 0)
    changed(
      subject, "size", Words.size(before.sizeBytes), Words.size(after.sizeBytes),
      shrinks ? .reopen : .live)
    changed(
      subject, "blockSize", Words.blockSize(before.blockSize), Words.blockSize(after.blockSize),
      .reopen)
    changed(
      subject, "physicalBlockSize", Words.physicalBlockSize(before),
      Words.physicalBlockSize(after), .reopen)
    changed(subject, "cache", before.cache.rawValue, after.cache.rawValue, .reopen)
    changed(subject, "discard", before.discard.rawValue, after.discard.rawValue, .reopen)
    changed(subject, "readOnly", "\(before.readOnly)", "\(after.readOnly)", .reopen)
    changed(subject, "queueDepth", "\(before.queueDepth)", "\(after.queueDepth)", .reopen)
    changed(
      subject, "thinThreshold", Words.threshold(before.thinThresholdPercent),
      Words.threshold(after.thinThresholdPercent), .reopen)
    changed(
      subject, "thinAvailableThreshold", Words.threshold(before.thinAvailableThresholdPercent),
      Words.threshold(after.thinAvailableThresholdPercent), .reopen)
    changed(subject, "removable", "\(before.removable)", "\(after.removable)", .reopen)
    changed(
      subject, "rotationRate", Words.rotationRate(before.rotationRate),
      Words.rotationRate(after.rotationRate), .reopen)
    changed(
      subject, "longCommands", "\(before.servesLongCommands)", "\(after.servesLongCommands)",
      .reopen)
    changed(
      subject, "referrals", "\(before.servesReferrals)", "\(after.servesReferrals)", .reopen)
    let generated = "generated"
    changed(
      subject, "naa", before.naa?.description ?? generated, after.naa?.description ?? generated,
      .reopen)
    changed(
      subject, "serial", before.serial?.quoted ?? generated, after.serial?.quoted ?? generated,
      .reopen)
    changed(subject, "vendor", before.vendor.quoted, after.vendor.quoted, .reopen)
    changed(subject, "product", before.product.quoted, after.product.quoted, .reopen)
  }

  // MARK: Daemon

  /// The tables behind them are made at the start.
  private mutating func compareLimits() {
    let (a, b) = (old.limits, new.limits)
    changed(.limits, "connections", "\(a.connections)", "\(b.connections)", .restart)
    changed(.limits, "sessions", "\(a.sessions)", "\(b.sessions)", .restart)
    changed(.limits, "pendingLogins", "\(a.pendingLogins)", "\(b.pendingLogins)", .restart)
    changed(
      .limits, "loginTimeout", "\(a.loginTimeoutSeconds)s", "\(b.loginTimeoutSeconds)s", .restart)
  }

  private mutating func compareDaemon() {
    changed(.daemon, "admin.socket", old.admin.socket, new.admin.socket, .restart)
    changed(
      .daemon, "admin.group", old.admin.group ?? "its owner alone",
      new.admin.group ?? "its owner alone", .restart)
    changed(
      .daemon, "admin.listener", Words.listener(old.admin.listener),
      Words.listener(new.admin.listener), .restart)
    changed(.daemon, "state", old.stateDirectory, new.stateDirectory, .restart)
    changed(.daemon, "engine", old.engine.rawValue, new.engine.rawValue, .restart)
    changed(
      .daemon, "reactors", Words.reactors(old.reactorCount), Words.reactors(new.reactorCount),
      .restart)
    changed(
      .daemon, "memory", Words.memory(old.memoryBytes), Words.memory(new.memoryBytes), .restart)
    changed(.daemon, "logLevel", old.logLevel.rawValue, new.logLevel.rawValue)
  }
}

/// An element of two lists in which it is not the same.
enum Pair<Element: Equatable> {
  case removed(Element)
  case both(Element, Element)
  case added(Element)

  /// Pairs elements by key, wherever they stand: first those of the old list in its order, then
  /// what is new. Of several with one key the first belongs to the first, and so on. Those that are
  /// alike are left out: a change concerns few of thousands.
  static func matching<Key: Hashable>(
    _ old: [Element], _ new: [Element], by key: (Element) -> Key
  ) -> [Pair<Element>] {
    var pairs: [Pair<Element>] = []
    var count = 0
    // Mostly it is the last: what stands before is paired as it is.
    while count < min(old.count, new.count), key(old[count]) == key(new[count]) {
      if old[count] != new[count] { pairs.append(.both(old[count], new[count])) }
      count += 1
    }
    var places: [Key: [Int]] = [:]
    for index in new.indices.dropFirst(count).reversed() {
      places[key(new[index]), default: []].append(index)
    }
    var taken: Set<Int> = []
    for element in old.dropFirst(count) {
      guard let index = places[key(element)]?.popLast() else {
        pairs.append(.removed(element))
        continue
      }
      taken.insert(index)
      if element != new[index] { pairs.append(.both(element, new[index])) }
    }
    let added = new.indices.dropFirst(count).filter { !taken.contains($0) }
    return pairs + added.map { .added(new[$0]) }
  }
}
