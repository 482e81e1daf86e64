import AdministrationClient
import AdministrationModel
import BackingStore
import SCSITarget
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("What a store leaves behind that was refused", .serialized, .waiting)
struct RefusedStoreTests {
  @Test("Whatever it was refused for, it is new to the next daemon, and can be added there")
  func refusedStores() async throws {
    let (scratch, naa) = try await refuseAll()
    let live = try await LiveDaemon.start(in: scratch)
    for name in ["twin", "bound", "unsaved"] {
      #expect(!live.exists("\(name).img"))
      try await live.addLUN(name)
      #expect(StoreMedia.fileBytes(of: scratch("\(name).img")) == 1 << 20)
    }
    let disk = live.daemon.units.first { $0.identity.name == "disk" }
    #expect(disk?.identity.naa == naa)
  }

  /// A daemon gives its state directory up when nothing of it is left. The identifier of the disk
  /// that serves all the time.
  private func refuseAll() async throws -> (Scratch, [UInt8]) {
    let live = try await LiveDaemon.start(on: FullFileSystem())
    let naa = try #require(live.daemon.units.first).identity.naa
    let before = try live.scratch.read("state/identities")
    var twin = StoreSpecification(
      name: "twin", kind: .file, path: live.scratch("twin.img"), sizeBytes: 1 << 20)
    twin.naa = Hexadecimal.text(naa)
    let same = try await live.refusal([.addStore(twin)])
    #expect(same.message.contains("has the identifier of the store \"disk\""))
    #expect(try live.scratch.read("state/identities") == before)

    let other = Loopback.listening()
    let taken = try await live.refusal(
      live.lunAddition("bound") + [
        .addPortal(PortalSpecification(address: "127.0.0.1:\(other.port)"))
      ])
    #expect(taken.message.contains("another process has port"))
    #expect(try live.scratch.read("state/identities") == before)

    // With one that is opened anew, and stays who it is.
    let unsaved = try await live.refusal(
      live.lunAddition("unsaved") + [
        .setStore(Change.StoreKeys("disk", ["product": "OTHER"]))
      ], isForeseen: false)
    #expect(unsaved.code == .fileFailed)
    #expect(try live.scratch.read("state/identities") == before)
    #expect(live.book.contains("a change was not made: the store opened for it is closed again"))
    try await live.stop()
    return (live.scratch, naa)
  }

  @Test(
    "Of a store with a size that no file can have nothing is left, and it is added with another")
  func vastStore() async throws {
    try #require(FileSizeLimit.bytes == 1 << 61)
    let live = try await LiveDaemon.start()
    // The file system tells nobody before.
    let error = try await live.refusal(live.lunAddition("new", size: 3 << 60), isForeseen: false)
    #expect(error.code == .storeFailed && error.message.contains("takes no file of that size"))
    #expect(!live.exists("new.img"))
    try await live.addLUN("new")
    #expect(StoreMedia.fileBytes(of: live.scratch("new.img")) == 1 << 20)
  }

  @Test(
    "A start refuses nothing: a new store that cannot get its size gets the one it is given then")
  func vastStoreAtStart() async throws {
    try #require(FileSizeLimit.bytes == 1 << 61)
    let live = try await LiveDaemon.start(LiveDaemon.disk.replacing("1MiB", with: "3EiB"))
    #expect(live.daemon.inventory.served(named: "disk")?.opened.awaited != nil)
    try await live.change(
      .resizeStore(Change.StoreSize("disk", sizeBytes: 1 << 20)),
      options: ChangeOptions(force: true))
    #expect(eventually { live.book.contains("the store's medium is there") })
    #expect(StoreMedia.fileBytes(of: live.scratch("disk.img")) == 1 << 20)
  }

  @Test("An identity that is withdrawn was never there, and all others stay who they are")
  func withdrawal() throws {
    let scratch = try Scratch()
    let state = try StateDirectory.open(scratch("state"))
    var registry = try IdentityRegistry.load(state)
    try registry.withdraw(["none"])
    #expect(!StoreMedia.exists(scratch("state/identities")), "what is missing is not made up")
    let kept = try registry.identities(of: ["quorum1"])
    let refused = try registry.identities(of: ["with space"], noting: ["whole"])
    try registry.withdraw(["with space", "whole"])
    for registry in [registry, try IdentityRegistry.load(state)] {
      #expect(registry.identity(of: "quorum1") == kept["quorum1"])
      #expect(registry.unknown(among: ["quorum1", "with space", "whole"]).count == 2)
    }
    #expect(try registry.identities(of: ["with space"]) != refused)
    #expect(try IdentityRegistry.load(state).hasServed("with space"))
  }
}
