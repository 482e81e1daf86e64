import AdministrationClient
import AdministrationModel
import Glibc
import ServiceFixtures
import SCSITarget
import Testing

@testable import BackingStore
@testable import TargetDaemon

/// A block device on a file; nil where none can be made.
private final class LoopDevice {
  let path: String

  init?(_ file: String) {
    guard isRoot, let path = LoopDevice.run("/sbin/losetup -f --show \(file)"), !path.isEmpty else {
      return nil
    }
    self.path = path
  }

  deinit { _ = LoopDevice.run("/sbin/losetup -d \(path)") }

  /// The first line of what it prints.
  private static func run(_ command: String) -> String? {
    guard let stream = popen(command + " 2>/dev/null", "r") else { return nil }
    var line = [UInt8](repeating: 0, count: 256)
    let count = fread(&line, 1, line.count, stream)
    guard pclose(stream) == 0 else { return nil }
    return String(decoding: line[..<count].prefix { $0 != 0x0A }, as: UTF8.self)
  }
}

@Suite("Block devices that vanish", .waiting)
struct LostDeviceTests {
  /// Keeps nothing of the store, whose lock ends with it.
  private func vanish(_ live: LiveDaemon) throws -> (MediumWatch, LogicalUnitIdentity) {
    let served = try #require(live.daemon.inventory.served(named: "disk"))
    try #require(served.opened.onDisk).state.noteGone()
    return (served.opened.watch, served.unit.identity)
  }

  @Test("One that is there again is taken by itself, as another unit with the same identity")
  func comesBack() async throws {
    let scratch = try Scratch()
    try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "device.img")
    guard let device = LoopDevice(scratch("device.img")) else { return }
    let live = try await LiveDaemon.start(
      LiveDaemon.disk.replacing(
        "{\"file\": \"disk.img\", \"size\": \"1MiB\"}", with: "{\"block\": \"\(device.path)\"}"),
      in: scratch)
    let node = try Initiator.session(port: live.port, LiveDaemon.target)
    #expect(try node.register(7, lun: 1).status == 0)
    let (watch, identity) = try vanish(live)
    #expect(try node.testUnitReady(1).sense == 0x20403)
    #expect(
      eventually {
        guard let now = live.daemon.inventory.served(named: "disk") else { return false }
        return now.opened.watch !== watch && now.unit.store.readiness == .ready
      })
    #expect(eventually { (try? node.capacity(1)) == 1 << 20 })
    #expect(live.daemon.inventory.served(named: "disk")?.unit.identity == identity)
    let registrants = try await live.client.reservations(store: "disk").first?.registrants
    #expect(registrants?.map(\.key) == ["0x0000000000000007"])
    try await live.stop()
  }

  @Test("One that vanishes while its lock is awaited is taken when it is back, without a restart")
  func vanishesWaiting() async throws {
    let scratch = try Scratch()
    try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "device.img")
    guard let device = LoopDevice(scratch("device.img")) else { return }
    let link = scratch("by-id")
    try #require(symlink(device.path, link) == 0)
    // As a former daemon that has not quite ended.
    let former = open(device.path, O_RDWR | O_EXCL | O_CLOEXEC)
    try #require(former >= 0 && flock(former, LOCK_EX | LOCK_NB) == 0)
    let live = try await LiveDaemon.start(
      LiveDaemon.disk.replacing(
        "{\"file\": \"disk.img\", \"size\": \"1MiB\"}", with: "{\"block\": \"\(link)\"}"),
      in: scratch)
    #expect(live.daemon.units.map(\.store.readiness) == [.waitingForLock])
    try #require(unlink(link) == 0)
    close(former)
    #expect(eventually { live.book.contains("device vanished while its lock was held") })
    try #require(symlink(device.path, link) == 0)
    #expect(eventually { live.daemon.units.map(\.store.readiness) == [.ready] })
    try await live.stop()
  }
}
