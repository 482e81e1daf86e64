import BackingStore
import Reactor
import SCSIModel

@testable import SCSITarget

/// How a command ended.
struct Outcome: Equatable {
  var status: SCSIStatus
  var sense: SenseData?
  var data: [UInt8]
  var transferLength: UInt64
  var isAborted = false
  /// The sense data as it is sent.
  var encodedSense: [UInt8] = []

  /// Key, ASC and ASCQ, or the status if it is not CHECK CONDITION.
  var summary: String { sense?.description ?? "\(status)" }
}

/// One initiator port on one reactor with a logical unit at LUN 0.
final class Bench: SCSITaskOwner {
  let reactor: Reactor
  let store: TestStore
  let unit: LogicalUnit
  let server: DeviceServer
  let nexus: InitiatorTargetNexus
  private(set) var ended: [SCSITask] = []
  private var others: [InitiatorTargetNexus] = []

  init(
    _ store: TestStore, unit shared: LogicalUnit? = nil, reactorIndex: Int = 0,
    writeCache: Bool = true, isReadOnly: Bool = false, attention: SenseData? = nil,
    memoryBytes: Int = 64 << 20, queueDepth: Int = LogicalUnit.queueDepthDefault,
    options: LogicalUnitOptions = Bench.options, targetPorts: [TargetPortIdentity] = [],
    hasProtocolLevel2: Bool = false
  ) {
    reactor = Reactor(index: reactorIndex, engine: TestEngine(), memoryBudgetBytes: memoryBytes)
    self.store = store
    var options = options
    options.queueDepth = queueDepth
    unit =
      shared
      ?? LogicalUnit(
        identity: Bench.identity, store: store, startsWithWriteCache: writeCache,
        homeReactorIndex: 0, options: options)
    server = DeviceServer(unit: unit, reactor: reactor)
    nexus = InitiatorTargetNexus(
      identity: NexusIdentity(
        initiator: InitiatorPort(
          name: "iqn.2026-01.example:i\(reactorIndex)", isid: 0x4000_0137_0000),
        target: TargetPort(name: "iqn.2026-01.example:t", portalGroupTag: 7)),
      port: TargetPortIdentity(
        group: 3, relativePort: 2, name: "iqn.2026-01.example:t,t,0x0007"),
      targetPorts: targetPorts, hasProtocolLevel2: hasProtocolLevel2)
    nexus.attach(server, as: 0, isReadOnly: isReadOnly, attention: attention ?? .powerOnOccurred)
    if attention == nil { _ = lun.takeAttention() }
  }

  /// A unit that serves every command of the table.
  static var options: LogicalUnitOptions {
    var options = LogicalUnitOptions()
    options.servesLongCommands = true
    options.servesReferrals = true
    options.access = AsymmetricAccess(isExplicit: true)
    return options
  }

  static let identity = LogicalUnitIdentity(
    name: "disk", naa: [0x60, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], serial: "S0001",
    vendor: "VENDOR", product: "DISK", revision: "1")

  var lun: LogicalUnitNexus { nexus.unitNexus(at: 0)! }

  /// Another initiator port on this reactor, with the logical unit at LUN 0 and no unit attention.
  func secondNexus(
    named name: String = "second", targetPorts: [TargetPortIdentity] = []
  ) -> InitiatorTargetNexus {
    let nexus = InitiatorTargetNexus(
      identity: NexusIdentity(
        initiator: InitiatorPort(name: name, isid: 2),
        target: TargetPort(name: "t", portalGroupTag: 1)),
      port: targetPorts.first, targetPorts: targetPorts)
    nexus.attach(server, as: 0, isReadOnly: false, attention: .powerOnOccurred)
    _ = nexus.unitNexus(at: 0)?.takeAttention()
    others.append(nexus)
    return nexus
  }

  func taskEnded(_ task: SCSITask) { ended.append(task) }

  /// A task that has begun and been admitted; its data-out is in place.
  func admit(
    _ cdb: [UInt8], out: [UInt8]? = nil, expected: Int? = nil,
    attribute: SCSITask.Attribute = .simple, nexus: LogicalUnitNexus? = nil
  ) -> (task: SCSITask, admission: TaskAdmission) {
    let task = SCSITask(owner: self)
    task.begin(
      CommandDescriptorBlock(cdb), expectedDataIn: expected ?? out?.count ?? 1 << 20,
      expectedDataOut: expected ?? out?.count ?? 1 << 20, attribute: attribute)
    let nexus = nexus ?? lun
    let admission = nexus.server.admit(task, nexus)
    if case .collect = admission, let data = task.data, let out {
      precondition(out.count >= task.dataCount, "too little data for the command")
      data.store(out.count == task.dataCount ? out : Array(out.prefix(task.dataCount)), at: 0)
    }
    return (task, admission)
  }

  /// Admits and executes; the task may still be executing afterwards.
  @discardableResult
  func begin(
    _ cdb: [UInt8], out: [UInt8]? = nil, expected: Int? = nil,
    attribute: SCSITask.Attribute = .simple, nexus: LogicalUnitNexus? = nil
  ) -> SCSITask {
    let (task, admission) = admit(
      cdb, out: out, expected: expected, attribute: attribute, nexus: nexus)
    precondition(
      admission != .refused, "the command was refused: \(String(describing: task.sense))")
    (nexus ?? lun).server.execute(task)
    return task
  }

  /// Runs a command to its end, for which `peer` may have to be told something.
  @discardableResult
  func run(
    _ cdb: [UInt8], out: [UInt8]? = nil, expected: Int? = nil, telling peer: Bench? = nil,
    nexus: LogicalUnitNexus? = nil
  ) -> Outcome {
    let lentBefore = reactor.buffers.lentBytes
    let (task, admission) = admit(cdb, out: out, expected: expected, nexus: nexus)
    if admission == .refused {
      precondition(task.phase == .ended && ended.isEmpty)
    } else {
      server.execute(task)
      turn(until: task, telling: peer)
      precondition(ended.count == 1 && ended[0] === task, "the owner hears of the end once")
      ended.removeAll()
    }
    precondition(server.taskCount == 0)
    return recycle(task, lentBefore: lentBefore)
  }

  /// A command to a LUN that is not there.
  func runWithoutUnit(_ cdb: [UInt8], expected: Int = 1 << 20) -> Outcome {
    let task = SCSITask(owner: self)
    task.begin(CommandDescriptorBlock(cdb), expectedDataIn: expected, expectedDataOut: expected)
    nexus.perform(task, on: reactor)
    precondition(task.phase == .ended && ended.isEmpty)
    return recycle(task, lentBefore: 0)
  }

  private func turn(until task: SCSITask, telling peer: Bench?) {
    var turns = 0
    while task.phase != .ended {
      reactor.turn()
      peer?.reactor.turn()
      turns += 1
      precondition(turns < 1000, "the command does not end")
    }
  }

  private func recycle(_ task: SCSITask, lentBefore: Int) -> Outcome {
    let data = task.dataCount > 0 && task.direction == .dataIn
    let outcome = Outcome(
      status: task.status, sense: task.sense,
      data: data ? task.data!.bytes(0..<task.dataCount) : [], transferLength: task.transferLength,
      isAborted: task.isAborted, encodedSense: task.encodedSense)
    task.recycle(to: reactor.buffers)
    // A FORMAT UNIT or SANITIZE that goes on has memory of its own.
    precondition(
      reactor.buffers.lentBytes == lentBefore || server.wipe != nil, "memory was not given back")
    return outcome
  }

  func endedOutcomes() -> [Outcome] {
    defer { ended.removeAll() }
    return ended.map { task in
      Outcome(
        status: task.status, sense: task.sense, data: [], transferLength: task.transferLength,
        isAborted: task.isAborted)
    }
  }

  /// Leaves 0xA5 in the memory that the next commands will get.
  func poison() {
    let sizes = [4, 16, 64].map { $0 << 10 }
    let buffers = sizes.compactMap { reactor.buffers.allocate($0) }
    for buffer in buffers { buffer.fill(0..<buffer.capacity, with: 0xA5) }
    for buffer in buffers { reactor.buffers.release(buffer) }
  }
}

extension SCSITask {
  convenience init(owner: any SCSITaskOwner) {
    self.init()
    belong(to: owner)
  }
}

/// CDBs by name, for tests.
enum CDB {
  static func ten(_ opcode: UInt8, _ lba: UInt64, _ count: Int, flags: UInt8 = 0) -> [UInt8] {
    [opcode, flags] + bytes(lba, 4) + [0] + bytes(UInt64(count), 2) + [0]
  }
  static func twelve(_ opcode: UInt8, _ lba: UInt64, _ count: Int, flags: UInt8 = 0) -> [UInt8] {
    [opcode, flags] + bytes(lba, 4) + bytes(UInt64(count), 4) + [0, 0]
  }
  static func sixteen(
    _ opcode: UInt8, _ lba: UInt64, _ count: Int, flags: UInt8 = 0
  ) -> [UInt8] {
    [opcode, flags] + bytes(lba, 8) + bytes(UInt64(count), 4) + [0, 0]
  }
  /// The variable length form with a service action.
  static func thirtyTwo(
    _ action: UInt8, _ lba: UInt64, _ count: Int, flags: UInt8 = 0
  ) -> [UInt8] {
    [0x7F, 0, 0, 0, 0, 0, 0, 0x18, 0, action, flags, 0] + bytes(lba, 8) + bytes(0, 8)
      + bytes(UInt64(count), 4)
  }
  static func compareAndWrite(_ lba: UInt64, _ count: UInt8, flags: UInt8 = 0) -> [UInt8] {
    [0x89, flags] + bytes(lba, 8) + [0, 0, 0, count, 0, 0]
  }
  static func sanitize(_ action: UInt8, flags: UInt8 = 0, _ length: Int = 0) -> [UInt8] {
    [0x48, flags | action, 0, 0, 0, 0, 0] + bytes(UInt64(length), 2) + [0]
  }
  static func six(_ opcode: UInt8, _ lba: UInt64, _ count: Int) -> [UInt8] {
    [opcode] + bytes(lba & 0x1F_FFFF, 3) + [UInt8(truncatingIfNeeded: count), 0]
  }
  static func unmap(_ parameterLength: Int) -> [UInt8] {
    [0x42, 0, 0, 0, 0, 0, 0] + bytes(UInt64(parameterLength), 2) + [0]
  }
  static func unmapList(_ ranges: [(UInt64, Int)]) -> [UInt8] {
    bytes(UInt64(ranges.count * 16 + 6), 2) + bytes(UInt64(ranges.count * 16), 2) + [0, 0, 0, 0]
      + ranges.flatMap { bytes($0.0, 8) + bytes(UInt64($0.1), 4) + [0, 0, 0, 0] }
  }
  /// MODE SELECT(6) of the caching page: WCE.
  static func writeCache(_ isOn: Bool) -> (cdb: [UInt8], out: [UInt8]) {
    let page: [UInt8] = [8, 18, isOn ? 4 : 0] + [UInt8](repeating: 0, count: 17)
    return ([0x15, 0x10, 0, 0, 24, 0], [0, 0, 0, 0] + page)
  }
  /// MODE SELECT(6) of the control page.
  static func control(
    descriptorSense: Bool = false, writeProtect: Bool = false, taskAborted: Bool = false
  ) -> (cdb: [UInt8], out: [UInt8]) {
    let page: [UInt8] = [
      0x0A, 10, descriptorSense ? 6 : 2, 0x10, writeProtect ? 8 : 0, taskAborted ? 0x40 : 0, 0, 0,
      0xFF, 0xFF, 0, 0,
    ]
    return ([0x15, 0x10, 0, 0, 16, 0], [0, 0, 0, 0] + page)
  }
  static let testUnitReady = [UInt8](repeating: 0, count: 6)

  static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
  }
}
