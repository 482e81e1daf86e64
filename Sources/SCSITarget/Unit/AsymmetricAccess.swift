internal import Reactor
public import SCSIModel
internal import Synchronization

/// Through which port groups a logical unit is how accessible (SPC-4 §5.15): one truth for all
/// reactors. Each nexus keeps the state of its own group beside it, where commands look; a change
/// reaches them by message.
///
/// A group that is not named is active/optimized. What SET TARGET PORT GROUPS has made of a state
/// lasts until the process ends: a start is a power on, and begins as configured.
public final class AsymmetricAccess: Sendable {
  public struct Group: Sendable, Equatable {
    public var state: AsymmetricAccessState
    /// PREF: the ports that initiators should prefer.
    public var isPreferred: Bool
    public var status: TargetPortGroup.Status

    public init(
      state: AsymmetricAccessState = .activeOptimized, isPreferred: Bool = false,
      status: TargetPortGroup.Status = .none
    ) {
      self.state = state
      self.isPreferred = isPreferred
      self.status = status
    }
  }

  /// Whether SET TARGET PORT GROUPS is served.
  public let isExplicit: Bool
  private let groups: Mutex<[UInt16: Group]>

  /// `groups`: by target port group tag.
  public init(groups: [UInt16: Group] = [:], isExplicit: Bool = false) {
    self.groups = Mutex(groups)
    self.isExplicit = isExplicit
  }

  /// TPGS of standard INQUIRY data: implicit always, since the configuration sets states.
  var targetPortGroupSupport: UInt8 { isExplicit ? 0b11 : 0b01 }

  public func group(_ tag: UInt16) -> Group { groups.withLock { $0[tag] ?? Group() } }

  /// Sets the states of some groups, and `status` of those that this changes.
  func set(
    _ states: [(tag: UInt16, state: AsymmetricAccessState)], status: TargetPortGroup.Status
  ) {
    groups.withLock { groups in
      for (tag, state) in states where (groups[tag] ?? Group()).state != state {
        groups[tag, default: Group()].state = state
        groups[tag, default: Group()].status = status
      }
    }
  }

  /// Sets PREF of some groups, which is no change of their states.
  func prefer(_ preferences: [UInt16: Bool]) {
    groups.withLock { groups in
      for (tag, isPreferred) in preferences where groups[tag]?.isPreferred ?? false != isPreferred {
        groups[tag, default: Group()].isPreferred = isPreferred
      }
    }
  }
}

/// What an initiator knows of the access through a target port group.
struct AccessSeen: Equatable {
  let group: UInt16
  let state: AsymmetricAccessState
  let isPreferred: Bool
}

extension AsymmetricAccess {
  /// What REPORT TARGET PORT GROUPS says of the groups of `ports`.
  func seen(through ports: [TargetPortIdentity]) -> [AccessSeen] {
    groups.withLock { groups in
      ports.map { port in
        let group = groups[port.group] ?? Group()
        return AccessSeen(group: port.group, state: group.state, isPreferred: group.isPreferred)
      }
    }
  }
}

extension LogicalUnit {
  /// Changes, from any thread, how the unit is accessible through some groups (implicit asymmetric
  /// access), and which of them are preferred: initiators hear 2A/06. False: a reactor could not be
  /// told; call again.
  public func setAccess(_ groups: [UInt16: AsymmetricAccess.Group]) -> Bool {
    access.set(groups.map { ($0.key, $0.value.state) }, status: .implicitlyAltered)
    access.prefer(groups.mapValues(\.isPreferred))
    return deviceServers.map { $0.post { $0.accessStatesChanged(except: nil) } }.allSatisfy { $0 }
  }
}

extension DeviceServer {
  /// Installs the states that hold now in the nexuses of this reactor, which makes them count, and
  /// tells those whose unit is accessible in another way, through whatever group.
  func accessStatesChanged(except origin: ObjectIdentifier?) {
    for nexus in nexuses {
      let seen = unit.access.seen(through: nexus.initiatorTarget.targetPorts)
      nexus.accessState = unit.access.group(nexus.initiatorTarget.port.group).state
      guard nexus.accessSeen != seen else { continue }
      nexus.accessSeen = seen
      if ObjectIdentifier(nexus) != origin { nexus.establish(.asymmetricAccessStateChanged) }
    }
  }

  /// The target of `nexus` has other ports. Of the groups that are new no change is told; what has
  /// changed of the others is.
  func accessPortsChanged(of nexus: LogicalUnitNexus) {
    let seen = unit.access.seen(through: nexus.initiatorTarget.targetPorts)
    let former = nexus.accessSeen
    nexus.accessState = unit.access.group(nexus.initiatorTarget.port.group).state
    nexus.accessSeen = seen
    let hasChanged = seen.contains { group in
      former.contains { $0.group == group.group && $0 != group }
    }
    if hasChanged { nexus.establish(.asymmetricAccessStateChanged) }
  }
}
