import SCSIModel

/// Three nodes of a cluster, each with one initiator port, and the two ports of one target.
enum Cluster {
  static let target = "iqn.2026-01.org.example:disk"
  static let portOne = TargetPort(name: target, portalGroupTag: 1)
  static let portTwo = TargetPort(name: target, portalGroupTag: 2)

  static let a = nexus("a")
  static let b = nexus("b")
  static let c = nexus("c")

  static func nexus(_ host: String, isid: UInt64 = 0x0001_3700_0000) -> NexusIdentity {
    NexusIdentity(
      initiator: InitiatorPort(name: "iqn.2026-01.org.example:\(host)", isid: isid),
      target: portOne)
  }

  static let ports = ReservationPorts(targetPorts: [
    ReservationPorts.Port(portOne, relativeIdentifier: 1),
    ReservationPorts.Port(portTwo, relativeIdentifier: 2),
    // Another target that presents the same unit is another SCSI device.
    ReservationPorts.Port(
      TargetPort(name: "iqn.2026-01.org.example:other", portalGroupTag: 1),
      relativeIdentifier: 3),
  ])
}

extension NexusIdentity {
  /// The same initiator port at the other target port.
  var elsewhere: NexusIdentity {
    NexusIdentity(initiator: initiator, target: Cluster.portTwo)
  }
}

extension ReservationState {
  /// Registrations in the order given, and a reservation of a type.
  init(
    _ registrations: [(NexusIdentity, UInt64)], _ type: ReservationType? = nil,
    by holder: NexusIdentity? = nil
  ) {
    self.init()
    self.registrations = registrations.map { Registration(nexus: $0.0, key: $0.1) }
    reservation = type.map {
      PersistentReservation(type: $0, holder: $0.isAllRegistrants ? nil : holder)
    }
  }

  func after(
    _ request: PersistentReserveOut, from nexus: NexusIdentity,
    ports: ReservationPorts = Cluster.ports
  ) throws(ReservationRefusal) -> ReservationChange {
    try applying(request, from: nexus, ports: ports)
  }

  /// Applies, for sequences that look at the state only.
  mutating func take(
    _ request: PersistentReserveOut, from nexus: NexusIdentity
  ) throws(ReservationRefusal) {
    self = try applying(request, from: nexus, ports: Cluster.ports).state
  }

  var keys: [UInt64] { registrations.map(\.key) }
}

extension PersistentReserveOut {
  static func register(_ key: UInt64 = 0, new: UInt64) -> Self {
    Self(.register, reservationKey: key, serviceActionKey: new)
  }
  static func registerAndIgnore(new: UInt64) -> Self {
    Self(.registerAndIgnoreExistingKey, reservationKey: 0, serviceActionKey: new)
  }
  static func reserve(_ key: UInt64, _ type: ReservationType) -> Self {
    Self(.reserve, type: type, reservationKey: key)
  }
  static func release(_ key: UInt64, _ type: ReservationType) -> Self {
    Self(.release, type: type, reservationKey: key)
  }
  static func clear(_ key: UInt64) -> Self { Self(.clear, reservationKey: key) }
  static func preempt(_ key: UInt64, _ victim: UInt64, _ type: ReservationType) -> Self {
    Self(.preempt, type: type, reservationKey: key, serviceActionKey: victim)
  }
  static func preemptAndAbort(_ key: UInt64, _ victim: UInt64, _ type: ReservationType) -> Self {
    Self(.preemptAndAbort, type: type, reservationKey: key, serviceActionKey: victim)
  }
  static func move(
    _ key: UInt64, new: UInt64, to nexus: NexusIdentity, port: UInt16 = 1,
    unregistersSender: Bool = false
  ) -> Self {
    var request = Self(.registerAndMove, reservationKey: key, serviceActionKey: new)
    request.destination = Destination(
      relativeTargetPort: port, initiator: nexus.initiator,
      unregistersSender: unregistersSender)
    return request
  }
}

extension ReservationAttention {
  static func preempted(_ nexus: NexusIdentity) -> Self {
    Self(nexus: nexus, attention: .registrationsPreempted)
  }
  static func released(_ nexus: NexusIdentity) -> Self {
    Self(nexus: nexus, attention: .reservationsReleased)
  }
}
