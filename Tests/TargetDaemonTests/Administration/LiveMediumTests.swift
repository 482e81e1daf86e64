import AdministrationClient
import AdministrationModel
import Glibc
import SCSITarget
import ServiceFixtures
import Testing

@testable import TargetDaemon

@Suite("Media that are moved or renamed under a running daemon", .serialized, .waiting)
struct LiveMediumTests {
  private static let force = ChangeOptions(force: true)

  private static func remarks(_ live: LiveDaemon) async throws -> [MediumRemark] {
    try await live.client.difference().remarks ?? []
  }

  private static func renaming(_ file: String) -> String {
    file.replacing("\"disk\": {", with: "\"renamed\": {")
      .replacing("\"store\": \"disk\"", with: "\"store\": \"renamed\"")
  }

  @Test("A store with another name in the file is told to be the same medium, with the way back")
  func renamed() async throws {
    let live = try await LiveDaemon.start()
    let identity = try #require(live.daemon.units.first).identity
    #expect(try await Self.remarks(live).isEmpty)
    try live.edit(Self.renaming)
    let remark = try #require(try await Self.remarks(live).first)
    #expect(remark.path == "stores.renamed")
    #expect(remark.message.contains("is the medium of the store \"disk\" under a new name"))
    let remedy = try #require(remark.remedy)
    #expect(remedy.contains("call the store \"disk\" again"))
    #expect(remedy.contains("give \"renamed\" \"naa\": \"\(Hexadecimal.text(identity.naa))\""))
    #expect(remedy.contains("\"serial\": \"\(identity.serial)\""))
    let client = live.client
    let error = await #expect(throws: AdministrationError.self) {
      try await client.reload(Self.force)
    }
    #expect(error?.code == .conflict && error?.remedy == remedy)
    // Both ways that it names lead on.
    let naa = Hexadecimal.text(identity.naa)
    try live.edit {
      $0.replacing(
        "\"disk.img\"",
        with: "\"disk.img\", \"naa\": \"\(naa)\", \"serial\": \"\(identity.serial)\"")
    }
    let kept = try #require(try await Self.remarks(live).first)
    #expect(kept.message.contains("it stays the same disk") && kept.remedy == nil)
    _ = try await live.client.reload(Self.force)
    #expect(live.daemon.units.map(\.identity.naa) == [identity.naa])
    #expect(try await Self.remarks(live).isEmpty)
  }

  @Test("A store whose file was moved is told to be the same disk where the file has its new path")
  func moved() async throws {
    let live = try await LiveDaemon.start()
    let naa = live.daemon.units.map(\.identity.naa)
    rename(live.scratch("disk.img"), live.scratch("moved.img"))
    #expect(try await Self.remarks(live).isEmpty, "its danger is told with the store")
    try live.edit { $0.replacing("\"disk.img\"", with: "\"moved.img\"") }
    let moved = try #require(try await Self.remarks(live).first)
    #expect(
      moved.message.hasSuffix(
        "is what is served as \(live.scratch("disk.img")): the same disk, moved"))
    #expect(moved.remedy == nil)
    _ = try await live.client.reload(Self.force)
    #expect(live.daemon.units.map(\.identity.naa) == naa)
    #expect(try await Self.remarks(live).isEmpty)
  }

  @Test("Another medium under a store's name is told; what lies at its own path, with the store")
  func exchanged() async throws {
    let live = try await LiveDaemon.start()
    try live.scratch.write([UInt8](repeating: 0, count: 1 << 20), to: "other.img")
    let plain = try live.file
    try live.edit { $0.replacing("\"disk.img\"", with: "\"other.img\"") }
    let other = try #require(try await Self.remarks(live).first)
    #expect(other.message.contains("is another medium than \(live.scratch("disk.img"))"))
    #expect(other.remedy?.contains("give it a store of its own") == true)
    try live.edit { _ in plain }
    rename(live.scratch("other.img"), live.scratch("disk.img"))
    #expect(try await Self.remarks(live).isEmpty)
  }

  @Test("Two stores of the file on one medium are told before a reload refuses them")
  func double() async throws {
    let live = try await LiveDaemon.start()
    link(live.scratch("disk.img"), live.scratch("link.img"))
    try live.edit {
      $0.replacing("// the disk", with: "\"double\": {\"file\": \"link.img\"},")
    }
    let remark = try #require(try await Self.remarks(live).first)
    #expect(remark.path == "stores.double" && remark.message.contains("which stays: two stores"))
    #expect(remark.remedy == "take one of the two out of the file")
  }

  // MARK: Identities

  @Test("The identity that a store has already is written down, and taken out, under its users")
  func knownIdentity() async throws {
    let live = try await LiveDaemon.start()
    let node = try Initiator.session(port: live.port, LiveDaemon.target)
    let unit = try #require(live.daemon.units.first)
    let keys: [String: JSONValue] = [
      "naa": .text(Hexadecimal.text(unit.identity.naa)), "serial": .text(unit.identity.serial),
    ]
    let written = Change.setStore(Change.StoreKeys("disk", keys))
    let result = try await live.change(written, options: ChangeOptions(runtimeOnly: true))
    #expect(result.differences.isEmpty)
    #expect(live.daemon.units.first === unit)
    #expect(try await live.client.difference().changes.isEmpty)
    #expect(try await live.client.status().hasUnsavedChanges == false)
    #expect(try await live.client.metrics().contains("\nswift_tgtd_unsaved_changes 0\n"))
    #expect(try await live.client.reload(ChangeOptions()).differences.isEmpty)
    #expect(live.daemon.units.first === unit)
    #expect(try node.testUnitReady(1).status == 0)
  }
}
