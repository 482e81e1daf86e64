import Testing

@testable import TargetConfig

@Suite("Import of scst.conf")
struct SCSTImportTests {
  private static let sample = ImportSample.scst
  private static let name = "iqn.2006-10.net.vlnb:tgt"

  private func sample() throws -> Import { try Import(Self.sample, .scst) }

  @Test("Identity, cache, block size and write protection of devices are kept")
  func stores() throws {
    let result = try sample()
    let disk = try result.store("disk1")
    #expect(disk.medium == .file(path: "/srv/iscsi/disk1.img"))
    #expect(disk.naa?.description == "6001405aabbccdd00112233445566778")
    #expect(disk.serial == "D0001")
    #expect(disk.vendor == "ACME")
    #expect(disk.product == "FAST")
    #expect(disk.cache == .writeback)
    let quorum = try result.store("quorum")
    #expect(quorum.medium == .block(path: "/dev/vg0/quorum"))
    #expect(quorum.cache == .directsync)
    #expect(quorum.blockSize == 4096)
    #expect(quorum.readOnly)
    #expect(quorum.naa == nil)
  }

  @Test("Members of a group see its LUNs, everybody else those of the target")
  func access() throws {
    let target = try sample().target(Self.name)
    #expect(target.luns.map(\.store) == ["disk1"])
    #expect(target.isOpenToAny)
    #expect(target.acl.map(\.initiator) == ["iqn.2026-11.com.example:node1"])
    #expect(target.acl.first?.luns == [.init(number: 4, store: "quorum", readOnly: true)])
    #expect(target.chap.map(\.user) == ["joe"])
    #expect(target.mutualChap?.secret == Secret("12charsecret2"))
    #expect(target.iscsi.nopIntervalSeconds == 15)
  }

  @Test("A target without LUNs of its own is open to its groups alone, and patterns are told")
  func masked() throws {
    let result = try sample()
    let target = try result.target("iqn.2006-10.net.vlnb:masked")
    #expect(!target.isOpenToAny)
    #expect(target.acl.map(\.initiator) == ["iqn.2026-11.com.example:node2"])
    let pattern = line(of: "blade*", in: Self.sample)
    #expect(result.notes(line: pattern, "cannot be written here"))
    let masked = line(of: ":masked", in: Self.sample)
    #expect(result.notes(line: masked, "saw nothing"))
  }

  @Test("A pattern that is lost closes the door that would give its initiators other LUNs")
  func lostPattern() throws {
    let result = try Import(
      """
      HANDLER vdisk_fileio {
        DEVICE a {
          filename /srv/a
        }
      }
      TARGET_DRIVER iscsi {
        TARGET iqn.2026-11.com.example:t {
          enabled 1
          LUN 0 a
          GROUP g {
            INITIATOR !iqn.2026-11.com.example:x
          }
        }
      }
      """, .scst)
    #expect(try !result.target("iqn.2026-11.com.example:t").isOpenToAny)
    #expect(result.notes(line: 7, "was open to everybody else too"))
  }

  @Test(
    "Each loss has its note with its line",
    arguments: [
      ("setup_id", "concerns SCST alone"), ("DEVICE 1:0:0:0", "does not exist here"),
      ("LUN 1 1:0:0:0", "left out with the device"), ("nv_cache 1", "initiators flush it"),
      ("threads_num", "cannot be chosen"), ("DEVICE quorum", "has no naa_id"),
      ("DEVICE quorum", "serial number (usn) and vendor (t10_vend_id)"),
      ("link_local", "iSCSI driver"), ("rel_tgt_id", "not kept"),
      ("allowed_portal", "at every address"), ("vlnb:off", "not enabled"),
      ("TARGET_DRIVER qla2x00t", "only iSCSI"), ("DEVICE_GROUP", "active and optimized"),
    ])
  func losses(words: String, note: String) throws {
    let result = try sample()
    #expect(result.notes(line: line(of: words, in: Self.sample), note), "\(result.notes)")
  }

  @Test("Users are kept by all their numbered attributes, and without a usable one nobody gets in")
  func numberedUsers() throws {
    let result = try Import(
      """
      HANDLER vdisk_fileio {
        DEVICE a {
          filename /srv/a
        }
      }
      TARGET_DRIVER iscsi {
        IncomingUser1 "disc 12charsecret"
        TARGET iqn.2026-11.com.example:several {
          enabled 1
          IncomingUser "one 12charsecret"
          IncomingUser1 "two 12charsecret"
          IncomingUser12 "three 12charsecret"
          LUN 0 a
        }
        TARGET iqn.2026-11.com.example:later {
          enabled 1
          IncomingUser1 "two 12charsecret"
          LUN 0 a
        }
        TARGET iqn.2026-11.com.example:unusable {
          enabled 1
          IncomingUser1 "two"
          LUN 0 a
        }
      }
      """, .scst)
    let several = try result.target("iqn.2026-11.com.example:several")
    #expect(several.chap.map(\.user) == ["one", "two", "three"])
    #expect(try result.target("iqn.2026-11.com.example:later").chap.map(\.user) == ["two"])
    #expect(try !result.target("iqn.2026-11.com.example:unusable").isOpenToAny)
    #expect(result.configuration.discovery.chap.map(\.user) == ["disc"])
  }

  @Test("Discovery asks for the user of the driver")
  func discovery() throws {
    #expect(try sample().configuration.discovery.chap.map(\.user) == ["disc"])
  }

  @Test(
    "Braces that do not match are an error with their line",
    arguments: [
      ("HANDLER a {", "file:1: the \"{\" of \"HANDLER\" is not closed"),
      ("a\n}", "file:2: a \"}\" closes nothing"), ("{", "file:1: a \"{\" without a name"),
      ("a \"b", "file:1: the quotes are not closed"),
      (String(repeating: "a {\n", count: 100), "file:32: blocks are nested deeper"),
    ])
  func syntax(text: String, problem: String) {
    #expect(importProblem(text, .scst)?.hasPrefix(problem) == true)
  }
}
