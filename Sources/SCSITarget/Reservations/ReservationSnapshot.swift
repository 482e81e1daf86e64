internal import Reactor
public import SCSIModel

/// The reservations of a logical unit as they are in force, for people to look at.
public struct ReservationSnapshot: Sendable, Hashable {
  public struct Registration: Sendable, Hashable {
    public var nexus: NexusIdentity
    public var key: UInt64
    /// It holds the reservation, alone or with all registrants.
    public var isHolder: Bool
    /// Its initiator is logged in.
    public var isLoggedIn: Bool
  }

  /// In the order of their making.
  public var registrations: [Registration]
  /// nil: no persistent reservation. The scope is always the logical unit.
  public var type: ReservationType?
  /// Since when there is that reservation, in milliseconds since 1970; nil: none, or since before
  /// this process began.
  public var since: UInt64?
  /// PRGENERATION.
  public var generation: UInt32
  /// APTPL.
  public var persistsThroughPowerLoss: Bool
  /// Who holds the unit by RESERVE (SPC-2 §5.5).
  public var legacyHolder: NexusIdentity?
}

/// What became of an administrator's wish to clear the reservations of a unit.
public enum ReservationClearing: Sendable, Equatable {
  /// On stable storage and in force on every reactor.
  case cleared
  /// They could not be saved, and are as they were.
  case notSaved
  /// What is known of them is damaged: the unit is offline, and its file has to be repaired.
  case offline
}

extension LogicalUnit {
  /// Asks the home reactor, from any thread; `completion` is called there. False: it cannot be
  /// asked now, as its mailbox is full or the unit is presented nowhere.
  public func reservations(
    completion: @escaping @Sendable (ReservationSnapshot) -> Void
  ) -> Bool {
    homeServer?.post { server in
      guard let home = server.reservations.home else { return completion(.init(of: server)) }
      completion(home.snapshot)
    } ?? false
  }

  /// Removes all registrations and reservations as CLEAR does (SPC-4 §5.13.11.6), whoever holds
  /// them, a RESERVE too, when its turn among the reservation commands has come. Those concerned
  /// find RESERVATIONS PREEMPTED. From any thread; otherwise as `reservations`.
  public func clearReservations(
    completion: @escaping @Sendable (ReservationClearing) -> Void
  ) -> Bool {
    guard !isOffline else {
      completion(.offline)
      return true
    }
    return homeServer?.post { server in
      guard let home = server.reservations.home else { return completion(.notSaved) }
      home.queue.append(.clear(completion))
      home.proceed()
    } ?? false
  }

  fileprivate var loggedIn: Set<NexusIdentity> { Set(presentNexuses) }
}

extension ReservationHome {
  fileprivate var snapshot: ReservationSnapshot {
    ReservationSnapshot(copy, unit: unit, since: since)
  }

  /// The administrator's CLEAR, whose turn has come.
  func clear(_ completion: @escaping (ReservationClearing) -> Void) {
    let holder = copy.legacyHolder
    guard !copy.state.registrations.isEmpty || holder != nil else { return completion(.cleared) }
    let change = copy.state.cleared()
    var installation = ReservationInstallation(copy: copy, attentions: change.attentions)
    installation.copy.state = change.state
    installation.copy.legacyHolder = nil
    if let holder, !change.attentions.contains(where: { $0.nexus == holder.nexus }) {
      installation.attentions.append(
        ReservationAttention(nexus: holder.nexus, attention: .reservationsPreempted))
    }
    carryOut(.clear(completion), installation)
  }
}

extension ReservationSnapshot {
  fileprivate init(_ copy: ReservationCopy, unit: LogicalUnit, since: UInt64?) {
    let state = copy.state
    let present = unit.loggedIn
    registrations = state.registrations.map {
      Registration(
        nexus: $0.nexus, key: $0.key, isHolder: state.isHolder($0.nexus),
        isLoggedIn: present.contains($0.nexus))
    }
    type = state.reservation?.type
    self.since = state.reservation == nil ? nil : since
    generation = state.generation
    persistsThroughPowerLoss = state.persistsThroughPowerLoss
    legacyHolder = copy.legacyHolder?.nexus
  }

  /// Of a unit without a home.
  fileprivate init(of server: DeviceServer) {
    self.init(server.reservations.copy, unit: server.unit, since: nil)
  }
}
