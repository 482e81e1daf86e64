import Testing

@testable import TargetConfig

@Suite("Import of ctl.conf")
struct CTLImportTests {
  private static let sample = ImportSample.ctl
  private static let name = "iqn.2012-06.com.example:target0"

  private func sample() throws -> Import { try Import(Self.sample, .ctl) }

  @Test("Identity, cache, block size and discard of a LUN are kept")
  func stores() throws {
    let result = try sample()
    let store = try result.store("shared")
    #expect(store.medium == .block(path: "/dev/zvol/tank/shared"))
    #expect(store.naa?.description == "6589cfc000000aabbccddeeff0011223")
    #expect(store.serial == "S0001")
    #expect(store.vendor == "ACME")
    #expect(store.product == "iSCSI Disk")
    #expect(store.blockSize == 4096)
    #expect(store.cache == .directsync)
    #expect(store.discard == .ignore)
    #expect(store.rotationRate == 7200)
    let file = try result.store("file")
    #expect(file.readOnly)
    #expect(file.medium == .file(path: "/tank/file.img"))
  }

  @Test("Each name of an auth-group is an entry with all its addresses: both must match")
  func access() throws {
    let target = try sample().target(Self.name)
    #expect(
      target.acl.map(\.initiator)
        == ["iqn.2026-11.com.example:node1", "iqn.2026-11.com.example:node2"])
    for entry in target.acl {
      #expect(entry.addresses.map(\.description) == ["192.168.90.0/24", "2001:db8::/64"])
    }
    #expect(target.chap.map(\.user) == ["user", "user2"])
    #expect(target.chap.first?.secret == Secret("secret#of-user"))
    #expect(target.mutualChap?.user == "mutualuser")
    #expect(target.luns.map(\.number) == [0, 4])
    #expect(target.alias == "Example target")
  }

  @Test("no-authentication opens, silence denies, and names without an auth-type let nobody in")
  func kinds() throws {
    let result = try sample()
    #expect(try result.target("iqn.2012-06.com.example:open").isOpenToAny)
    for name in ["silent", "names"] {
      let target = try result.target("iqn.2012-06.com.example:\(name)")
      #expect(!target.isOpenToAny && target.acl.isEmpty)
    }
    #expect(
      result.notes(line: line(of: "example:names {", in: Self.sample), "auth-type none"))
  }

  @Test("The predefined portal group is every address, beside which no other can stand")
  func portals() throws {
    let result = try sample()
    #expect(
      result.configuration.portals.map(\.endpoint.description)
        == ["0.0.0.0:3260", "[2001:db8::140]:3261", "[::]:3260"])
    #expect(
      result.notes(line: line(of: "example:target0", in: Self.sample), "cannot stand beside"))
  }

  @Test(
    "Each loss has its note with its line",
    arguments: [
      ("pidfile", "ctld alone"), ("timeout 30", "nothing like it"),
      ("\"user2\"", "that of the first chap-mutual is kept"), ("tag 2", "not kept"),
      ("device-id", "made of vendor and serial"), ("size 4G", "its own"),
      ("lun 4 {", "no \"option naa\""),
      ("lun 4 {", "serial number to CTL"),
    ])
  func losses(words: String, note: String) throws {
    let result = try sample()
    #expect(result.notes(line: line(of: words, in: Self.sample), note), "\(result.notes)")
    #expect(result.notes.contains { $0.contains("paths are those of FreeBSD") })
  }

  @Test("An auth-group beside initiators of the target's own lets nobody in, as ctld refuses it")
  func twoAuthentications() throws {
    let result = try Import(
      """
      target iqn.2026-11.com.example:t {
        auth-group no-authentication
        initiator-name iqn.2026-11.com.example:n
      }
      """, .ctl)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(!target.isOpenToAny && target.acl.isEmpty)
    #expect(result.notes(line: 1, "which ctld refuses"))
  }

  @Test("An auth-group whose only address cannot be read lets nobody in")
  func unreadableAddress() throws {
    let result = try Import(
      """
      auth-group a {
        auth-type none
        initiator-portal nowhere
      }
      target iqn.2026-11.com.example:t {
        auth-group a
      }
      """, .ctl)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(!target.isOpenToAny && target.acl.isEmpty)
    #expect(result.notes(line: 3, "not an address or network"))
  }

  @Test("A memory disk needs its size, in powers of 1024")
  func memory() throws {
    let result = try Import(
      """
      target iqn.2026-11.com.example:t {
        auth-group no-authentication
        lun 0 { backend ramdisk; size 64M }
        lun 1 {
          backend ramdisk
        }
      }
      """, .ctl)
    #expect(result.configuration.stores.map(\.sizeBytes) == [64 << 20])
    #expect(result.notes(line: 4, "needs a size"))
  }
}
