import BackingStore
import Reactor
import SCSIModel
import SCSITarget
import Synchronization
import TargetSimulation

/// A logical unit on two reactors, and nodes that use it, one command after the other.
public final class UnitBench: SCSITaskOwner {
  /// How a command ended.
  public struct Outcome: Sendable {
    /// Key, ASC and ASCQ, or the status if it is not CHECK CONDITION.
    public var summary: String
    public var data: [UInt8]
  }

  let world = SimulatedWorld(seed: 1)
  let store: MemoryStore
  let unit: LogicalUnit
  private let reactors: [Reactor]
  private var nodes: [InitiatorTargetNexus] = []
  private let persistence = InstantPersistence()
  private let task = SCSITask()

  /// The last node may only read.
  public static let nodeCount = 4

  public init(blockBytes: UInt32, blocks: Int) throws {
    let world = world
    reactors = (0..<2).map { world.makeReactor(index: $0, memoryBudgetBytes: 32 << 20) }
    store = try MemoryStore(
      sizeBytes: UInt64(blocks) * UInt64(blockBytes), logicalBlockBytes: blockBytes,
      anchors: true)
    var options = LogicalUnitOptions()
    options.reservationPersistence = persistence
    unit = LogicalUnit(
      identity: LogicalUnitIdentity(
        name: "disk", naa: [0x60] + [UInt8](repeating: 1, count: 15), serial: "S1",
        vendor: "SWIFTTGT", product: "VIRTUAL-DISK", revision: "1"), store: store,
      startsWithWriteCache: true, homeReactorIndex: 1, options: options)
    let servers = reactors.map { DeviceServer(unit: unit, reactor: $0) }
    task.belong(to: self)
    for number in 0..<UnitBench.nodeCount {
      let nexus = UnitBench.nexus(number)
      nexus.attach(
        servers[number % 2], as: 0, isReadOnly: number == UnitBench.nodeCount - 1,
        attention: .powerOnOccurred)
      nodes.append(nexus)
    }
  }

  /// Lets go of everything; units and device servers know each other.
  public func close() {
    for node in nodes { node.detachAll() }
    unit.withdraw()
  }

  private static func nexus(_ number: Int) -> InitiatorTargetNexus {
    let initiator = InitiatorPort(
      name: "iqn.2026-11.com.example:n\(number)", isid: 0x0002_3D00_0000 + UInt64(number))
    let target = TargetPort(name: "iqn.2026-11.com.example:disk", portalGroupTag: 1)
    return InitiatorTargetNexus(identity: NexusIdentity(initiator: initiator, target: target))
  }

  public func taskEnded(_ task: SCSITask) {}

  /// Runs a command of `node` to its end. `out` is what the initiator has to send, `room` what it
  /// takes.
  public func run(_ node: Int, _ cdb: [UInt8], out: [UInt8] = [], room: Int = 1 << 22) -> Outcome {
    guard let nexus = nodes[node].unitNexus(at: 0) else { preconditionFailure() }
    let server = nexus.server
    task.begin(
      CommandDescriptorBlock(cdb), expectedDataIn: room, expectedDataOut: out.count)
    switch server.admit(task, nexus) {
    case .refused: break
    case .collect(let count):
      if let data = task.data { data.store(Array(out.prefix(count)), at: 0) }
      execute(server)
    case .execute: execute(server)
    }
    settle()
    defer { task.recycle(to: server.reactor.buffers) }
    var data: [UInt8] = []
    if task.direction == .dataIn, task.dataCount > 0, let buffer = task.data {
      data = buffer.bytes(0..<task.dataCount)
    }
    return Outcome(summary: task.sense?.description ?? "\(task.status)", data: data)
  }

  private func execute(_ server: DeviceServer) {
    server.execute(task)
    turn { task.phase == .ended }
  }

  private func turn(until isDone: () -> Bool) {
    for _ in 0..<100 {
      if isDone() { return }
      for reactor in reactors { reactor.turn() }
    }
    // It waits for a timer: time has to pass.
    let outcome = world.run(reactors, until: isDone, within: .seconds(3600))
    precondition(outcome == .satisfied, "a command does not end")
  }

  /// Lets every reactor hear what the others have to tell: unit attentions follow the answer.
  private func settle() {
    for _ in 0..<2 { for reactor in reactors { reactor.turn() } }
  }

  /// LOGICAL UNIT RESET by `node`.
  public func reset(_ node: Int) {
    guard let nexus = nodes[node].unitNexus(at: 0) else { preconditionFailure() }
    var isDone = false
    nexus.server.reset(by: nexus, attention: .busDeviceResetFunctionOccurred) { isDone = true }
    turn { isDone }
    settle()
  }

  /// What is on the medium, whoever may read it.
  public func contents(_ range: Range<Int>) -> [UInt8] {
    guard let buffer = reactors[0].buffers.allocate(range.count) else { return [] }
    defer { reactors[0].buffers.release(buffer) }
    let request = StoreRequest(client: Reader.shared)
    request.prepareRead(into: buffer.slice(0..<range.count), at: UInt64(range.lowerBound))
    store.start(request, on: reactors[0])
    turn { !request.isInFlight }
    return buffer.bytes(0..<range.count)
  }

  /// Waits for a FORMAT UNIT or SANITIZE that goes on after its GOOD, in memory of its own. Where
  /// any is left over, that never ends.
  public func waitForMemory() { turn { lentBytes == 0 } }

  /// Memory that no command holds any more.
  public var lentBytes: Int { reactors.reduce(0) { $0 + $1.buffers.lentBytes } }
}

/// Has no use for the news that its request has ended.
private final class Reader: StoreClient {
  nonisolated(unsafe) static let shared = Reader()
  func storeRequestEnded(_ request: StoreRequest, _ failure: StoreFailure?) {}
}

/// Saves at once, in memory.
private final class InstantPersistence: UnitPersistence {
  private let saved = Mutex<ReservationState?>(nil)

  func save(
    _ state: ReservationState, of unit: LogicalUnitIdentity,
    completion: @escaping SaveCompletion
  ) {
    saved.withLock { $0 = state }
    completion(nil)
  }
}
