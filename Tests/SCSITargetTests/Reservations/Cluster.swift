import BackingStore
import Reactor
import SCSIModel
import Synchronization

@testable import SCSITarget

/// Several initiators on several reactors that share one disk.
final class Cluster {
  let store: TestStore
  let unit: LogicalUnit
  let persistence: MemoryPersistence
  let reactors: [Reactor]
  let servers: [DeviceServer]
  private var nodes: [Node] = []

  init(
    reactors count: Int = 2, blocks: Int = 100, writeCache: Bool = true,
    reservations: SavedReservations = .intact(ReservationState()),
    options: LogicalUnitOptions = Bench.options
  ) {
    let store = TestStore(blockBytes: 512, blocks: blocks)
    let persistence = MemoryPersistence()
    var options = options
    options.reservations = reservations
    options.reservationPersistence = persistence
    let unit = LogicalUnit(
      identity: Bench.identity, store: store, startsWithWriteCache: writeCache,
      homeReactorIndex: 0, options: options)
    self.store = store
    self.persistence = persistence
    self.unit = unit
    reactors = (0..<count).map {
      Reactor(index: $0, engine: TestEngine(), memoryBudgetBytes: 64 << 20)
    }
    servers = reactors.map { DeviceServer(unit: unit, reactor: $0) }
  }

  /// Units and servers refer to each other.
  deinit { unit.withdraw() }

  func node(
    _ name: String, on reactorIndex: Int = 0, isReadOnly: Bool = false, portalGroupTag: UInt16 = 1
  ) -> Node {
    let node = Node(
      self, name, servers[reactorIndex], isReadOnly: isReadOnly, portalGroupTag: portalGroupTag)
    nodes.append(node)
    return node
  }

  /// Lets everything happen that can.
  func settle() { for _ in 0..<12 { for reactor in reactors { reactor.turn() } } }

  /// Lets `milliseconds` pass on every reactor.
  func pass(_ milliseconds: UInt32) {
    for reactor in reactors {
      guard let engine = reactor.engine as? TestEngine else { continue }
      engine.now = engine.now + Milliseconds(milliseconds)
    }
    settle()
  }

  /// Fills the mailbox of a reactor: until it turns, nothing reaches it.
  func block(_ reactorIndex: Int) { while reactors[reactorIndex].mailbox.post({}) {} }

  /// Lets all reactors but one do what they can.
  func settle(without reactorIndex: Int) {
    for _ in 0..<12 {
      for reactor in reactors where reactor.index != reactorIndex { reactor.turn() }
    }
  }
}

/// An initiator port with LUN 0 of a cluster, which keeps it.
final class Node: SCSITaskOwner {
  unowned let cluster: Cluster
  let server: DeviceServer
  let identity: NexusIdentity
  private let isReadOnly: Bool
  private(set) var nexus: InitiatorTargetNexus

  init(
    _ cluster: Cluster, _ name: String, _ server: DeviceServer, isReadOnly: Bool,
    portalGroupTag: UInt16
  ) {
    self.cluster = cluster
    self.server = server
    self.isReadOnly = isReadOnly
    identity = NexusIdentity(
      initiator: InitiatorPort(name: "iqn.2026-01.example:\(name)", isid: 0x4000_0137_0000),
      target: TargetPort(name: "iqn.2026-01.example:t", portalGroupTag: portalGroupTag))
    nexus = Node.makeNexus(identity)
    login()
  }

  private static func makeNexus(_ identity: NexusIdentity) -> InitiatorTargetNexus {
    InitiatorTargetNexus(identity: identity)
  }

  var lun: LogicalUnitNexus { nexus.unitNexus(at: 0)! }

  /// A session ends; its tasks have.
  func logout() { nexus.detachAll() }

  /// The next session of the same port, on `other` if it says so.
  func login(on other: DeviceServer? = nil) {
    nexus = Node.makeNexus(identity)
    nexus.attach(other ?? server, as: 0, isReadOnly: isReadOnly, attention: .powerOnOccurred)
    _ = lun.takeAttention()
  }

  func taskEnded(_ task: SCSITask) {}

  /// A task whose data is there, and that has not been told to execute.
  func admit(
    _ cdb: [UInt8], _ out: [UInt8] = [], attribute: SCSITask.Attribute = .simple
  ) -> SCSITask {
    let task = SCSITask(owner: self)
    let expected = out.isEmpty ? 1 << 16 : out.count
    task.begin(
      CommandDescriptorBlock(cdb), expectedDataIn: expected, expectedDataOut: out.count,
      attribute: attribute)
    if case .collect = lun.server.admit(task, lun), let data = task.data {
      data.store(Array(out.prefix(task.dataCount)), at: 0)
    }
    return task
  }

  /// A task that is under way, or has been refused.
  func begin(
    _ cdb: [UInt8], _ out: [UInt8] = [], attribute: SCSITask.Attribute = .simple
  ) -> SCSITask {
    let task = admit(cdb, out, attribute: attribute)
    if task.phase == .collectingData { lun.server.execute(task) }
    return task
  }

  func begin(
    _ command: (cdb: [UInt8], out: [UInt8]), attribute: SCSITask.Attribute = .simple
  ) -> SCSITask {
    begin(command.cdb, command.out, attribute: attribute)
  }

  /// How a command ends that nothing holds up.
  func run(_ cdb: [UInt8], _ out: [UInt8] = []) -> String {
    let task = begin(cdb, out)
    cluster.settle()
    return task.outcome
  }

  func run(_ command: (cdb: [UInt8], out: [UInt8])) -> String { run(command.cdb, command.out) }

  /// The parameter data of PERSISTENT RESERVE IN.
  func report(_ action: UInt8) -> [UInt8] {
    let task = begin([0x5E, action, 0, 0, 0, 0, 0, 0x10, 0, 0])
    cluster.settle()
    guard task.status == .good, let data = task.data else { return [] }
    return data.bytes(0..<task.dataCount)
  }

  /// The keys that READ KEYS tells.
  var keys: [UInt64] {
    let data = report(0)
    return stride(from: 8, to: data.count, by: 8).map { start in
      data[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  func write(_ block: UInt64 = 0) -> (cdb: [UInt8], out: [UInt8]) {
    (CDB.ten(0x2A, block, 1), [UInt8](repeating: 0x5A, count: 512))
  }
}

extension SCSITask {
  /// Key, ASC and ASCQ, or the status; "pending" before it has ended.
  var outcome: String {
    guard phase == .ended else { return "pending" }
    if isAborted, status == .good { return "aborted" }
    return sense?.description ?? "\(status)"
  }
}

/// PERSISTENT RESERVE OUT and its kin as CDBs with their parameter lists.
enum Reserve {
  static func out(
    _ action: UInt8, type: UInt8 = 0, key: UInt64 = 0, new: UInt64 = 0
  ) -> (cdb: [UInt8], out: [UInt8]) {
    (
      [0x5F, action, type, 0, 0, 0, 0, 0, 24, 0],
      CDB.bytes(key, 8) + CDB.bytes(new, 8) + [0, 0, 0, 0, 0, 0, 0, 0]
    )
  }
  static func register(_ key: UInt64, from old: UInt64 = 0) -> (cdb: [UInt8], out: [UInt8]) {
    out(0, key: old, new: key)
  }
  static func reserve(_ key: UInt64, _ type: UInt8) -> (cdb: [UInt8], out: [UInt8]) {
    out(1, type: type, key: key)
  }
  static func preempt(
    _ key: UInt64, _ victim: UInt64, _ type: UInt8 = 1, abort: Bool = false
  ) -> (cdb: [UInt8], out: [UInt8]) {
    out(abort ? 5 : 4, type: type, key: key, new: victim)
  }
  /// REGISTER AND MOVE to `port`, at relative target port 1.
  static func move(_ key: UInt64, to port: InitiatorPort) -> (cdb: [UInt8], out: [UInt8]) {
    let transportID = TransportID.port(port).encoded
    var list = CDB.bytes(key, 8) + CDB.bytes(key, 8)
    list += [0, 0, 0, 1] + CDB.bytes(UInt64(transportID.count), 4)
    list += transportID
    let cdb: [UInt8] = [0x5F, 7, 0, 0, 0] + CDB.bytes(UInt64(list.count), 4) + [0]
    return (cdb, list)
  }
  static let reserve6: [UInt8] = [0x16, 0, 0, 0, 0, 0]
  static let release6: [UInt8] = [0x17, 0, 0, 0, 0, 0]
}

/// Keeps what it is told to save in memory, when and if the test wants it to.
final class MemoryPersistence: UnitPersistence {
  private struct Contents {
    var saved: [ReservationState] = []
    var error: SystemError?
    var isHolding = false
    var held: [(ReservationState, SaveCompletion)] = []
  }

  private let contents = Mutex(Contents())

  /// What has been saved, in order.
  var saved: [ReservationState] { contents.withLock { $0.saved } }
  var heldCount: Int { contents.withLock { $0.held.count } }

  /// What further saves fail with.
  func fail(with error: SystemError?) { contents.withLock { $0.error = error } }

  /// Further saves do not end until `release`.
  func hold() { contents.withLock { $0.isHolding = true } }

  func release() {
    let held = contents.withLock { contents in
      contents.isHolding = false
      defer { contents.held = [] }
      return contents.held
    }
    for (state, completion) in held { end(state, completion) }
  }

  func save(
    _ state: ReservationState, of unit: LogicalUnitIdentity,
    completion: @escaping SaveCompletion
  ) {
    let isHeld = contents.withLock { contents in
      if contents.isHolding { contents.held.append((state, completion)) }
      return contents.isHolding
    }
    if !isHeld { end(state, completion) }
  }

  private func end(_ state: ReservationState, _ completion: SaveCompletion) {
    let error = contents.withLock { contents in
      if contents.error == nil { contents.saved.append(state) }
      return contents.error
    }
    completion(error)
  }
}
