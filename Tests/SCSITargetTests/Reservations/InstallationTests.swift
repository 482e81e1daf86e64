import Reactor
import SCSIModel
import Testing

@testable import SCSITarget

@Suite("Installing a change of reservations")
struct InstallationTests {
  @Test("With 1024 registrants every nexus that is one of them may read, and no other")
  func manyNexuses() {
    let cluster = Cluster(reactors: 1)
    let server = cluster.servers[0]
    var state = ReservationState()
    let nexuses = (0..<ReservationState.registrationsMax).map { index in
      let identity = NexusIdentity(
        initiator: InitiatorPort(name: "iqn.2026-01.example:node-\(index)", isid: UInt64(index)),
        target: TargetPort(name: "iqn.2026-01.example:t", portalGroupTag: 7))
      let nexus = InitiatorTargetNexus(identity: identity)
      nexus.attach(server, as: 0, isReadOnly: false, attention: .powerOnOccurred)
      // Every second one is fenced.
      if index % 2 == 0 { state.registrations.append(Registration(nexus: identity, key: 1)) }
      return nexus
    }
    for index in 0..<512 {
      let identity = NexusIdentity(
        initiator: InitiatorPort(name: "iqn.2026-01.example:away-\(index)", isid: 0),
        target: TargetPort(name: "iqn.2026-01.example:t", portalGroupTag: 7))
      state.registrations.append(Registration(nexus: identity, key: 2))
    }
    state.reservation = PersistentReservation(
      type: .exclusiveAccessRegistrantsOnly, holder: nexuses[0].identity)
    var installation = ReservationInstallation(
      copy: ReservationCopy(state: ReservationState()))
    installation.copy.version = 1
    installation.copy.state = state
    server.reservations.install(installation) {}
    for (index, nexus) in nexuses.enumerated() {
      #expect(nexus.unitNexuses[0].gate.admits(.read) == (index % 2 == 0))
    }
    for nexus in nexuses { nexus.detachAll() }
  }

  @Test("READ FULL STATUS numbers the port of a registration made through another target")
  func otherTarget() {
    var state = ReservationState()
    for (tag, name) in [(UInt16(9), "other"), (0, "third")] {
      let nexus = NexusIdentity(
        initiator: InitiatorPort(name: "iqn.2026-01.example:i", isid: 1),
        target: TargetPort(name: "iqn.2026-01.example:\(name)", portalGroupTag: tag))
      state.registrations.append(Registration(nexus: nexus, key: 1))
    }
    let store = TestStore(blockBytes: 512, blocks: 10)
    var options = LogicalUnitOptions()
    options.reservations = .intact(state)
    let unit = LogicalUnit(
      identity: Bench.identity, store: store, startsWithWriteCache: true, homeReactorIndex: 0,
      options: options)
    let data = Bench(store, unit: unit).run([0x5E, 3, 0, 0, 0, 0, 0, 1, 0, 0]).data
    let second = 8 + 24 + Int(data[8 + 23])
    #expect(data[8 + 18..<8 + 20] == [0, 9])
    #expect(data[second + 18..<second + 20] == [0xFF, 0xFF])
  }
}
