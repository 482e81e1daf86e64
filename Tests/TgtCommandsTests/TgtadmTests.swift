import AdministrationModel
import Foundation
import Synchronization
import Testing

@testable import TgtCommands

/// What no transcript of tgt shows: how its words become ours, and what other programs made.
@Suite("tgtadm on the API")
struct TgtadmTests {
  private static let one = "iqn.2026-11.com.example:one"

  private static func bench() async throws -> Bench {
    let bench = try Bench()
    _ = await bench.tgtadm("--op new --mode target --tid 4 -T \(one)")
    return bench
  }

  @Test("Every change is for as long as the daemon runs, and a refused one leaves no note")
  func runtimeOnly() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op new --mode target --tid 5 -T bad_name")
    #expect(bench.daemon.requests.count == 2)
    #expect(bench.daemon.requests.allSatisfy { $0.options.runtimeOnly && !$0.options.force })
    #expect(try await bench.daemon.notes(withSecrets: true).map(\.key) == ["tgt/tid/4"])
  }

  @Test("Targets of the configuration have the daemon's numbers, and keep what tgtadm was told")
  func numbers() async throws {
    let bench = try await Self.bench()
    let change = Change.addTarget(TargetSpecification(name: "iqn.2026-11.com.example:other"))
    _ = try await bench.daemon.change(ChangeRequest([change]))
    // The daemon numbers by itself: its 4 is no more the other target's than tgtadm's.
    bench.daemon.state.withLock { $0.numbers["iqn.2026-11.com.example:other"] = 4 }
    let show = await bench.tgtadm("--op show --mode target").output
    #expect(show.contains("Target 4: \(Self.one)\n"))
    #expect(show.contains("Target 5: iqn.2026-11.com.example:other\n"))
    _ = await bench.tgtadm("--op delete --mode target --tid 4")
    // It was shown with that number: it stays.
    #expect(
      await bench.tgtadm("--op show --mode target").output
        .hasPrefix("Target 5: iqn.2026-11.com.example:other\n"))
  }

  @Test("A number is free again when something else than tgtadm removed its target")
  func staleNumber() async throws {
    let bench = try await Self.bench()
    _ = try await bench.daemon.change(
      ChangeRequest([.removeTarget(Change.TargetName(Self.one))]))
    let again = await bench.tgtadm("--op new --mode target --tid 4 -T iqn.2026-11.com.example:two")
    #expect(again.code == 0)
    #expect(
      await bench.tgtadm("--op show --mode target").output
        .hasPrefix("Target 4: iqn.2026-11.com.example:two\n"))
  }

  @Test("A name gets the number that is asked for when something else removed its target")
  func staleName() async throws {
    let bench = try await Self.bench()
    _ = try await bench.daemon.change(
      ChangeRequest([.removeTarget(Change.TargetName(Self.one))]))
    #expect(await bench.tgtadm("--op new --mode target --tid 21 -T \(Self.one)").code == 0)
    #expect(
      await bench.tgtadm("--op show --mode target").output.hasPrefix("Target 21: \(Self.one)\n"))
    #expect(try await bench.daemon.notes(withSecrets: true).map(\.key) == ["tgt/tid/21"])
    #expect(await bench.tgtadm("--op bind --mode target --tid 21 -I ALL").code == 0)
    #expect(await bench.tgtadm("--op delete --mode target --tid 21").code == 0)
    #expect(try await bench.daemon.notes(withSecrets: true).isEmpty)
  }

  @Test("One path is one store under two numbers, and goes with the last of them")
  func sharedPath() async throws {
    let bench = try await Self.bench()
    for lun in 1...2 {
      let run = await bench.tgtadm(
        "--op new --mode logicalunit --tid 4 --lun \(lun) -b /disks/a.img")
      #expect(run.code == 0)
    }
    #expect(try await bench.daemon.stores(named: nil).count == 1)
    _ = await bench.tgtadm("--op delete --mode logicalunit --tid 4 --lun 1")
    #expect(try await bench.daemon.stores(named: nil).count == 1)
    _ = await bench.tgtadm("--op delete --mode logicalunit --tid 4 --lun 2")
    #expect(try await bench.daemon.stores(named: nil).isEmpty)
    #expect(try await bench.daemon.notes(withSecrets: true).map(\.key) == ["tgt/tid/4"])
  }

  @Test("A second number of a path is told to be the same disk; other blocks are refused")
  func sameDisk() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 1 -b /disks/a.img")
    let blocks = await bench.tgtadm(
      "--op new --mode logicalunit --tid 4 --lun 2 -b /disks/a.img -y 4096")
    #expect(blocks.code == 22 && blocks.errors.contains("with blocks of 512 bytes"))
    let flags = await bench.tgtadm(
      "--op new --mode logicalunit --tid 4 --lun 2 -b /disks/a.img -E aio -f direct")
    #expect(flags.code == 0)
    #expect(flags.errors.contains("note: /disks/a.img is served already"))
    #expect(flags.errors.contains("its flags and type stay as they are (cache writeback)"))
  }

  @Test("A number that is free is never said to be taken, whatever else is")
  func otherConflicts() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 1 -b /disks/a.img")
    _ = await bench.tgtadm(
      "--op update --mode logicalunit --tid 4 --lun 1 --params path=/disks/b.img")
    // Its name is still that of the first path.
    let again = await bench.tgtadm(
      "--op new --mode logicalunit --tid 4 --lun 2 -b /disks/a.img")
    #expect(again.code == 0, "\(again.errors)")
    #expect(try await bench.daemon.stores(named: nil).count == 2)
    var refusal = AdministrationError(.conflict, "the same file as x", path: "stores.tgt_c.file")
    refusal.change = 0
    bench.daemon.state.withLock { $0.refusal = refusal }
    let link = await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 3 -b /disks/c.img")
    #expect(link.code == 22 && link.errors.hasPrefix("tgtadm: invalid request\n"))
    #expect(link.errors.contains("the same file as x"))
  }

  @Test("A number above 16383 is refused by its limit")
  func highNumber() async throws {
    let bench = try await Self.bench()
    let run = await bench.tgtadm(
      "--op new --mode logicalunit --tid 4 --lun 20000 -b /disks/a.img")
    #expect(run.code == 22 && run.errors.contains("the highest number is 16383"))
  }

  @Test("Accounts are bound and go in any order")
  func accountOrder() async throws {
    let bench = try await Self.bench()
    for user in ["in", "out"] {
      _ = await bench.tgtadm("--mode account --op new --user \(user) --password secret-of-\(user)")
    }
    func users() async throws -> [String] {
      let target = try #require(try await bench.daemon.targets(named: nil).first)
      return target.chapUsers + [target.mutualCHAPUser].compactMap { $0 }
    }
    let out = "--mode account --op bind --tid 4 --user out --outgoing"
    #expect(await bench.tgtadm(out).code == 0)
    #expect(try await users().isEmpty)
    #expect(
      await bench.tgtadm("--op show --mode target").output.contains("        out (outgoing)\n"))
    #expect(await bench.tgtadm(out).errors.contains("already has an outgoing account"))
    #expect(await bench.tgtadm("--mode account --op bind --tid 4 --user in").code == 0)
    #expect(try await users() == ["in", "out"])
    #expect(await bench.tgtadm("--mode account --op delete --user in").code == 0)
    #expect(try await users().isEmpty)
    #expect(
      await bench.tgtadm("--op show --mode target").output.contains("        out (outgoing)\n"))
    #expect(await bench.tgtadm("--mode account --op delete --user out").code == 0)
    #expect(try await bench.daemon.notes(withSecrets: true).map(\.key) == ["tgt/tid/4"])
  }

  @Test("A target's own pings are shown, with the blanks of tgt")
  func pings() async throws {
    let bench = try await Self.bench()
    #expect(!(await bench.tgtadm("--op show --mode target").output.contains("Nop")))
    _ = await bench.tgtadm("--op update --mode target --tid 4 -n nop_interval -v 5")
    _ = await bench.tgtadm("--op update --mode target --tid 4 -n nop_count -v 3")
    #expect(
      await bench.tgtadm("--op show --mode target").output
        .contains("        State: ready\n        Nop interval: 5\n        Nop count: 3\n    I_T"))
  }

  @Test("A store of the configuration stays when tgtadm deletes its LUN")
  func foreignStore() async throws {
    let bench = try await Self.bench()
    var store = StoreSpecification(name: "kept", kind: .file, path: "/disks/a.img")
    store.serial = "s"
    _ = try await bench.daemon.change(ChangeRequest([.addStore(store)]))
    _ = await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 1 -b /disks/a.img")
    _ = await bench.tgtadm("--op delete --mode target --tid 4")
    #expect(try await bench.daemon.stores(named: nil).map(\.name) == ["kept"])
  }

  @Test("A narrower network is asked before a wider one, however they were bound")
  func accessOrder() async throws {
    let bench = try await Self.bench()
    for address in ["10.0.0.0/8", "10.1.0.0/16", "10.1.1.1", "192.0.2.0/24", "ALL"] {
      #expect(await bench.tgtadm("--op bind --mode target --tid 4 -I \(address)").code == 0)
    }
    let target = try #require(try await bench.daemon.targets(named: nil).first)
    #expect(
      target.acl.map(\.addresses) == [
        ["10.1.1.1"], ["192.0.2.0/24"], ["10.1.0.0/16"], ["10.0.0.0/8"],
      ])
    #expect(target.isOpenToAny)
  }

  @Test("A network with bits behind its prefix, and what is no address, let nobody in")
  func wrongAddresses() async throws {
    let bench = try await Self.bench()
    for address in ["192.0.2.7/24", "nonsense", "192.0.2.0/33", "::1%lo", ""] {
      let run = await bench.run(
        Tgtadm.run, ["--op", "bind", "--mode", "target", "--tid", "4", "-I", address])
      #expect(run.code == 22)
      #expect(run.errors.hasPrefix("tgtadm: invalid request\n"))
    }
    #expect(try await bench.daemon.targets(named: nil).first?.acl.isEmpty == true)
  }

  @Test("Passwords stay secret: no text of tgtadm shows one")
  func secrets() async throws {
    let bench = try await Self.bench()
    let lines = [
      "--mode account --op new --user u --password hushhushhush",
      "--mode account --op bind --tid 4 --user u", "--mode account --op show",
      "--mode target --op show", "--mode account --op bind --tid 4 --user u",
    ]
    for line in lines {
      let run = await bench.tgtadm(line)
      #expect(!(run.output + run.errors).contains("hushhush"))
    }
    #expect(
      try await bench.daemon.notes(withSecrets: false).allSatisfy { $0.value != "hushhushhush" })
  }

  @Test("What cannot be done here is refused by name, and what means nothing is told")
  func unsupported() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 1 -b /disks/a.img")
    for line in [
      "--op delete --mode system",
      "--op update --mode target --tid 4 -n RedirectAddress -v 192.0.2.9",
    ] {
      let run = await bench.tgtadm(line)
      #expect(run.code == 22)
      #expect(run.errors.hasPrefix("tgtadm: this operation isn't supported\n"))
    }
    let run = await bench.tgtadm(
      "--op update --mode logicalunit --tid 4 --lun 1 --params product_rev=9")
    #expect(run.code == 0 && run.errors.hasPrefix("tgtadm: note: product_rev: "))
  }

  @Test("bsopts=size=BYTES, as Longhorn says it, makes a disk larger")
  func resize() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op new --mode logicalunit --tid 4 --lun 1 -b /disks/a.img")
    let run = await bench.tgtadm(
      "--op update --mode logicalunit --tid 4 --lun 1 --params bsopts=size=134217728")
    #expect(run.code == 0)
    #expect(bench.daemon.configurationText.contains("128MiB"))
  }

  @Test("Parameters of a target are shown as they are negotiated, under tgt's names")
  func parameters() async throws {
    let bench = try await Self.bench()
    _ = await bench.tgtadm("--op update --mode target --tid 4 -n MaxBurstLength -v 524288")
    let lines = await bench.tgtadm("--op show --mode target --tid 4").output.lines
    #expect(lines.count == 26)
    #expect(lines.prefix(2) == ["nop_interval=10", "nop_count=1"])
    #expect(lines.contains("MaxBurstLength=524288") && lines.contains("HeaderDigest=None,CRC32C"))
  }

  @Test("A secret in a file beside the configuration keeps nobody from the parameters")
  func secretInFile() async throws {
    let directory = NSTemporaryDirectory() + "tgtadm-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try "a-long-secret-1\n".write(
      toFile: directory + "/secret.cluster", atomically: true, encoding: .utf8)
    let daemon = try ConfiguredAdministrator(
      """
      {portals: ["127.0.0.1:13267"], targets: [{name: "\(Self.one)",
        chap: [{user: "u", secret: {file: "secret.cluster"}}]}]}
      """, directory: directory)
    let bench = try Bench(daemon)
    #expect(await bench.tgtadm("--op show --mode target --tid 1").output.lines.count == 26)
    let update = "--op update --mode target --tid 1 -n MaxBurstLength -v 524288"
    #expect(await bench.tgtadm(update).code == 0)
    #expect(
      await bench.tgtadm("--op show --mode target --tid 1").output
        .contains("MaxBurstLength=524288\n"))
  }

  @Test("The daemon of a control port has its socket beside the standard one")
  func controlPort() async throws {
    let bench = try await Self.bench()
    #expect(await bench.tgtadm("-C 7 --op show --mode target").output.hasPrefix("Target 4: "))
  }

  @Test("Statistics of LUNs have session 0, and columns as wide as tgt's")
  func statistics() async throws {
    let bench = try await Self.bench()
    bench.daemon.state.withLock { state in
      var io = IOStatistics()
      io.counters.reads = 9
      io.counters.readBytes = 749
      io.counters.errors = 1
      state.statistics.luns = [.init(target: Self.one, lun: 1, store: "a", io: io)]
    }
    #expect(
      await bench.tgtadm("--op stat --mode target --tid 4").output.lines.last
        == "  4   1   0          749      9          749      9            0      0"
        + "            0      0    1")
  }

  @Test("No permission ends with 107, and so does a daemon that is not there, or is too busy")
  func unreachable() async throws {
    let bench = try Bench()
    bench.daemon.state.withLock { $0.failure = AdministrationError(.forbidden, "not for you") }
    var run = await bench.tgtadm("--op show --mode target")
    #expect(run.code == 107 && run.errors == "tgtadm: not for you\n")
    bench.daemon.state.withLock { $0.failure = AdministrationError(.unavailable, "not there") }
    run = await bench.tgtadm("--op show --mode target")
    let words = "failed to send request hdr to tgt daemon, Transport endpoint is not connected"
    #expect(run.code == 107 && run.errors == "tgtadm: \(words)\n    not there\n")
  }

  @Test("Numbers that somebody wrote into notes, and tgtadm cannot have, are nobody's")
  func foreignNumbers() async throws {
    let bench = try await Self.bench()
    let name = "iqn.2026-11.com.example:two"
    let target = Change.addTarget(TargetSpecification(name: name))
    let notes = ["\(Int.max)", "\(Int.min)", "0", "x"].map { number in
      Change.setNote(NoteSpecification(key: "tgt/tid/\(number)", value: name))
    }
    _ = try await bench.daemon.change(ChangeRequest([target] + notes, ChangeOptions()))
    #expect(try await TgtState.read(bench.daemon).tid(name) == 2)
  }

  @Test("Behind the greatest number of all comes the first that is free")
  func greatestNumber() {
    let note = NoteResource(key: "tgt/tid/\(Int32.max)", value: Self.one, isSecret: false)
    let second = "iqn.2026-11.com.example:two"
    let targets = [
      TargetResource(name: Self.one, id: 1),
      TargetResource(name: second, id: UInt32(Int32.max)),
    ]
    let state = TgtState(targets: targets, notes: [note])
    #expect(state.tid(Self.one) == Int(Int32.max) && state.tid(second) == 1)
  }

  @Test("A change without an answer may have been made, and is not told as one not sent")
  func unanswered() async throws {
    let bench = try Bench()
    bench.daemon.state.withLock { $0.refusal = AdministrationError(.unanswered, "may be done") }
    let run = await bench.tgtadm(
      "--op new --mode target --tid 9 -T iqn.2026-11.com.example:nine")
    #expect(run.code == 110)
    #expect(
      run.errors == "tgtadm: it is not certain whether that was done\n    may be done\n")
  }

  @Test("Names of initiators cannot steer a terminal")
  func harmless() async throws {
    let bench = try await Self.bench()
    bench.logIn(to: Self.one)
    bench.daemon.state.withLock { $0.sessions[0].initiator = "iqn.\u{1B}[2Jx" }
    let run = await bench.tgtadm("--op show --mode target")
    #expect(run.output.contains("Initiator: iqn.\\u{1b}[2Jx alias: none\n"))
  }

  @Test(
    "Sizes are rounded to megabytes as tgt does it",
    arguments: [(0, 0), (67_108_864, 67), (33_554_432, 34), (1 << 40, 1_099_512)])
  func megabytes(_ bytes: UInt64, _ megabytes: UInt64) {
    #expect(TargetListing.megabytes(bytes) == megabytes)
  }

  @Test("Any bytes as arguments are refused or read, and nothing traps")
  func randomArguments() {
    var generator = SystemRandomNumberGenerator()
    let pieces = [
      "-", "--", "--mode", "--op", "-t", "=", "0x", "-9", "\u{0}", "é", "--tid=", "target", "new",
      "99999999999999999999", "-mtarget", "-oshow", "--o", "-P", "a=b,c", "",
    ]
    for _ in 0..<2000 {
      let arguments = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
        (0...Int.random(in: 0...2, using: &generator))
          .compactMap { _ in pieces.randomElement(using: &generator) }.joined()
      }
      do throws(TgtFailure) {
        _ = try TgtadmRequest(arguments)
      } catch {
        #expect(!error.text.isEmpty)
      }
    }
  }
}
