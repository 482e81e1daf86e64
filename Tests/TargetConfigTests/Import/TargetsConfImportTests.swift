import Testing

@testable import TargetConfig

@Suite("Import of targets.conf")
struct TargetsConfImportTests {
  private static let sample = ImportSample.targetsConf
  private static let quorum = "iqn.2026-11.com.example:b-quorum"

  private func sample() throws -> Import {
    try Import(
      Self.sample, .targetsConf,
      includes: ["/etc/tgt/conf.d/*.conf": [("/etc/tgt/conf.d/x.conf", "# nothing\n")]])
  }

  private func noted(_ result: Import, _ line: String, _ words: String) -> Bool {
    result.notes(line: TargetConfigTests.line(of: line, in: Self.sample), words)
  }

  @Test("Identity, LUN number, block size and a switched-off write cache stay as they were")
  func identity() throws {
    let result = try sample()
    let store = try result.store("quorum1")
    #expect(store.medium == .file(path: "/srv/iscsi/quorum1.img"))
    // quorum-disk-0001, a digit for each character: d is 13, "0001" is itself, the rest is 0.
    #expect(store.naa?.description == "60000000000000000000000d00000001")
    #expect(store.serial == "Q0001")
    #expect(store.vendor == "ACME")
    #expect(store.product == "QUORUM")
    #expect(store.blockSize == 4096)
    #expect(store.cache == .directsync)
    #expect(try result.target(Self.quorum).luns.map(\.number) == [3, 1, 4])
    #expect(try result.target(Self.quorum).luns.map(\.store) == ["quorum1", "data", "sdc"])
  }

  @Test("LUNs are counted past a number that is given and one that is left out")
  func numbering() throws {
    let result = try sample()
    // 3 is given; data gets 1, the tape 2, and the direct store, which comes last, 4.
    #expect(try result.target(Self.quorum).luns.map(\.number) == [3, 1, 4])
  }

  @Test("The text is one that people read and edit")
  func text() throws {
    let result = try Import(
      """
      <target iqn.2026-11.com.example:t>
        <backing-store /srv/a.img>
          scsi_id IET     00010001
          scsi_sn A1
          write-cache off
        </backing-store>
        initiator-address 10.0.0.0/8
        incominguser user secret-secret
      </target>
      """, .targetsConf)
    #expect(
      result.text == """
        // Imported from a targets.conf. It may hold secrets: keep its mode at 0600.
        {
          "stores": {
            "a": {
              "file": "/srv/a.img",
              "cache": "writethrough",
              "naa": "60000000000000000e00000000010001",
              "serial": "A1",
              "vendor": "IET"
            }
          },
          "targets": [{
            "name": "iqn.2026-11.com.example:t",
            "luns": [{
              "lun": 1,
              "store": "a"
            }],
            "chap": [{
              "user": "user",
              "secret": "secret-secret"
            }],
            "acl": [{
              "initiator": "any",
              "addresses": ["10.0.0.0/8"]
            }]
          }]
        }

        """)
  }

  @Test("Without scsi_id the WWID is the one that tgtd makes of its numbers, and that is told")
  func defaultIdentity() throws {
    let result = try sample()
    let open = try result.store("open")
    #expect(open.naa?.description == "60000000000000000e00000000010001")
    #expect(open.serial == "beaf11")
    #expect(open.vendor == "IET")
    #expect(open.cache == .writeback)
    // controller_tid 7, LUN 1
    #expect(try result.store("data").naa?.description == "60000000000000000e00000000070001")
    #expect(noted(result, "backing-store /srv/iscsi/open.img", "without scsi_id"))
    #expect(result.notes(line: nil, "T10 identifier"))
  }

  @Test("Names and addresses become entries of their own: in tgt either one lets in")
  func access() throws {
    let result = try sample()
    let target = try result.target(Self.quorum)
    #expect(target.acl.map(\.initiator) == ["iqn.2026-11.com.example:node1", nil])
    #expect(
      target.acl.map { $0.addresses.map(\.description) } == [[], ["192.168.90.0/24", "10.1.2.3"]])
    #expect(!target.isOpenToAny)
    #expect(noted(result, "initiator-name", "by its name or by its address"))
  }

  @Test("With neither name nor address everybody gets in, as tgt-admin binds ALL")
  func open() throws {
    let target = try sample().target("iqn.2026-11.com.example:a-open")
    #expect(target.isOpenToAny)
    #expect(target.acl.isEmpty)
  }

  @Test("Names alone stay names, though tgt-admin bound every address beside them")
  func namesOnly() throws {
    let result = try Import(
      """
      <target iqn.2026-11.com.example:t>
        backing-store /srv/a.img
        initiator-name iqn.2026-11.com.example:Node1
        initiator-address ALL
      </target>
      """, .targetsConf)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(target.acl.map(\.initiator) == ["iqn.2026-11.com.example:node1"])
    #expect(!target.isOpenToAny)
    #expect(result.notes(line: 3, "only the initiators that are named get in"))
  }

  @Test("CHAP is kept in both directions, for targets and for discovery")
  func chap() throws {
    let result = try sample()
    let target = try result.target(Self.quorum)
    #expect(target.chap.map(\.user) == ["node", "other"])
    #expect(target.chap.first?.secret == Secret("secret-of-nodes"))
    #expect(target.mutualChap?.user == "target")
    #expect(result.configuration.discovery.chap.map(\.user) == ["disc"])
    #expect(result.configuration.discovery.mutualChap?.user == "tgtdisc")
    #expect(noted(result, "outgoinguser target2", "a second outgoing user"))
  }

  @Test("What is negotiated is kept, and error recovery that does not exist here is told")
  func negotiation() throws {
    let result = try sample()
    let iscsi = try result.target(Self.quorum).iscsi
    #expect(iscsi.maxBurstLength == 524_288)
    #expect(iscsi.headerDigest == .crc32c)
    #expect(iscsi.nopIntervalSeconds == 5)
    #expect(iscsi.nopTimeoutSeconds == 15)
    #expect(noted(result, "ErrorRecoveryLevel", "always 0"))
  }

  @Test(
    "Each loss has its note with its line",
    arguments: [
      ("ignore-errors", "tgt-admin alone"), ("iSNS On", "no iSNS"),
      ("controller_tid", "only told the WWIDs"), ("product_rev", "revision"),
      ("allow-in-use", "refused here"),
      ("<direct-store", "of the disk itself"), ("<backing-store /srv/iscsi/tape>", "only disks"),
      ("<target iqn.2026-11.com.example:offline>", "is offline"),
    ])
  func losses(line: String, words: String) throws {
    let result = try sample()
    #expect(noted(result, line, words), "\(result.notes)")
  }

  @Test("A direct store is read-only where it says so, with the cache off by its mode page")
  func directStore() throws {
    let store = try sample().store("sdc")
    #expect(store.medium == .block(path: "/dev/sdc"))
    #expect(store.readOnly)
    #expect(store.cache == .directsync)
    #expect(store.serial == nil)
  }

  @Test("Included files count as if they stood there, each once, with their own lines")
  func includes() throws {
    let inner =
      "\n<target iqn.2026-11.com.example:inner>\n unknown 1\n backing-store /srv/i.img\n</target>\n"
    let result = try Import(
      "include conf.d/*\ninclude conf.d/*\ninclude missing", .targetsConf,
      includes: ["conf.d/*": [("conf.d/a.conf", inner)]])
    #expect(result.configuration.targets.map(\.name) == ["iqn.2026-11.com.example:inner"])
    #expect(result.notes.contains { $0.hasPrefix("conf.d/a.conf:3: \"unknown\"") })
    #expect(result.notes(line: 3, "\"missing\" gave no file"))
  }

  @Test("A file that includes itself under new names ends with an error")
  func endlessIncludes() {
    let problem = importProblem("include a", .targetsConf) { [("\($0)a", "include \($0)a")] }
    #expect(problem?.contains("nested deeper than 8 levels") == true)
  }

  @Test("A target whose only address cannot be read stays closed")
  func unreadableAddress() throws {
    let result = try Import(
      "<target iqn.2026-11.com.example:t>\ninitiator-address host.example.com\n</target>",
      .targetsConf)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(target.acl.isEmpty && !target.isOpenToAny)
    #expect(result.notes(line: 2, "not an address or network"))
    #expect(result.notes(line: 1, "nobody may log in"))
  }

  @Test("A network with bits behind its prefix is the network")
  func maskedNetwork() throws {
    let result = try Import(
      """
      <target iqn.2026-11.com.example:t>
      initiator-address 192.168.1.7/24
      initiator-address 2001:db8::7/0
      </target>
      """, .targetsConf)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(target.acl.flatMap(\.addresses).map(\.description) == ["192.168.1.0/24", "::/0"])
  }

  @Test("A target that asked for CHAP does not open when its user cannot be kept")
  func lostUser() throws {
    let result = try Import(
      "<target iqn.2026-11.com.example:t>\nincominguser onlyname\n</target>", .targetsConf)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(!target.isOpenToAny)
    #expect(result.notes(line: 1, "none of the CHAP users"))
  }

  @Test("One secret for both directions is not kept for the target's")
  func sameSecret() throws {
    let result = try Import(
      """
      <target iqn.2026-11.com.example:t>
      incominguser a same-secret-both
      outgoinguser b same-secret-both
      </target>
      """, .targetsConf)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(target.chap.map(\.user) == ["a"])
    #expect(target.mutualChap == nil)
    #expect(result.notes(line: 1, "RFC 7143 §9.2.1"))
    #expect(!result.notes.contains { $0.contains("same-secret-both") })
  }

  @Test("One file in two targets is one store under the identity of the first")
  func sharedFile() throws {
    let result = try Import(
      """
      <target iqn.2026-11.com.example:a>
      backing-store /srv/a.img
      </target>
      <target iqn.2026-11.com.example:b>
      backing-store /srv/../srv/a.img
      </target>
      """, .targetsConf)
    #expect(result.configuration.stores.map(\.name) == ["a"])
    #expect(result.configuration.targets.flatMap(\.luns).map(\.store) == ["a", "a"])
    #expect(result.notes(line: 5, "is the medium of the store \"a\" already"))
  }

  @Test(
    "Broken syntax is an error with its line",
    arguments: [
      ("<target a>\n", "file:1: <target> is not closed"),
      ("x 1\n</target>", "file:2: </target> closes a block that is not open"),
      ("<target a>\n<backing-store b>\n</target>", "file:3: </target> stands where"),
      ("<target a", "file:1: the tag is not closed"), ("a <<EOF\nb\nEOF", "file:1: a value over"),
      ("/* never\nclosed", "file:1: the comment is not closed"), ("= 3", "file:1: expected a name"),
    ])
  func syntax(text: String, problem: String) {
    #expect(importProblem(text, .targetsConf)?.hasPrefix(problem) == true)
  }

  @Test("An initiator that is called any is not everybody")
  func namedAny() throws {
    let result = try Import(
      """
      <target iqn.2026-11.com.example:t>
      initiator-name any
      </target>
      """, .targetsConf)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(target.acl.isEmpty && !target.isOpenToAny)
    #expect(result.notes(line: 2, "is everybody here, and no name"))
  }

  @Test("Comments, quotes, continued lines and \"=\" mean what they mean to tgt-admin")
  func spelling() throws {
    let result = try Import(
      """
      /* of two
      lines */
      <target "iqn.2026-11.com.example:t">
        backing-store = "/srv/with space.img"  # comment
        incominguser user \\
          pass\\#word-with-hash
      </target>
      """, .targetsConf)
    let target = try result.target("iqn.2026-11.com.example:t")
    #expect(target.chap.first?.secret == Secret("pass#word-with-hash"))
    #expect(result.configuration.stores.map(\.medium) == [.file(path: "/srv/with space.img")])
    #expect(result.configuration.stores.map(\.name) == ["with-space"])
  }
}
