import SCSIModel
import Testing

@testable import SCSITarget

/// A unit attention tells a nexus that its commands have ended, and some may still land.
@Suite("Aborted writes")
struct AbortedWriteTests {
  /// A function by which one nexus aborts what others do, and what they are told of it at once.
  enum Function: CaseIterable {
    case reset, resetWithTAS, clear

    var reportsTaskAborted: Bool { self == .resetWithTAS }
    var attention: String { self == .clear ? "06/2F/00" : "06/29/03" }

    func begin(by node: Node, completion: @escaping () -> Void) {
      guard self != .clear else {
        return node.server.clearTaskSet(by: node.lun, completion: completion)
      }
      node.server.reset(
        by: node.lun, attention: .busDeviceResetFunctionOccurred, completion: completion)
    }
  }

  private static let newData = [UInt8](repeating: 0xC3, count: 512)
  private static let rewrite = (cdb: CDB.ten(0x2A, 1, 1), out: newData)
  private static let read = CDB.ten(0x28, 1, 1)

  /// `node` has begun `command`, which hangs; what comes later does not.
  private static func hang(
    _ command: (cdb: [UInt8], out: [UInt8]), of node: Node
  ) -> SCSITask {
    node.cluster.store.isHolding = true
    defer { node.cluster.store.isHolding = false }
    return node.begin(command)
  }

  @Test(
    "Who is told that a write has ended reads and writes nothing before it has landed",
    arguments: Function.allCases, [1, 2])
  func rewritten(function: Function, reactors: Int) {
    let cluster = Cluster(reactors: reactors)
    let one = cluster.node("one")
    let two = cluster.node("two", on: reactors - 1)
    cluster.unit.modes.reportsTaskAborted = function.reportsTaskAborted
    let write = Self.hang(two.write(1), of: two)
    var isDone = false
    function.begin(by: one) { isDone = true }
    cluster.settle()
    #expect(two.run(Self.rewrite) == function.attention)
    for _ in 0..<3 {
      #expect(two.run(Self.rewrite) == "busy")
      #expect(two.run(Self.read) == "busy")
    }
    #expect(two.run(CDB.unmap(24), CDB.unmapList([(1, 1)])) == "busy")
    #expect(cluster.store.log.count == 1 && !isDone)
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(isDone && write.isAborted)
    // A reset puts TAS back, too, of which it tells.
    while two.lun.takeAttention() != nil {}
    #expect(two.run(Self.rewrite) == "good")
    #expect(cluster.store.image[512..<1024].elementsEqual(Self.newData))
  }

  @Test("A nexus that lost a write is kept from the medium under every LUN, others are not")
  func otherLUN() throws {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    let three = cluster.node("three", on: 1)
    two.nexus.attach(two.server, as: 2, isReadOnly: false, attention: .powerOnOccurred)
    _ = Self.hang(two.write(1), of: two)
    Function.reset.begin(by: one) {}
    cluster.settle()
    // One that is mapped meanwhile, too.
    two.nexus.attach(two.server, as: 3, isReadOnly: false, attention: .powerOnOccurred)
    let second = try #require(two.nexus.unitNexus(at: 2))
    let third = try #require(two.nexus.unitNexus(at: 3))
    #expect(second.isKeptFromMedium && third.isKeptFromMedium && two.lun.isKeptFromMedium)
    #expect(three.run(CDB.testUnitReady) == "06/29/03")
    #expect(three.run(three.write(2)) == "good")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(!second.isKeptFromMedium && !third.isKeptFromMedium && !two.lun.isKeptFromMedium)
  }

  @Test("Two resets of one hung write end together, and open the medium with the write's end")
  func twice() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    _ = Self.hang(two.write(1), of: two)
    var doneCount = 0
    for _ in 0..<2 { Function.reset.begin(by: one) { doneCount += 1 } }
    cluster.settle()
    #expect(two.run(CDB.testUnitReady) == "06/29/03")
    #expect(two.run(Self.rewrite) == "busy" && doneCount == 0)
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(doneCount == 2)
    #expect(two.run(Self.rewrite) == "good")
  }

  @Test("A node whose write hangs while another resets the unit can fence and ask all the same")
  func fence() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    #expect(one.run(Reserve.register(1)) == "good")
    #expect(two.run(Reserve.register(2)) == "good")
    #expect(one.run(Reserve.reserve(1, 5)) == "good")
    let write = Self.hang(two.write(1), of: two)
    Function.reset.begin(by: one) {}
    cluster.settle()
    #expect(two.run(CDB.testUnitReady) == "06/29/03")
    #expect(two.run(CDB.testUnitReady) == "good")
    #expect(two.keys == [1, 2])
    #expect(two.run(Reserve.preempt(2, 1, 5, abort: true)) == "good")
    #expect(two.keys == [2] && write.outcome == "pending")
    #expect(two.run(Self.rewrite) == "busy")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(two.run(Self.rewrite) == "good")
  }

  @Test("A holder that lost a write does not let others in before it has landed")
  func release() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    #expect(two.run(Reserve.register(2)) == "good")
    #expect(two.run(Reserve.reserve(2, 1)) == "good")
    _ = Self.hang(two.write(1), of: two)
    Function.reset.begin(by: one) {}
    cluster.settle()
    #expect(two.run(CDB.testUnitReady) == "06/29/03")
    let release = Reserve.out(2, type: 1, key: 2)
    let lettingIn = [
      release, Reserve.out(3, key: 2), Reserve.register(0, from: 2), Reserve.out(6, new: 0),
      Reserve.move(2, to: one.identity.initiator),
      // Gives its reservation another type, by which registrants may write.
      Reserve.preempt(2, 2, 5), Reserve.preempt(2, 2, 5, abort: true),
    ]
    for command in lettingIn { #expect(two.run(command) == "busy") }
    #expect(two.run(Reserve.register(3, from: 2)) == "good")
    #expect(two.run(Reserve.register(2, from: 3)) == "good")
    #expect(one.run(one.write(1)) == "06/29/03")
    #expect(one.run(one.write(1)) == "reservationConflict")
    cluster.store.releaseHeld()
    cluster.settle()
    _ = two.lun.takeAttention()
    #expect(two.run(release) == "good")
  }

  @Test(
    "A holder that lost a write lets nobody in through another of its paths, either",
    arguments: [1, 2])
  func releaseElsewhere(reactors: Int) {
    let cluster = Cluster(reactors: reactors)
    let one = cluster.node("one")
    let two = cluster.node("two", on: reactors - 1)
    let path = cluster.node("two", portalGroupTag: 2)
    for node in [two, path] { #expect(node.run(Reserve.register(2)) == "good") }
    #expect(two.run(Reserve.reserve(2, 7)) == "good")
    _ = Self.hang(two.write(1), of: two)
    Function.reset.begin(by: one) {}
    cluster.settle()
    #expect(path.run(CDB.testUnitReady) == "06/29/03")
    let release = Reserve.out(2, type: 7, key: 2)
    // PREEMPT unregisters all that have the key, and with them the reservation goes.
    for command in [release, Reserve.preempt(2, 2, 7), Reserve.out(3, key: 2)] {
      #expect(path.run(command) == "busy")
    }
    // So BUSY narrows no window, though this path has lost no write.
    #expect(path.lun.isHeldUp && !path.lun.isKeptFromMedium)
    #expect(one.run(CDB.testUnitReady) == "06/29/03")
    #expect(one.run(one.write(1)) == "reservationConflict")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(!path.lun.isHeldUp)
    while path.lun.takeAttention() != nil {}
    #expect(path.run(release) == "good")
  }

  @Test("A holder that lost a write preempts its own key, as fence_scsi does before it fences")
  func ownKey() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    #expect(one.run(Reserve.register(1)) == "good")
    #expect(two.run(Reserve.register(2)) == "good")
    #expect(two.run(Reserve.reserve(2, 5)) == "good")
    let write = Self.hang(two.write(1), of: two)
    Function.reset.begin(by: one) {}
    cluster.settle()
    #expect(two.run(CDB.testUnitReady) == "06/29/03")
    #expect(two.run(Reserve.out(6, new: 2)) == "good")
    #expect(two.run(Reserve.preempt(2, 2, 5)) == "good")
    #expect(two.keys == [1, 2])
    #expect(two.run(Reserve.preempt(2, 1, 5, abort: true)) == "good")
    #expect(two.keys == [2] && write.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(write.isAborted)
  }

  @Test("A registrant that would wait for its own lost write is told BUSY, and holds up nobody")
  func ownKeyOfRegistrant() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    #expect(one.run(Reserve.register(1)) == "good")
    #expect(two.run(Reserve.register(2)) == "good")
    #expect(one.run(Reserve.reserve(1, 5)) == "good")
    let write = Self.hang(two.write(1), of: two)
    Function.reset.begin(by: one) {}
    cluster.settle()
    #expect(two.run(CDB.testUnitReady) == "06/29/03")
    for command in [Reserve.preempt(2, 2, 5), Reserve.register(0, from: 2)] {
      #expect(two.run(command) == "busy")
    }
    // It holds nothing, so it releases nothing.
    #expect(two.run(Reserve.out(2, type: 5, key: 2)) == "good")
    #expect(one.run(CDB.testUnitReady) == "06/29/03")
    #expect(one.run(Reserve.register(3, from: 1)) == "good")
    #expect(two.keys == [3, 2] && write.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(two.run(Reserve.register(0, from: 2)) == "good")
  }

  @Test("Where nothing is reserved, who lost a write gives up its key: it lets nobody in")
  func nothingReserved() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    #expect(two.run(Reserve.register(2)) == "good")
    let write = Self.hang(two.write(1), of: two)
    Function.reset.begin(by: one) {}
    cluster.settle()
    #expect(two.run(CDB.testUnitReady) == "06/29/03")
    // That would abort, and wait for, what its sender does.
    #expect(two.run(Reserve.preempt(2, 2, abort: true)) == "busy")
    #expect(two.run(Reserve.register(0, from: 2)) == "good")
    #expect(write.outcome == "pending")
    cluster.store.releaseHeld()
    cluster.settle()
  }

  @Test("RELEASE(6) of a node that lost a write is BUSY until it has landed")
  func releaseLegacy() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    cluster.unit.modes.reportsTaskAborted = false
    #expect(two.run(Reserve.reserve6) == "good")
    _ = Self.hang(two.write(1), of: two)
    Function.clear.begin(by: one) {}
    cluster.settle()
    #expect(two.run(CDB.testUnitReady) == "06/2F/00")
    #expect(two.run(Reserve.release6) == "busy")
    #expect(one.run(one.write(1)) == "reservationConflict")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(two.run(Reserve.release6) == "good")
    #expect(one.run(one.write(1)) == "good")
  }

  @Test("Who is shown a unit anew writes nothing, and lets nobody in, until its old write lands")
  func mappedAnew() {
    let cluster = Cluster()
    let one = cluster.node("one")
    let two = cluster.node("two", on: 1)
    #expect(two.run(Reserve.register(2)) == "good")
    #expect(two.run(Reserve.reserve(2, 1)) == "good")
    _ = Self.hang(two.write(1), of: two)
    var isGone = false
    _ = two.nexus.changeMap(to: []) { isGone = true }
    let entry = LUNMapEntry(lun: 0, server: two.server, isReadOnly: false)
    _ = two.nexus.changeMap(to: [entry]) {}
    #expect(two.run(CDB.testUnitReady) == "06/29/00")
    #expect(two.run(Self.rewrite) == "busy")
    #expect(two.run(Reserve.register(0, from: 2)) == "busy")
    #expect(one.run(one.write(1)) == "reservationConflict")
    #expect(!isGone)
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(isGone)
    #expect(two.run(Self.rewrite) == "good")
    #expect(two.run(Reserve.register(0, from: 2)) == "good")
  }

  @Test("A fenced node with a hung write hears RESERVATION CONFLICT, not BUSY")
  func fenced() throws {
    let cluster = Cluster()
    let (fencer, victim) = try FenceTests.nodes(cluster)
    cluster.unit.modes.reportsTaskAborted = false
    _ = Self.hang(victim.write(1), of: victim)
    let fence = fencer.begin(Reserve.preempt(1, 2, abort: true))
    cluster.settle()
    #expect(fence.outcome == "pending" && victim.lun.isKeptFromMedium)
    #expect(victim.run(Self.rewrite) == "reservationConflict")
    cluster.store.releaseHeld()
    cluster.settle()
    #expect(fence.outcome == "good" && !victim.lun.isKeptFromMedium)
  }

  @Test("Nobody is kept from the medium by a read, nor by a write that is told of when it ends")
  func notKept() {
    for (function, isRead) in [(Function.reset, true), (.clear, false)] {
      let cluster = Cluster()
      let one = cluster.node("one")
      let two = cluster.node("two", on: 1)
      let command: (cdb: [UInt8], out: [UInt8]) =
        isRead ? (cdb: Self.read, out: []) : two.write(1)
      let hung = Self.hang(command, of: two)
      // TAS, the default, has CLEAR TASK SET tell of the write by its status.
      function.begin(by: one) {}
      cluster.settle()
      #expect(hung.outcome == "pending" && !two.lun.isKeptFromMedium)
      _ = two.lun.takeAttention()
      #expect(two.run(two.write(2)) == "good")
      cluster.store.releaseHeld()
      cluster.settle()
    }
  }
}
