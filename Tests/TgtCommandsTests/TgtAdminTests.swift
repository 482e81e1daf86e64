import AdministrationModel
import Synchronization
import TargetConfig
import Testing

@testable import TgtCommands

@Suite("tgt-admin")
struct TgtAdminTests {
  /// A name in use at a cluster: no iqn, eui or naa, and taken by tgt all the same.
  private static let resource = "srv1512nas.clu-xlu-resource"

  private static let cluster = """
    <target \(resource)>
        backing-store /disks/a.img
        initiator-address 127.0.0.1
        incominguser iscsiadm 123456789adm
    </target>
    """

  @Test("--execute makes what the file says: LUN, address and user")
  func execute() async throws {
    let bench = try Bench()
    let path = try bench.file(Self.cluster)
    let run = await bench.admin("-c \(path) --execute")
    #expect(run.code == 0 && run.output.isEmpty, "\(run.output)\(run.errors)")
    let target = try #require(try await bench.daemon.targets(named: nil).first)
    #expect(target.name == Self.resource)
    #expect(target.luns.map(\.lun) == [1])
    #expect(target.acl == [AccessEntryResource(initiator: "any", addresses: ["127.0.0.1"])])
    #expect(!target.isOpenToAny)
    #expect(target.chapUsers == ["iscsiadm"])
    #expect(bench.daemon.requests.allSatisfy { $0.options.runtimeOnly })
  }

  @Test("--execute again changes nothing, and removes what the file no longer has")
  func again() async throws {
    let bench = try Bench()
    let path = try bench.file(Self.cluster)
    _ = await bench.admin("-c \(path) -e")
    let count = bench.daemon.requests.count
    #expect(await bench.admin("-e -c \(path)").code == 0)
    #expect(bench.daemon.requests.count == count)
    let other = try bench.file("<target iqn.2026-11.com.example:two>\n</target>\n")
    #expect(await bench.admin("-e -c \(other)").code == 0)
    #expect(
      try await bench.daemon.targets(named: nil).map(\.name) == ["iqn.2026-11.com.example:two"])
    #expect(try await bench.daemon.stores(named: nil).isEmpty)
  }

  /// As tgt-admin 1.0.85 prints them, but for the LUN's path, which it wants to be there.
  @Test("--pretend prints the commands that tgt-admin would give to a shell, and does nothing")
  func pretend() async throws {
    let bench = try Bench()
    let path = try bench.file(Self.cluster + "\n")
    let run = await bench.admin("-p -e -c \(path)")
    // A blank for each of five options that are not there.
    let noOptions = "     "
    #expect(
      run.output == """
        # Using \(path) as configuration file

        # default-driver not defined, defaulting to iscsi.

        # Adding target: \(Self.resource)
        tgtadm -C 0 --lld iscsi --op new --mode target --tid 1 -T \(Self.resource)
        tgtadm -C 0 --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b "/disks/a.img"\(noOptions)
        # Write cache is enabled (default) for lun 1.
        tgtadm -C 0 --lld iscsi --mode account --op new --user=iscsiadm --password=123456789adm
        tgtadm -C 0 --lld iscsi --mode account --op bind --tid=1 --user=iscsiadm
        tgtadm -C 0 --lld iscsi --op bind --mode target --tid 1 -I 127.0.0.1


        """)
    #expect(bench.daemon.requests.isEmpty)
  }

  @Test("Blocks choose numbers, caches and identities; the other LUNs take what is free")
  func blocks() async throws {
    let bench = try Bench()
    let path = try bench.file(
      """
      <target iqn.2026-11.com.example:one>
        <backing-store /disks/b.img>
          lun 1
          write-cache off
          vendor_id ACME
          params thin_provisioning=1
        </backing-store>
        <backing-store /disks/a.img>
          block-size 4096
          scsi_sn mine
        </backing-store>
        initiator-name iqn.2026-11.com.example:node1
        MaxConnections 2
      </target>
      """)
    let run = await bench.admin("-e -v -c \(path)")
    #expect(run.code == 0, "\(run.output)\(run.errors)")
    let target = try #require(try await bench.daemon.targets(named: nil).first)
    let stores = try await bench.daemon.stores(named: nil)
    func store(_ lun: UInt16) -> StoreResource? {
      target.luns.first { $0.lun == lun }.flatMap { lun in stores.first { $0.name == lun.store } }
    }
    #expect(store(1)?.path == "/disks/b.img" && store(2)?.path == "/disks/a.img")
    #expect(store(1)?.cache == "writethrough" && store(2)?.cache == "writeback")
    #expect(store(1)?.vendor == "ACME" && store(1)?.discard == "unmap")
    #expect(store(2)?.serial == "mine" && store(2)?.blockSize == 4096)
    #expect(!target.isOpenToAny)
    #expect(target.acl.map(\.initiator) == ["iqn.2026-11.com.example:node1"])
    #expect(bench.daemon.configurationText.contains("maxConnections"))
  }

  @Test("tgt-admin and config import give a disk the same identity and the same cache")
  func sameAsImport() async throws {
    let bench = try Bench()
    let source = """
      <target iqn.2026-11.com.example:one>
        <backing-store /disks/a.img>
          bsoflags sync
          mode_page 0x8:0:18:0x10:0
          params rotation_rate=1
        </backing-store>
        <backing-store /disks/b.img>
          lun 9
          scsi_id IET-mine-17
          scsi_sn S17
          params rotation_rate=7200
        </backing-store>
      </target>
      """
    let path = try bench.file(source)
    #expect(await bench.admin("-e -c \(path)").code == 0)
    let made = bench.daemon.state.withLock { $0.loaded.configuration }
    let text = try ConfigurationImport.read(
      text: source, fileName: path, format: .targetsConf
    ).text
    let imported = try ConfigurationLoader.load(text: text, permissions: .unchecked).configuration
    for number in [1, 9] as [UInt16] {
      func store(_ configuration: TargetConfiguration) throws -> TargetConfiguration.Store {
        let lun = try #require(configuration.targets.first?.luns.first { $0.number == number })
        return try #require(configuration.store(named: lun.store))
      }
      let (one, other) = (try store(made), try store(imported))
      #expect(one.naa == other.naa && one.serial == other.serial && one.vendor == other.vendor)
      #expect(one.cache == other.cache && one.rotationRate == other.rotationRate)
      #expect(one.rotationRate != nil)
    }
  }

  @Test("--update leaves a target in use alone, and with --force makes it anew with its number")
  func update() async throws {
    let bench = try Bench()
    let name = "iqn.2026-11.com.example:one"
    let path = try bench.file("<target \(name)>\nbacking-store /disks/a.img\n</target>\n")
    _ = await bench.tgtadm("--op new --mode target --tid 7 -T \(name)")
    bench.logIn()
    #expect(await bench.admin("-c \(path) --update \(name)").code == 0)
    #expect(try await bench.daemon.targets(named: nil).first?.luns.isEmpty == true)
    #expect(await bench.admin("-c \(path) --update ALL -f").code == 0)
    let show = await bench.admin("--show")
    #expect(show.output.hasPrefix("Target 7: \(name)\n"))
    #expect(show.output.contains("\n        LUN: 1\n"))
    #expect(try await bench.daemon.sessions(id: nil).isEmpty)
  }

  @Test("--delete takes a name, a number or ALL; --dump writes what could be read again")
  func deleteAndDump() async throws {
    let bench = try Bench()
    let path = try bench.file(Self.cluster)
    _ = await bench.admin("-c \(path) --execute")
    let dump = await bench.admin("--dump")
    #expect(
      dump.output == """
        default-driver iscsi

        <target \(Self.resource)>
        \tbacking-store /disks/a.img
        \tincominguser iscsiadm PLEASE_CORRECT_THE_PASSWORD
        \tinitiator-address 127.0.0.1
        </target>


        """)
    #expect(await bench.admin("--delete tid=9").code == 0)
    #expect(try await bench.daemon.targets(named: nil).count == 1)
    #expect(await bench.admin("--delete \(Self.resource)").code == 0)
    #expect(try await bench.daemon.targets(named: nil).isEmpty)
  }

  @Test("A command that fails ends it with that code, unless errors are ignored")
  func failures() async throws {
    let bench = try Bench()
    let path = try bench.file(
      "<target iqn.2026-11.com.example:one>\ninitiator-address nonsense\n</target>\n")
    let run = await bench.admin("-e -c \(path)")
    #expect(run.code == 22)
    #expect(run.output.hasSuffix("-I nonsense\nexited with code: 22.\n"))
    #expect(await bench.admin("-e -c \(path) --ignore-errors").code == 0)
    #expect(await bench.admin("-e -c /no/such/file").code == 2)
    #expect(await bench.admin("-v").output == "No action specified.\n")
  }
}

@Suite("tgt-setup-lun")
struct TgtSetupLUNTests {
  @Test("A device becomes LUN 1 of a new target, open to those who are named")
  func new() async throws {
    let bench = try Bench()
    let run = await bench.run(
      TgtSetupLUN.run, words("-n disk1 -d /disks/a.img -b rdwr 192.0.2.1 192.0.2.2"))
    #expect(run.code == 0)
    let name = "iqn.2001-04.com.node1-disk1"
    #expect(
      run.output == """
        Using transport: iscsi
        Creating new target (name=\(name), tid=1)
        Adding a logical unit (/disks/a.img) to target, tid=1
        Setting backing store type: rdwr
        Accepting connections from 192.0.2.1 192.0.2.2

        """)
    let target = try #require(try await bench.daemon.targets(named: nil).first)
    #expect(target.name == name && target.luns.map(\.lun) == [1])
    #expect(AccessRule.listed(target).map(\.text) == ["192.0.2.1", "192.0.2.2"])
  }

  @Test("What fails takes the new target back; what is wrong ends with 1")
  func failure() async throws {
    let bench = try Bench()
    let run = await bench.run(TgtSetupLUN.run, words("-n x -d /disks/a.img -b nosuch"))
    #expect(run.code == 1)
    #expect(try await bench.daemon.targets(named: nil).isEmpty)
    for arguments in ["", "-h", "-n x", "-n x -d /disks/none.img", "-x 1"] {
      #expect(await bench.run(TgtSetupLUN.run, words(arguments)).code == 1)
    }
  }

  @Test("An existing target gets another LUN only after a yes")
  func existing() async throws {
    var bench = try Bench()
    let name = "iqn.2026-11.com.example:one"
    _ = await bench.run(TgtSetupLUN.run, words("-n \(name) -d /disks/a.img"))
    let arguments = words("-n \(name) -d /disks/b.img")
    #expect(await bench.run(TgtSetupLUN.run, arguments).code == 1)
    bench.input = ["yes"]
    #expect(await bench.run(TgtSetupLUN.run, arguments).code == 0)
    #expect(try await bench.daemon.targets(named: nil).first?.luns.map(\.lun) == [1, 2])
  }
}
