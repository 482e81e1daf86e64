import AdministrationModel
import Testing

@testable import TgtCommands

@Suite("Offline targets and units of tgt")
struct OfflineTests {
  private static let one = "iqn.2026-11.com.example:one"
  private static let state = "--op update --mode target --tid 4 -n state -v"

  private static func bench() async throws -> Bench {
    let bench = try Bench()
    _ = await bench.tgtadm("--op new --mode target --tid 4 -T \(one)")
    _ = await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 1 -b /disks/a.img")
    return bench
  }

  /// As the daemon has it.
  private static func target(_ bench: Bench) async throws -> TargetResource {
    try #require(try await bench.daemon.targets(named: nil).first { $0.name == one })
  }

  private static func isOpen(_ target: TargetResource) -> Bool {
    target.isOpenToAny || !target.acl.isEmpty
  }

  @Test("An offline target lets nobody in, and a ready one those it did")
  func target() async throws {
    let bench = try await Self.bench()
    for rule in ["-I 192.0.2.0/24", "-Q iqn.2026-11.com.example:node1", "-I ALL"] {
      _ = await bench.tgtadm("--op bind --mode target --tid 4 \(rule)")
    }
    let before = try await Self.target(bench)
    #expect(await bench.tgtadm("\(Self.state) offline").code == 0)
    #expect(try await !Self.isOpen(Self.target(bench)))
    let show = await bench.tgtadm("--op show --mode target").output
    #expect(show.contains("        State: offline\n"))
    #expect(
      show.contains("        ALL\n        192.0.2.0/24\n        iqn.2026-11.com.example:node1\n"))
    #expect(await bench.tgtadm("\(Self.state) ready").code == 0)
    let after = try await Self.target(bench)
    #expect(after.acl == before.acl && after.isOpenToAny)
    #expect(await bench.tgtadm("--op show --mode target").output.contains("State: ready\n"))
    #expect(try await !bench.daemon.notes(withSecrets: true).contains { $0.key.contains("closed") })
    #expect(await bench.tgtadm("\(Self.state) asleep").code == 22)
  }

  @Test("Who is bound to an offline target waits, and who is unbound does not come back")
  func binding() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op bind --mode target --tid 4 -I 192.0.2.7")
    _ = await bench.tgtadm("\(Self.state) offline")
    #expect(await bench.tgtadm("--op bind --mode target --tid 4 -I ALL").code == 0)
    #expect(
      await bench.tgtadm("--op bind --mode target --tid 4 -I ALL").errors
        == "tgtadm: this access control rule already exists\n")
    #expect(await bench.tgtadm("--op bind --mode target --tid 4 -I 192.0.2.0/24").code == 0)
    #expect(await bench.tgtadm("--op unbind --mode target --tid 4 -I 192.0.2.7").code == 0)
    #expect(try await !Self.isOpen(Self.target(bench)))
    _ = await bench.tgtadm("\(Self.state) ready")
    let target = try await Self.target(bench)
    #expect(target.acl.map(\.addresses) == [["192.0.2.0/24"]] && target.isOpenToAny)
  }

  @Test("While the system is offline so is every target, also a new one, and none shows it")
  func system() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op bind --mode target --tid 4 -I ALL")
    #expect(await bench.tgtadm("--op update --mode sys -n State -v offline").code == 0)
    #expect(await bench.tgtadm("--op show --mode sys").output.contains("    State: offline\n"))
    _ = await bench.tgtadm("--op new --mode target --tid 5 -T iqn.2026-11.com.example:two")
    _ = await bench.tgtadm("--op bind --mode target --tid 5 -I ALL")
    #expect(try await bench.daemon.targets(named: nil).allSatisfy { !Self.isOpen($0) })
    #expect(!(await bench.tgtadm("--op show --mode target").output.contains("offline")))
    #expect(await bench.tgtadm("--op update --mode sys -n State -v ready").code == 0)
    #expect(try await bench.daemon.targets(named: nil).allSatisfy(\.isOpenToAny))
  }

  @Test("A target that goes takes its state along")
  func deletion() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("\(Self.state) offline")
    _ = await bench.tgtadm("--op delete --mode target --tid 4")
    #expect(try await bench.daemon.notes(withSecrets: true).isEmpty)
  }

  @Test("A target that something else removed takes its state along: one of its name is another")
  func foreignDeletion() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op bind --mode target --tid 4 -I ALL")
    _ = await bench.tgtadm("--op new --mode account --user m --password a-long-secret-1")
    _ = await bench.tgtadm("--op bind --mode account --tid 4 --user m --outgoing")
    _ = await bench.tgtadm("--op update --mode logicalunit --tid 4 --lun 1 --params online=0")
    _ = await bench.tgtadm("\(Self.state) offline")
    let noted = try await bench.daemon.notes(withSecrets: true).map(\.key)
    #expect(noted.count { $0.hasPrefix("tgt/target/\(Self.one)/") } == 3)
    for change in [
      Change.removeTarget(Change.TargetName(Self.one)),
      .addTarget(TargetSpecification(name: Self.one)),
    ] {
      _ = try await bench.daemon.change(ChangeRequest([change]))
    }
    _ = await bench.tgtadm("\(Self.state) ready")
    let target = try await Self.target(bench)
    #expect(!Self.isOpen(target) && target.luns.isEmpty)
    let show = await bench.tgtadm("--op show --mode target").output
    #expect(!show.contains("(outgoing)") && !show.contains("Online: No"))
    let kept = try await bench.daemon.notes(withSecrets: true).map(\.key)
    #expect(!kept.contains { $0.hasPrefix("tgt/target/") })
  }

  @Test("An outgoing account of discovery stays, whatever becomes of targets")
  func discovery() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op new --mode account --user m --password a-long-secret-1")
    #expect(await bench.tgtadm("--op bind --mode account --user m --outgoing").code == 0)
    _ = await bench.tgtadm("--op delete --mode target --tid 4")
    let again = await bench.tgtadm("--op bind --mode account --user m --outgoing")
    #expect(again.errors.contains("already has an outgoing account"))
  }

  @Test(
    "targets.conf: an offline target is closed before anybody is bound, and the rest is made",
    arguments: ["", "ignore-errors yes\n"])
  func configuration(_ head: String) async throws {
    for address in ["", "initiator-address 192.0.2.7\n"] {
      let bench = try Bench()
      let path = try bench.file(
        """
        \(head)<target \(Self.one)>
        backing-store /disks/a.img
        state offline
        \(address)</target>
        <target iqn.2026-11.com.example:two>
        backing-store /disks/b.img
        </target>
        """)
      let run = await bench.admin("-e -c \(path)")
      #expect(run.code == 0, "\(run.output)\(run.errors)")
      #expect(try await !Self.isOpen(Self.target(bench)))
      #expect(try await bench.daemon.targets(named: nil).map(\.isOpenToAny) == [false, true])
      let opened = bench.daemon.requests.contains { request in
        request.changes.contains { change in
          switch change {
          case .addACLEntry(let addition): addition.target == Self.one
          case .setTarget(let keys): keys.name == Self.one
          default: false
          }
        }
      }
      #expect(!opened)
      #expect(await bench.admin("--ready \(Self.one)").code == 0)
      #expect(try await Self.isOpen(Self.target(bench)))
      #expect(await bench.admin("--offline ALL").code == 0)
      #expect(try await bench.daemon.targets(named: nil).allSatisfy { !Self.isOpen($0) })
    }
  }

  @Test("A unit that is offline is nobody's, keeps its number, and comes back")
  func unit() async throws {
    let bench = try await Self.bench()
    let update = "--op update --mode logicalunit --tid 4 --lun 1 --params"
    #expect(await bench.tgtadm("\(update) online=0").code == 0)
    #expect(try await Self.target(bench).luns.isEmpty)
    let show = await bench.tgtadm("--op show --mode target").output
    #expect(show.contains("Online: No\n"))
    #expect(
      await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 1 -b /disks/b.img").errors
        == "tgtadm: this logical unit number already exists\n")
    #expect(await bench.tgtadm("\(update) scsi_sn=other").code == 0)
    #expect(await bench.tgtadm("\(update) online=1").code == 0)
    #expect(try await Self.target(bench).luns.map(\.lun) == [1])
    _ = await bench.tgtadm("\(update) online=0")
    #expect(await bench.tgtadm("--op delete --mode logicalunit --tid 4 --lun 1").code == 0)
    #expect(try await bench.daemon.stores(named: nil).isEmpty)
    #expect(try await bench.daemon.notes(withSecrets: true).map(\.key) == ["tgt/tid/4"])
  }
}
