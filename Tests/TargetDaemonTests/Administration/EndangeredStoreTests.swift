import AdministrationClient
import AdministrationModel
import BackingStore
import Glibc
import Reactor
import ServiceFixtures
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Stores whose files are deleted, renamed, replaced or cut", .serialized, .waiting)
struct EndangeredStoreTests {
  private static let target = LiveDaemon.target
  private static let growth = Change.resizeStore(Change.StoreSize("disk", sizeBytes: 2 << 20))
  private static let otherLUN = Change.addLUN(
    Change.LUNAddition(target: target, LUNSpecification(lun: 7, store: "disk")))

  /// The store, once it is known to be in danger for that reason, or in none.
  private func store(_ live: LiveDaemon, _ reason: StoreReason?) async throws -> StoreResource {
    #expect(
      eventually {
        live.daemon.inventory.served(named: "disk")?.opened.danger.danger?.reason == reason
      })
    return try #require(try await live.client.stores(named: "disk").first)
  }

  /// The first event of that kind.
  private func event(_ live: LiveDaemon, _ kind: Event.Kind) async throws -> Event {
    let found = Mutex<Event?>(nil)
    try await live.client.events(after: 0) { event in
      found.withLock { found in
        if event.kind == kind { found = event }
        return found == nil
      }
    }
    return try #require(found.withLock { $0 })
  }

  /// As whoever reads it would type it: a part of what is to be done, in a shell.
  private func type(_ command: Substring?) throws {
    let line = String(try #require(command))
    let stream = try #require(popen("\(line) 2>&1", "r"))
    var text = [UInt8](repeating: 0, count: 4096)
    let count = fread(&text, 1, text.count, stream)
    #expect(pclose(stream) == 0, "\(String(decoding: text[..<count], as: UTF8.self))")
  }

  private func write(_ pattern: UInt8, _ node: Initiator) throws {
    let bytes = [UInt8](repeating: pattern, count: 512)
    #expect(
      try node.execute([0x2A, 0, 0, 0, 0, 9, 0, 0, 1, 0], lun: 1, writing: bytes).status == 0)
  }

  private func read(_ node: Initiator) throws -> UInt8? {
    try node.execute([0x28, 0, 0, 0, 0, 9, 0, 0, 1, 0], lun: 1, reading: 512).data.first
  }

  @Test("A file that was deleted is told of everywhere; what is told to do saves its data")
  func deleted() async throws {
    let (scratch, store) = try await deleteAndSave()
    let again = try await LiveDaemon.start(in: scratch)
    #expect(try read(Initiator.session(port: again.port, Self.target)) == 0x5A)
    #expect(try await again.client.stores(named: "disk").first?.state == .online)
    #expect(try await again.client.stores(named: "disk").first?.wwn == store.wwn)
  }

  /// A daemon gives its state directory up when nothing of it is left.
  private func deleteAndSave() async throws -> (Scratch, StoreResource) {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(unlink(live.scratch("disk.img")) == 0)
    let store = try await store(live, .mediumDeleted)
    try write(0x5A, node)
    #expect(store.state == .endangered && store.reasonCode == .mediumDeleted)
    #expect(store.reason?.hasPrefix("its file was deleted") == true)
    let remedy = try #require(store.remedy)
    let event = try await event(live, .storeEndangered)
    #expect(event.store == "disk" && event.message.contains("its file was deleted"))
    #expect(event.message.hasSuffix(remedy) && live.book.contains("error \(event.message)"))
    #expect(try await live.client.stores(named: "disk").first?.since != nil)
    let status = try await live.client.status()
    #expect(status.endangeredStoreCount == 1 && status.offlineStoreCount == 0)
    #expect(status.problems.map(\.store) == ["disk"])
    #expect(status.problems.first?.message.contains("disk is endangered: its file was") == true)
    #expect(status.problems.first?.remedy == remedy)
    #expect(live.daemon.status.hasSuffix("; endangered, see swift-tgtadm status: disk"))
    let metrics = try await live.client.metrics()
    #expect(metrics.contains("swift_tgtd_store_endangered{store=\"disk\"} 1\n"))
    #expect(metrics.contains("swift_tgtd_store_up{store=\"disk\"} 1\n"))
    let steps = remedy.split(separator: "; ")
    #expect(steps.first == "do not stop the daemon")
    #expect(steps.last?.hasPrefix("only then: systemctl restart swift-tgtd, if ") == true)
    #expect(steps.last?.hasSuffix("tells of no other store in danger") == true)
    try type(steps.first { $0.hasPrefix("test ! -e ") })
    let copied = try await self.store(live, .mediumReplaced)
    #expect(copied.reason?.contains("its own was deleted") == true)
    try await live.stop()
    return (live.scratch, store)
  }

  @Test("A file that was renamed has its name back by what is told, while it serves")
  func renamed() async throws {
    let live = try await LiveDaemon.start()
    #expect(rename(live.scratch("disk.img"), live.scratch("a disk.img")) == 0)
    let moved = try await store(live, .mediumMoved)
    #expect(moved.reason?.contains("was renamed to \(live.scratch("a disk.img"))") == true)
    try type(moved.remedy?.split(separator: ": ").last)
    #expect(try await store(live, nil).state == .online)
    let event = try await event(live, .storeSafe)
    #expect(event.message.contains("disk is out of danger") && event.store == "disk")
    #expect(live.book.contains("notice \(event.message)"))
  }

  @Test("A file in whose place another is has its name back by what is told, while it serves")
  func replaced() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    try write(0x11, node)
    #expect(rename(live.scratch("disk.img"), live.scratch("old.img")) == 0)
    try live.scratch.write([UInt8](repeating: 0x22, count: 1 << 20), to: "disk.img")
    let store = try await store(live, .mediumReplaced)
    #expect(store.reason?.contains("its own is \(live.scratch("old.img")) now") == true)
    let steps = try #require(store.remedy?.split(separator: "; "))
    #expect(steps.last?.hasPrefix("or, when no node uses it, serve what is there now: ") == true)
    try type(steps.first?.split(separator: ": ").last)
    #expect(try await self.store(live, nil).state == .online)
    #expect(live.exists("disk.img.other"))
    #expect(try read(node) == 0x11)
  }

  @Test("A store whose file was cut gets no other size until the file is long enough")
  func cut() async throws {
    let live = try await LiveDaemon.start()
    #expect(truncate(live.scratch("disk.img"), 4096) == 0)
    let store = try await store(live, .mediumCut)
    #expect(store.reason?.contains("cut to 4096 bytes, and 1048576 are presented") == true)
    for bytes in [2 << 20, 1 << 19] as [UInt64] {
      let error = try await live.refusal(
        [.resizeStore(Change.StoreSize("disk", sizeBytes: bytes))], ChangeOptions(force: true))
      #expect(error.code == .storeFailed && error.path == "stores.disk.file")
      #expect(error.message.contains("gets no other size: its file was cut to 4096 bytes"))
      #expect(error.remedy == store.remedy)
    }
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 4096)
    try type(store.remedy?.split(separator: ": ").last)
    #expect(try await self.store(live, nil).state == .online)
    #expect(try await event(live, .storeSafe).message.contains("reads as zeros"))
    try await live.change(Self.growth)
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 2 << 20)
  }

  @Test("A store in danger is presented once more with a warning, and not closed, forced or not")
  func changes() async throws {
    let live = try await LiveDaemon.start()
    #expect(unlink(live.scratch("disk.img")) == 0)
    // A size is refused for what is so, whether somebody has seen it or not.
    let refused = try await live.refusal([Self.growth])
    #expect(refused.message.contains("its file was deleted"))
    let store = try await store(live, .mediumDeleted)
    let result = try await live.change(Self.otherLUN)
    let remedy = try #require(store.remedy)
    #expect(
      result.warnings.contains {
        $0.hasPrefix("stores.disk is endangered: its file was deleted") && $0.hasSuffix(remedy)
      })
    let node = try Initiator.session(port: live.port, Self.target)
    let removal: [Change] = [
      .removeLUN(Change.LUNName(target: Self.target, lun: 1)),
      .removeLUN(Change.LUNName(target: Self.target, lun: 7)),
      .removeStore(Change.StoreName("disk")),
    ]
    let error = try await live.refusal(removal)
    #expect(error.code == .conflict && error.path == "stores.disk")
    #expect(error.message.contains("its file was deleted"))
    #expect(error.remedy?.hasSuffix("only a restart of the daemon lets it go") == true)
    #expect(try node.capacity(1) == 1 << 20)
    // What leaves the store open is refused for its users alone.
    #expect(try await live.refusal([removal[1]]).code == .inUse)
    #expect(
      try await live.client.change(ChangeRequest([removal[1]], ChangeOptions(force: true))).warnings
        .isEmpty)
    let forced = await #expect(throws: AdministrationError.self) {
      try await live.client.change(
        ChangeRequest([removal[0], removal[2]], ChangeOptions(force: true)))
    }
    #expect(forced?.message == error.message)
    #expect(try node.capacity(1) == 1 << 20)
  }

  @Test("A store whose file was deleted a moment ago is not removed")
  func deletedJustNow() async throws {
    let live = try await LiveDaemon.start()
    let opened = try #require(live.daemon.inventory.served(named: "disk")?.opened)
    let place = try #require(opened.configured.medium.place)
    // Of each name there is one look at a time: while this one goes on, nobody else looks.
    let looks = live.service.administration.watch.looks
    let isHeld = Atomic<Bool>(false)
    let end = Semaphore()
    defer { end.signal() }
    let hold: @Sendable () -> Void = {
      isHeld.store(true, ordering: .releasing)
      end.wait()
    }
    let isLookHeld = eventually {
      looks.perform("danger \(place)", at: "elsewhere", on: nil, hold)
      return isHeld.load(ordering: .acquiring)
    }
    #expect(isLookHeld)
    #expect(unlink(live.scratch("disk.img")) == 0)
    let error = try await live.refusal(
      [
        .removeLUN(Change.LUNName(target: Self.target, lun: 1)),
        .removeStore(Change.StoreName("disk")),
      ], ChangeOptions(force: true))
    #expect(error.code == .conflict && error.path == "stores.disk")
    #expect(error.message.contains("its file was deleted"))
    #expect(opened.danger.danger == nil, "as far as anybody has seen")
  }

  @Test("A store that refuses writes, and whose file was deleted, says both and what to do first")
  func latched() async throws {
    let live = try await LiveDaemon.start()
    try #require(live.daemon.inventory.served(named: "disk")?.opened.onDisk).inheritLatch()
    #expect(unlink(live.scratch("disk.img")) == 0)
    let store = try await store(live, .mediumDeleted)
    #expect(store.state == .offline && store.reasonCode == .writesRefused)
    #expect(store.reason?.contains("writes are refused") == true)
    #expect(store.reason?.contains("; and its file was deleted") == true)
    #expect(store.remedy?.hasPrefix("do not stop the daemon") == true)
  }

  @Test("A file that is shorter than its size is made longer at a start with a warning of both")
  func shortAtStart() async throws {
    let scratch = try Scratch()
    try scratch.write([UInt8](repeating: 1, count: 3 << 10), to: "disk.img")
    let live = try await LiveDaemon.start(in: scratch)
    #expect(StoreMedia.fileBytes(of: scratch("disk.img")) == 1 << 20)
    #expect(
      live.book.contains("warning \(scratch("disk.img")) has 3KiB and is made 1MiB, as configured"))
    try scratch.write([UInt8](repeating: 1, count: 1 << 19), to: "short.img")
    let trial = try await live.addLUN("short", options: ChangeOptions(dryRun: true))
    let result = try await live.addLUN("short")
    for warnings in [trial.warnings, result.warnings] {
      #expect(
        warnings.contains {
          $0.hasPrefix("stores.short: \(scratch("short.img")) has 512KiB and is made 1MiB")
        })
    }
    #expect(try await live.addLUN("new").warnings.isEmpty)
    try scratch.write([], to: "empty.img")
    #expect(try await live.addLUN("empty").warnings.isEmpty)
  }
}
