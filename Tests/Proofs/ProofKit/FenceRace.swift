import BackingStore
import Bytes
import ISCSIModel
import ISCSITarget
import Reactor
import TargetSimulation

/// One race between a node that writes with all its might and one that fences it (design: "abort
/// means wait", "change, barrier, answer"). Everything depends on the seed: where the nodes'
/// sessions live, how long the network, the disk and the saving of reservations take, how the fence
/// is done and when.
///
/// What must hold: **when the fence has answered GOOD, no write of the fenced node reaches the
/// medium any more**, what it sends then is refused, and those who were not fenced write on.
public struct FenceRace {
  public struct Options: Sendable {
    /// Commands that the writer keeps outstanding.
    public var depth = 32
    /// Does not wait for what is under way: the races must then be lost.
    public var bypassesBarrier = false

    public init() {}
  }

  public struct Outcome: Equatable, Sendable {
    public var seed: UInt64
    /// What the race was, for a failure's message.
    public var description: String
    /// What should not be; empty when all holds.
    public var violations: [String]
    /// Writes of the fenced node that landed before and after the acknowledgement.
    public var landedBefore = 0
    public var landedAfter = 0
    /// Writes of it that were under way in the target when the fence was sent.
    public var outstandingAtFence = 0
  }

  /// How the writer loses its right.
  enum Fence: CaseIterable {
    /// Its key is preempted, and its commands aborted: fence_scsi's way with a node that is dead.
    case preemptAndAbort
    case preempt
    /// There was no reservation; now there is one that is not for it.
    case reserve
    /// A reservation of SPC-2.
    case reserve6
  }

  private static let writerKey: UInt64 = 0xA
  private static let fencerKey: UInt64 = 0xB
  private static let bystanderKey: UInt64 = 0xC
  /// The writer's blocks; the bystander's follow.
  private static let writerBlocks: UInt64 = 1024

  private let seed: UInt64
  private let options: Options
  private let target: SimulatedTarget
  private let lun: UInt64
  private let disk: SimulatedDisk
  private let fence: Fence
  private let type: UInt8
  private var writers: [WritingNode] = []
  private var bystander: WritingNode?
  private let fencer: ScriptedInitiator
  private var violations: [String] = []

  /// Runs the race of `seed`.
  public static func run(seed: UInt64, _ options: Options = Options()) throws -> Outcome {
    var race = try FenceRace(seed, options)
    return race.run()
  }

  private init(_ seed: UInt64, _ options: Options) throws {
    self.seed = seed
    self.options = options
    let definition = TargetDefinition(
      name: FenceRace.name, portalGroupTags: [1],
      units: (0..<3).map { UnitPresentation(lun: $0, unit: "unit\($0)") },
      admitsAnyInitiator: true,
      session: SessionPolicy(queueDepth: 64, nopInterval: Milliseconds(0)))
    var choice = SeededGenerator(seed: seed ^ 0xFE9C_E000)
    let bypasses = options.bypassesBarrier
    target = try SimulatedTarget(
      seed: seed, targets: [definition], reactorCount: choice.pick(1...3),
      startsWithWriteCache: choice.coin(), memoryBudgetBytes: 16 << 20,
      presenting: { store -> any Store in
        if bypasses { HastyStore(store) } else { store }
      })
    let unit = choice.pick(0...2)
    lun = UInt64(unit) << 48
    guard let disk = target.disks["unit\(unit)"] else { throw RaceError.noDisk }
    self.disk = disk
    fence = Fence.allCases[choice.pick(0...Fence.allCases.count - 1)]
    // Of the reservations that leave the writer its right before, and take it away after.
    type = [1, 3, 5, 6, 7, 8][choice.pick(0...5)]
    fencer = ScriptedInitiator(target)
    fencer.initiatorName = "iqn.2026-11.com.example:fencer"
    try prepare(&choice)
  }

  static let name = "iqn.2026-11.com.example:disk"

  enum RaceError: Error { case noDisk, noLogin, noReservation(String) }

  // MARK: Before

  private mutating func prepare(_ choice: inout SeededGenerator) throws {
    // Logins and registrations are quick; the race itself is not.
    target.world.latencies.network = 1_000...20_000
    let sessions = choice.pick(1...2)
    for index in 0..<sessions {
      writers.append(try node("writer", session: UInt64(index), first: 0))
    }
    guard fencer.login(to: FenceRace.name) == 0 else { throw RaceError.noLogin }
    fencer.clearUnitAttention(lun: lun)
    bystander =
      choice.coin() ? try node("bystander", session: 9, first: FenceRace.writerBlocks) : nil
    try register()
    let world = target.world
    let slow: [UInt64] = [300_000, 5_000_000, 60_000_000, 500_000_000]
    world.latencies.network = 1_000...slow[choice.pick(0...2)]
    world.latencies.diskWrite = 10_000...slow[choice.pick(0...3)]
    world.latencies.diskRead = 10_000...slow[choice.pick(0...2)]
    world.latencies.diskSynchronize = 10_000...slow[choice.pick(0...3)]
    world.latencies.diskAllocate = 10_000...slow[choice.pick(0...3)]
    target.reservations.latency = 10_000...slow[choice.pick(0...3)]
  }

  private func node(_ name: String, session: UInt64, first: UInt64) throws -> WritingNode {
    let initiator = ScriptedInitiator(target)
    initiator.initiatorName = "iqn.2026-11.com.example:\(name)"
    initiator.isid = InitiatorSessionID(rawValue: 0x0002_3D00_0001 + session)
    guard initiator.login(to: FenceRace.name) == 0 else { throw RaceError.noLogin }
    initiator.clearUnitAttention(lun: lun)
    return WritingNode(
      initiator, lun: lun, blocks: first..<first + FenceRace.writerBlocks,
      canAllocate: true, seed: seed &* 31 &+ session)
  }

  private var usesKeys: Bool { fence == .preempt || fence == .preemptAndAbort }

  private func register() throws {
    guard fence != .reserve6 else { return }
    try register(fencer, FenceRace.fencerKey)
    if let bystander { try register(bystander.initiator, FenceRace.bystanderKey) }
    guard usesKeys else { return }
    for writer in writers { try register(writer.initiator, FenceRace.writerKey) }
    // Who reserves: with a type for one holder alone only the writer itself may, to write at all.
    let holder = isForRegistrants ? fencer : writers[0].initiator
    let key = isForRegistrants ? FenceRace.fencerKey : FenceRace.writerKey
    guard holder.reserveOut(.reserve, type: type, key: key, lun: lun) == 0 else {
      throw RaceError.noReservation("RESERVE")
    }
    for initiator in [fencer] + writers.map(\.initiator) { initiator.forgetInbox() }
  }

  private func register(_ initiator: ScriptedInitiator, _ key: UInt64) throws {
    guard initiator.reserveOut(.register, serviceActionKey: key, lun: lun) == 0 else {
      throw RaceError.noReservation("REGISTER")
    }
  }

  private var isForRegistrants: Bool { type >= 5 }

  // MARK: The race

  private mutating func run() -> Outcome {
    var choice = SeededGenerator(seed: seed ^ 0xACE)
    let head = choice.pick(0...2 * options.depth)
    for node in nodes { node.fill(to: options.depth) }
    turn { $0.completed >= head }
    if choice.pick(0...3) == 0 { writers.randomElement(using: &choice)?.initiator.peer.reset() }
    let outstanding = writers.reduce(0) { $0 + $1.outstanding }
    let acknowledged = answerToFence()
    var outcome = Outcome(seed: seed, description: description, violations: [])
    outcome.outstandingAtFence = outstanding
    judge(acknowledged, &outcome)
    end()
    outcome.violations = violations
    return outcome
  }

  private var nodes: [WritingNode] { writers + [bystander].compactMap(\.self) }

  /// Lets all nodes write until the first writer is `done`, or its session is over.
  private func turn(until done: (WritingNode) -> Bool) {
    let first = writers[0]
    while !done(first), !first.initiator.isClosed {
      let nodes = nodes
      guard target.run(seconds: 60, until: { nodes.contains(where: \.hasMail) }) else { return }
      for node in nodes { node.work(to: options.depth) }
    }
  }

  /// Fences the writer; when the answer came, or nil if it did not or was not GOOD.
  private mutating func answerToFence() -> MonotonicTime? {
    let tag = sendFence()
    let fencer = fencer
    var status: UInt8?
    while status == nil {
      let nodes = nodes
      let isAlive = target.run(
        seconds: 120, until: { !fencer.inbox.isEmpty || nodes.contains(where: \.hasMail) })
      guard isAlive, !fencer.isClosed else {
        violations.append("the fence is not answered")
        return nil
      }
      // Before the others see theirs: what they send from now on is sent after the answer.
      for pdu in fencer.inbox where pdu.header.initiatorTaskTag == tag {
        status = SCSIResponse(pdu.header).status
      }
      fencer.forgetInbox()
      if status == nil { for node in nodes { node.work(to: options.depth) } }
    }
    guard status == 0 else {
      violations.append("the fence ends with status \(status ?? 0xFF)")
      return nil
    }
    return target.world.now
  }

  private func sendFence() -> InitiatorTaskTag {
    switch fence {
    case .preempt, .preemptAndAbort:
      fencer.sendReserveOut(
        fence == .preempt ? .preempt : .preemptAndAbort, type: type, key: FenceRace.fencerKey,
        serviceActionKey: FenceRace.writerKey, lun: lun)
    case .reserve:
      fencer.sendReserveOut(.reserve, type: type, key: FenceRace.fencerKey, lun: lun)
    case .reserve6:
      fencer.sendCommand([0x16, 0, 0, 0, 0, 0], lun: lun)
    }
  }

  // MARK: After

  private mutating func judge(_ acknowledged: MonotonicTime?, _ outcome: inout Outcome) {
    guard let acknowledged else { return }
    for node in writers { node.abandonOutstanding() }
    for node in writers { node.fill(to: options.depth) }
    let bystanderBefore = bystander?.good ?? 0
    let nodes = nodes
    let depth = options.depth
    // Longer than anything takes.
    for _ in 0..<12 {
      target.pass(milliseconds: 100)
      for node in nodes where node.hasMail { node.work(to: depth) }
    }
    let end = FenceRace.writerBlocks * 512
    for effect in disk.writesLanded where effect.offset < end {
      if effect.time > acknowledged {
        outcome.landedAfter += 1
        violations.append(
          "a \(effect.kind) of \(effect.count) bytes at \(effect.offset) landed "
            + "\((effect.time.rawValue - acknowledged.rawValue) / 1000) µs after the answer")
      } else {
        outcome.landedBefore += 1
      }
    }
    for writer in writers where !writer.initiator.isClosed && !writer.isRefused {
      violations.append("a fenced session meets no reservation conflict")
    }
    guard let bystander, mayWriteOn else { return }
    if bystander.good <= bystanderBefore { violations.append("the bystander is kept out") }
  }

  /// Whether who is registered and was not fenced may write after the fence.
  private var mayWriteOn: Bool { isForRegistrants && fence != .reserve6 }

  /// Ends all sessions. Nothing may be left of them, and what is left would keep the world alive.
  private mutating func end() {
    for node in nodes { node.initiator.peer.close() }
    fencer.peer.close()
    target.stopListening()
    let target = target
    let isIdle = target.run(seconds: 60) {
      target.world.openSocketCount == 0
        && target.reactors.allSatisfy { $0.operationsInFlight == 0 && $0.buffers.lentBytes == 0 }
    }
    if !isIdle { violations.append("something is left of the sessions") }
  }

  private var description: String {
    "\(fence) type \(type), \(target.reactors.count) reactors, \(writers.count) sessions, unit "
      + "\(lun >> 48)\(bystander == nil ? "" : ", a bystander")"
  }
}
