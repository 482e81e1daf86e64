import AdministrationClient
import AdministrationModel
import BackingStore
import SCSITarget
import Testing

@testable import TargetDaemon

@Suite("Changes of what initiators know of a disk", .serialized, .waiting)
struct LiveKnowledgeTests {
  private static let target = LiveDaemon.target
  private static let force = ChangeOptions(force: true)

  @Test(
    "A store that an initiator has gets no other blocks, even by force; one that nobody has does")
  func blockLength() async throws {
    let live = try await LiveDaemon.start()
    let change = Change.setStore(Change.StoreKeys("disk", ["blockSize": 4096]))
    do {
      let node = try Initiator.session(port: live.port, Self.target)
      let error = try await live.refusal([change], Self.force)
      #expect(error.code == .inUse && error.path == "stores.disk.blockSize")
      #expect(error.message.contains("with blocks of 4096 bytes they would write to wrong places"))
      #expect(error.remedy?.contains("on each node (iscsiadm -m node -T") == true)
      #expect(error.remedy?.contains("remove the store") == true)
      #expect(error.users?.count == 1)
      #expect(error.users?.first?.hasPrefix("iqn.2026-11.com.example:node1 from") == true)
      #expect(error.users?.first?.hasSuffix("has LUN 1 of \(Self.target)") == true)
      #expect(try node.testUnitReady(1).status == 0, "nobody has noticed anything")
      // Other keys of it change by force, as ever.
      let other = Change.setStore(Change.StoreKeys("disk", ["product": "OTHER"]))
      try await live.change(other, options: Self.force)
    }
    for _ in 0..<1500 where try await !live.client.sessions().isEmpty {
      try await Task.sleep(for: .milliseconds(20))
    }
    let result = try await live.change(change)
    #expect(result.warnings.contains { $0.contains("has blocks of 4096 bytes instead of 512") })
    #expect(live.daemon.units.first?.store.geometry.logicalBlockBytes == 4096)
    let node = try Initiator.session(port: live.port, Self.target)
    #expect(try node.capacity(1) == 1 << 20)
  }

  @Test("A store that is renamed keeps its blocks, too, as long as it is the same disk")
  func renamedBlockLength() async throws {
    let live = try await LiveDaemon.start()
    let identity = try #require(live.daemon.units.first).identity
    let node = try Initiator.session(port: live.port, Self.target)
    let keys =
      "\"blockSize\": 4096, \"naa\": \"\(Hexadecimal.text(identity.naa))\", "
      + "\"serial\": \"\(identity.serial)\""
    let text = try live.file.replacing("\"disk\":", with: "\"renamed\":")
      .replacing("\"store\": \"disk\"", with: "\"store\": \"renamed\"")
      .replacing("\"size\": \"1MiB\"", with: "\"size\": \"1MiB\", \(keys)")
    let client = live.client
    let error = await #expect(throws: AdministrationError.self) {
      _ = try await client.apply(text, Self.force)
    }
    #expect(error?.code == .inUse && error?.path == "stores.renamed.blockSize")
    #expect(try node.testUnitReady(1).status == 0)
  }

  @Test("The preferred port group is another one at once, also for those who are logged in")
  func preferred() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, Self.target)
    let plain = try live.file
    let groups = "\"portalGroups\": [{\"tag\": 1, \"preferred\": true}], \"initiators\": \"any\""
    let preferring = plain.replacing("\"initiators\": \"any\"", with: groups)
    for (text, bits) in [(preferring, 0x80), (plain, 0)] as [(String, UInt8)] {
      _ = try await live.client.apply(text, Self.force)
      #expect(eventually { (try? node.testUnitReady(1).sense) == 0x62A06 })
      let data = try node.execute(
        [0xA3, 0x0A, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0], lun: 1, reading: 64
      ).data
      #expect(data.count == 16 && data[4] == bits)
    }
  }

  @Test("What is known of the room of a medium stays known while its store is opened anew")
  func room() async throws {
    let live = try await LiveDaemon.start()
    func isKnown() -> Bool { live.daemon.units.first?.provisioning.resources != nil }
    try #require(eventually { isKnown() })
    let product = try #require(live.daemon.units.first?.identity.product)
    try await live.change(
      .setStore(Change.StoreKeys("disk", ["product": "OTHER"])), options: Self.force)
    #expect(isKnown())
    #expect(live.daemon.units.first?.identity.product != product, "it was opened anew")
  }
}
