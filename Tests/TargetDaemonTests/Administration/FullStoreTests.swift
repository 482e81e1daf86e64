import AdministrationClient
import AdministrationModel
import BackingStore
import Glibc
import Reactor
import Synchronization
import Testing

@testable import SCSITarget
@testable import TargetDaemon

@Suite("Stores that run out of room", .waiting)
struct FullStoreTests {
  private func unit(_ name: String) throws -> LogicalUnit {
    LogicalUnit(
      identity: Sample.unit([0x60] + [UInt8](repeating: 1, count: 15), name: name),
      store: try NullStore(sizeBytes: 1 << 30), startsWithWriteCache: true, homeReactorIndex: 0)
  }

  @Test("They are told of once, until nobody has been refused for a while and there is room")
  func once() throws {
    let (units, stores, start) = (
      [try unit("a"), try unit("b")], FullStores(), MonotonicTime.current
    )
    func look(_ seconds: UInt32) -> [String?] {
      stores.look(at: units, at: start + .seconds(seconds)).map(\.store)
    }
    #expect(look(0) == [])
    units[0].noteOutOfSpace()
    #expect(look(1) == ["a"])
    #expect(stores.since(units[0]) != nil && stores.since(units[1]) == nil)
    #expect(look(2) == [])
    units[0].noteOutOfSpace()
    units[1].noteOutOfSpace()
    #expect(look(50) == ["b"])
    #expect(look(109) == [])
    units[0].noteOutOfSpace()
    #expect(look(111) == [], "sixty seconds have not passed since the last")
    _ = units[0].noteSpace(usedBytes: 1 << 20, availableBytes: 0)
    #expect(look(300) == [])
    units[0].noteOutOfSpace()
    #expect(look(301) == [], "there has been no room")
    _ = units[0].noteSpace(usedBytes: 1 << 20, availableBytes: 1 << 29)
    #expect(look(400) == [])
    #expect(stores.since(units[0]) == nil)
    units[0].noteOutOfSpace()
    #expect(look(401) == ["a"])
  }

  @Test("A full file system: the writer is told 07/27/07 each time, the event stream once")
  func event() async throws {
    let scratch = try Scratch()
    #expect(mkdir(scratch("small"), 0o700) == 0)
    guard mount("tmpfs", scratch("small"), "tmpfs", 0, "size=64k") == 0 else { return }
    defer { umount2(scratch("small"), Int32(MNT_DETACH)) }
    let live = try await LiveDaemon.start(
      LiveDaemon.disk.replacing("disk.img", with: "small/disk.img"), in: scratch)
    let node = try Initiator.session(port: live.port, LiveDaemon.target)
    let blocks = [UInt8](repeating: 1, count: 8192)
    var refusals = 0
    for piece in 0..<16 {
      let outcome = try node.execute(
        [0x2A, 0, 0, 0, 0, UInt8(piece * 16), 0, 0, 16, 0], lun: 1, writing: blocks)
      if outcome.status != 0 {
        #expect(outcome.sense == 0x72707)
        refusals += 1
      }
    }
    #expect(refusals > 1)
    let seen = Mutex<[Event]>([])
    try await live.client.events(after: 0) { event in
      seen.withLock { seen in
        if event.kind == .storeFull { seen.append(event) }
        return seen.isEmpty
      }
    }
    #expect(seen.withLock { $0.map(\.store) } == ["disk"])
    let store = try #require(try await live.client.stores(named: "disk").first)
    #expect(store.state == .full && store.reasonCode == .mediumFull)
    #expect(store.reason?.contains("no room") == true && store.since != nil)
    #expect(try await live.client.status().problems.map(\.store) == ["disk"])
    try await live.stop()
  }
}
