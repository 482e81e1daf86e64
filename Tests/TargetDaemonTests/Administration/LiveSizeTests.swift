import AdministrationClient
import AdministrationModel
import BackingStore
import Glibc
import Reactor
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Files of stores under changes", .serialized, .waiting)
struct LiveSizeTests {
  private static let target = LiveDaemon.target

  private func size(_ live: LiveDaemon) -> UInt64? {
    StoreMedia.fileBytes(of: live.scratch("disk.img"))
  }

  @Test("A size is not changed in what runs alone, which the next start would forget")
  func refusesRuntimeOnly() async throws {
    let live = try await LiveDaemon.start()
    let growing = Change.resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20))
    let error = try await live.refusal([growing], ChangeOptions(runtimeOnly: true))
    #expect(error.code == .invalid && error.path == "stores.disk.size")
    #expect(error.remedy?.contains("--runtime-only") == true)
    #expect(size(live) == 1 << 20)
  }

  @Test("When initiators hear that a store has grown, the file says so already")
  func tellsAfterSaving() async throws {
    let live = try await LiveDaemon.start(on: FailingRename())
    let node = try Initiator.session(port: live.port, Self.target)
    let growing = Change.resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20))
    _ = try await live.refusal([growing], isForeseen: false)
    #expect(try node.testUnitReady(1).status == 0)
    #expect(try node.capacity(1) == 1 << 20)
    #expect(size(live) == 1 << 20)
    let shrinking = Change.resizeStore(Change.StoreSize("disk", sizeBytes: 1 << 19))
    _ = try await live.refusal([shrinking], ChangeOptions(force: true), isForeseen: false)
    #expect(try node.testUnitReady(1).status == 0)
    #expect(try node.capacity(1) == 1 << 20)
    #expect(size(live) == 1 << 20)
  }

  @Test("A file that is larger than its store grows into what it has, and a failure cuts nothing")
  func growsIntoFile() async throws {
    let live = try await LiveDaemon.start()
    #expect(truncate(live.scratch("disk.img"), 4 << 20) == 0)
    let other = Loopback.listening()
    let growing = Change.resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20))
    _ = try await live.refusal([
      growing, .addPortal(PortalSpecification(address: "127.0.0.1:\(other.port)")),
    ])
    #expect(size(live) == 4 << 20)
    try await live.change(growing)
    #expect(size(live) == 4 << 20)
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.capacity(1) == 2 << 20)
  }

  @Test("A store that is opened anew and whose file is missing is not made anew")
  func reopensLost() async throws {
    let live = try await LiveDaemon.start()
    #expect(rename(live.scratch("disk.img"), live.scratch("elsewhere.img")) == 0)
    let change = Change.setStore(Change.StoreKeys("disk", ["cache": "writethrough"]))
    let error = try await live.refusal([change], ChangeOptions(force: true))
    #expect(error.code == .storeFailed && error.message.contains("mount its file system"))
    #expect(!live.exists("disk.img"))
  }

  @Test("What is behind the end is cut only by the last change of the size")
  func cutsOnce() async throws {
    let live = try await LiveDaemon.start()
    let served = try #require(live.daemon.inventory.served(named: "disk"))
    let sizing = StoreSizing(live.daemon, served, try #require(served.opened.onDisk))
    let (first, last) = (sizing.begin(), sizing.begin())
    #expect(sizing.cut(to: 1 << 19, of: first) == nil)
    #expect(size(live) == 1 << 20)
    #expect(sizing.cut(to: 1 << 19, of: last) == nil)
    #expect(size(live) == 1 << 19)
  }

  @Test("A store that was removed and whose file is missing is not made anew under any name")
  func addsLost() async throws {
    let live = try await LiveDaemon.start()
    try await live.addLUN("second", lun: 2)
    #expect(
      eventually {
        (try? live.scratch.read("state/identities")).map {
          String(decoding: $0, as: UTF8.self).contains("second.img")
        } == true
      })
    try await live.change(
      .removeLUN(Change.LUNName(target: LiveDaemon.target, lun: 2)),
      .removeStore(Change.StoreName("second")))
    unlink(live.scratch("second.img"))
    let path = live.scratch("second.img")
    for name in ["second", "other"] {
      let change = Change.addStore(
        StoreSpecification(name: name, kind: .file, path: path, sizeBytes: 1 << 20))
      let error = try await live.refusal([change])
      #expect(error.code == .storeFailed && error.message.contains("mount its file system"))
      #expect(!live.exists("second.img"))
    }
    // In another place it is another disk, and so is one that the administrator has made.
    try await live.change(
      .addStore(
        StoreSpecification(
          name: "second", kind: .file, path: live.scratch("elsewhere.img"), sizeBytes: 1 << 20)))
    try live.scratch.write([], to: "second.img")
    try await live.change(
      .addStore(StoreSpecification(name: "third", kind: .file, path: path, sizeBytes: 1 << 20)))
    #expect(StoreMedia.fileBytes(of: path) == 1 << 20)
  }

  @Test("A file that a refused change had made can be made by the next")
  func addsAgain() async throws {
    let live = try await LiveDaemon.start()
    let other = Loopback.listening()
    let second = live.lunAddition("second")
    let portal = Change.addPortal(PortalSpecification(address: "127.0.0.1:\(other.port)"))
    for _ in 0..<2 {
      let error = try await live.refusal(second + [portal])
      #expect(error.path?.hasPrefix("portals[") == true)
      #expect(!live.exists("second.img"))
    }
    try await live.addLUN("second")
    #expect(live.exists("second.img"))
  }

  @Test("What is beside the file stays, also where it has the name of a next one")
  func leavesNeighbours() async throws {
    let live = try await LiveDaemon.start()
    for name in ["targets.json.new", "targets.json~.new"] {
      try live.scratch.write(Array("mine".utf8), to: name)
    }
    try await live.addLUN("second")
    for name in ["targets.json.new", "targets.json~.new"] {
      #expect(try live.scratch.read(name) == Array("mine".utf8), "\(name)")
    }
    #expect(!live.exists(".targets.json.swift-tgtd"))
  }
}

/// Lets no new file take the place of another.
private struct FailingRename: FaultyFileSystem {
  func rename(_ path: String, to newPath: String) throws(SystemError) { throw .inputOutput }
  func exchange(_ path: String, _ otherPath: String) throws(SystemError) { throw .inputOutput }
}
