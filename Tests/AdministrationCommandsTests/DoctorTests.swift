import AdministrationModel
import Foundation
import Glibc
import Testing

@testable import AdministrationCommands

@Suite("doctor")
struct DoctorTests {
  /// Everything is well: the daemon, its file, and the machine.
  static func healthy(
    _ adjust: (inout FakeDaemon.State) -> Void = { _ in }
  ) -> FakeDaemon {
    FakeDaemon { state in
      var target = Samples.resource
      target.acl[0].luns = nil
      state.targets = [target]
      state.stores = [Samples.store]
      adjust(&state)
    }
  }

  static func wrong(
    _ adjust: (inout FakeDaemon.State) -> Void, machine: PaperMachine = .standard
  ) async -> Run {
    await run(["doctor"], healthy(adjust), machine: machine)
  }

  @Test("Where all is well it says what it looked at, and ends with 0")
  func well() async {
    var machine = PaperMachine.standard
    machine.files["/var/lib/swift-tgtd"] = FileFacts(isDirectory: true, mode: 0o700, owner: 0)
    let run = await Self.wrong({ _ in }, machine: machine)
    #expect(
      run.output == """
        ok      the daemon answers
        ok      state directory /var/lib/swift-tgtd
        ok      io_uring
        ok      clock
        ok      portals listen
        ok      stores are online
        ok      every WWID is given once
        ok      every target has LUNs and somebody who may log in
        ok      every entry of an access list can match
        ok      no door is open
        ok      no login was refused in the last hour
        ok      the daemon has nothing to complain of

        Nothing is wrong.

        """)
    #expect(run.code == 0)
  }

  @Test("A medium that is not what it seems is told with what to do, and only then")
  func media() async {
    let daemon = Self.healthy { state in
      state.status.configurationFile = "/nowhere/targets.json"
      state.remarks = [
        MediumRemark("stores.a", "/srv/b.img is what is served as /srv/a.img: moved"),
        MediumRemark(
          "stores.c", "/srv/a.img is the medium of the store \"a\"", remedy: "call it a"),
      ]
    }
    let run = await run(["doctor"], daemon)
    #expect(
      run.output.contains(
        """
        WRONG   stores.c: /srv/a.img is the medium of the store "a"
                why:  a store's name is its disk, to whatever file or device its path leads
                do:   call it a

        """))
    #expect(!run.output.contains("moved"))
    #expect(run.code == 1)
  }

  @Test("A store that another process has is named, with why and what to do")
  func lockedStore() async {
    let run = await Self.wrong { state in
      state.stores[0].state = .offline
      state.stores[0].reason = "somebody else has it"
      state.stores[0].reasonCode = .mediumTaken
      state.status.problems = [
        StatusProblem("store a is offline", store: "a"), StatusProblem("a disk creaks"),
      ]
    }
    #expect(
      run.output.contains(
        """
        WRONG   store a (/srv/a.img) is offline: somebody else has it
                why:  its LUNs answer NOT READY; it comes back by itself when the medium does
                do:   find who has it: fuser -v /srv/a.img; lslocks

        """))
    #expect(!run.output.contains("WRONG   store a is offline"), "it is said once")
    #expect(
      run.output.contains("WRONG   a disk creaks"), "not for its store's name, which is in it")
    #expect(run.output.contains("2 wrong, "))
    #expect(run.code == 1)
  }

  @Test("A full store is wrong")
  func fullStore() async {
    let run = await Self.wrong { $0.stores[0].state = .full }
    #expect(run.output.contains("WRONG   store a (/srv/a.img) is full"))
    #expect(run.output.contains("df -h /srv/a.img"))
    let device = await Self.wrong {
      $0.stores[0].state = .full
      $0.stores[0].kind = .block
    }
    #expect(device.output.contains("thin pool: lvs"))
  }

  @Test("A store in danger is wrong, and what to do is what the daemon says, offline or not")
  func endangeredStore() async {
    let run = await Self.wrong { state in
      state.stores[0].state = .endangered
      state.stores[0].reason = "its file was deleted"
      state.stores[0].remedy = "copy it"
      state.status.problems = [StatusProblem("store a is endangered", store: "a")]
    }
    #expect(
      run.output.contains(
        """
        WRONG   store a (/srv/a.img) is endangered: its file was deleted
                why:  it serves by the file or device that is still open; the next start does not
                do:   copy it

        """))
    #expect(run.output.contains("1 wrong, ") && run.code == 1)
    let offline = await Self.wrong { state in
      state.stores[0].state = .offline
      state.stores[0].reasonCode = .writesRefused
      state.stores[0].remedy = "copy it"
    }
    #expect(offline.output.contains("do:   copy it\n"))
  }

  @Test("who is told of a store that hangs is not told to touch it")
  func hungStore() async {
    let run = await Self.wrong {
      $0.stores[0].state = .offline
      $0.stores[0].reasonCode = .mediumHangs
    }
    #expect(run.output.contains("do:   see what the kernel says of its disk: dmesg -T | tail"))
    #expect(!run.output.contains("ls -lL"))
  }

  @Test("Two stores with one WWID are wrong")
  func sameIdentity() async {
    let run = await Self.wrong { state in
      var other = Samples.store
      other.name = "b"
      state.stores.append(other)
    }
    #expect(
      run.output.contains(
        "WRONG   stores a, b have the same WWID 6000c29a1b2c3d4e5f60718293a4b5c6"))
  }

  @Test("Of a file's modes and owner the machine tells the truth")
  func facts() throws {
    let path = "/tmp/doctor-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(chmod(path, 0o1772) == 0)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(
      LocalMachine().facts(of: path)
        == FileFacts(
          isDirectory: true, mode: 0o1772, owner: Int(geteuid()), inode: UInt64(status.st_ino)))
    #expect(LocalMachine().facts(of: "/proc/self/status")?.isDirectory == false)
    #expect(LocalMachine().facts(of: path + "/none") == nil)
  }

  @Test("A running target that nobody may use is told once, with its name")
  func nobodyOnce() async throws {
    let path = "/tmp/doctor-\(UInt64.random(in: 0 ... .max)).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text = #"{"targets": [{"name": "iqn.2026-11.com.example:t", "luns": []}]}"#
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    #expect(chmod(path, 0o600) == 0)
    let daemon = Self.healthy { state in
      state.targets = [TargetResource(name: "iqn.2026-11.com.example:t")]
      state.status.configurationFile = path
    }
    let running = await run(["doctor"], daemon)
    #expect(running.output.split(separator: "nobody ").count == 2)
    let stopped = Self.healthy { $0.failure = AdministrationError(.unavailable, "no") }
    let output = await run(["doctor", "--config", path], stopped).output
    #expect(output.contains("targets[0]: nobody can log in"))
    #expect(output.contains("why:  the file is valid, but this may not be what was meant"))
  }

  @Test("A target that nobody may use is wrong, an open door is advice")
  func access() async {
    let run = await Self.wrong { state in
      var open = TargetResource(name: "iqn.open")
      open.isOpenToAny = true
      open.luns = [LUNResource(lun: 1, store: "a")]
      var closed = TargetResource(name: "iqn.closed")
      closed.luns = open.luns
      state.targets += [open, closed]
    }
    #expect(run.output.contains("WRONG   nobody may log in to iqn.closed"))
    #expect(run.output.contains("swift-tgtadm acl add --target iqn.closed"))
    #expect(run.output.contains("advice  everybody who reaches a portal may use iqn.open"))
    #expect(run.code == 1)
  }

  @Test("CHAP closes a door that is open to any name")
  func closedByCHAP() async {
    let run = await Self.wrong { state in
      state.targets[0].isOpenToAny = true
    }
    #expect(run.output.contains("ok      no door is open"))
  }

  @Test("Entries that match nobody are found")
  func entries() async {
    let run = await Self.wrong { state in
      let any = AccessEntryResource(initiator: "any", addresses: ["192.0.2.0/24"])
      state.targets[0].acl = [
        any, AccessEntryResource(initiator: Samples.node, addresses: ["192.0.2.0/24"]),
        AccessEntryResource(initiator: "iqn.2026-13.com.example:node2"),
        AccessEntryResource(
          initiator: "iqn.2026-11.com.example:node3", addresses: ["2001:db8::/32"]),
      ]
    }
    #expect(run.output.contains("the entry \(Samples.node) of \(Samples.target) never counts"))
    #expect(run.output.contains("node2 of \(Samples.target) looks like a typing error"))
    #expect(run.output.contains("node3 of \(Samples.target) matches nobody: no portal"))
    #expect(run.output.contains("3 wrong"))
  }

  @Test("A portal that does not listen and a target that none serves are wrong")
  func portals() async {
    let run = await Self.wrong { state in
      state.portals[0].isListening = false
      state.portals[0].reason = "address in use"
      state.targets[0].portalGroups = [2]
    }
    #expect(run.output.contains("portal 0.0.0.0:3260 does not listen: address in use"))
    #expect(run.output.contains("no portal of \(Samples.target) listens"))
  }

  @Test("Limits of the daemon's process are compared with what it needs")
  func limits() async {
    var machine = PaperMachine.standard
    machine.texts["/proc/42/limits"] = """
      Limit                     Soft Limit           Hard Limit           Units
      Max open files            100                  20000                files
      Max locked memory         8388608              8388608              bytes
      """
    let run = await Self.wrong({ _ in }, machine: machine)
    #expect(run.output.contains("WRONG   the daemon may open 100 files"))
    #expect(
      run.output.contains("advice  the daemon may lock 8 MiB of memory, and has 256 MiB of"))
  }

  @Test("Without a daemon it names who has the port, and why io_uring is refused")
  func withoutDaemon() async throws {
    let daemon = FakeDaemon {
      $0.failure = AdministrationError(
        .unavailable, "cannot connect to /s: there is no such socket", remedy: "systemctl …")
    }
    var machine = PaperMachine.standard
    machine.texts["/proc/net/tcp"] = """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 00000000:0CBC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1054 1 0
      """
    machine.listed["/proc"] = ["self", "7", "99"]
    machine.linked["/proc/99/fd"] = ["/dev/null", "socket:[1054]"]
    machine.texts["/proc/99/comm"] = "tgtd\n"
    machine.uringRefusal = EPERM
    machine.texts["/proc/sys/kernel/io_uring_disabled"] = "2\n"
    machine.isClockSynchronized = false
    let run = await run(
      ["doctor", "--config", "/nowhere/targets.json"], daemon, machine: machine)
    #expect(run.code == 1)
    #expect(run.output.contains("WRONG   cannot connect to /s: there is no such socket"))
    #expect(run.output.contains("WRONG   /nowhere/targets.json: cannot be opened"))
    #expect(run.output.contains("WRONG   port 3260 is taken by process 99 (tgtd)"))
    #expect(run.output.contains("advice  io_uring is refused: kernel.io_uring_disabled is 2"))
    #expect(run.output.contains("do:   sysctl -w kernel.io_uring_disabled=0"))
    #expect(run.output.contains("advice  the clock is not synchronised"))
  }

  @Test("A daemon that may not be asked is not taken for one that has its port taken")
  func forbidden() async {
    let daemon = FakeDaemon {
      $0.failure = AdministrationError(.forbidden, "cannot connect to /s: permission denied")
    }
    var machine = PaperMachine.standard
    machine.texts["/proc/net/tcp"] =
      "   0: 00000000:0CBC 00000000:0000 0A 0:0 00:0 0     0        0 1054 1 0"
    let run = await run(["doctor", "--config", "/nowhere"], daemon, machine: machine)
    #expect(run.output.contains("WRONG   cannot connect to /s: permission denied"))
    #expect(run.output.contains("why:  what it serves cannot be looked at"))
    #expect(!run.output.contains("3260"))
    #expect(run.code == 1)
  }

  @Test("A daemon that listens and does not answer is told from another server")
  func deaf() async {
    let daemon = FakeDaemon { $0.failure = AdministrationError(.unavailable, "no answer") }
    var machine = PaperMachine.standard
    machine.texts["/proc/net/tcp6"] =
      "   0: 00000000000000000000000000000000:0CBC 0:0 0A 0:0 00:0 0     0        0 7 1 0"
    machine.listed["/proc"] = ["99"]
    machine.linked["/proc/99/fd"] = ["socket:[7]"]
    machine.texts["/proc/99/comm"] = "swift-tgtd\n"
    let run = await run(["doctor", "--config", "/nowhere"], daemon, machine: machine)
    #expect(run.output.contains("swift-tgtd runs (process 99), and does not answer here"))
  }

  @Test("A state directory that others can write to is wrong")
  func stateDirectory() async {
    var machine = PaperMachine.standard
    machine.files["/var/lib/swift-tgtd"] = FileFacts(isDirectory: true, mode: 0o777, owner: 0)
    let run = await Self.wrong({ _ in }, machine: machine)
    #expect(run.output.contains("do:   chmod 700 /var/lib/swift-tgtd"))
    #expect(run.code == 1)
  }

  @Test("--json has counts, what was examined, and findings")
  func json() async throws {
    let run = await run(["doctor", "--json"], Self.healthy { $0.stores[0].state = .full })
    struct Report: Decodable {
      struct Finding: Decodable { var level, what, why, remedy: String }
      var wrong: Int
      var examined: [String]
      var findings: [Finding]
    }
    let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
    #expect(report.wrong == 1)
    #expect(report.findings.contains { $0.what.hasPrefix("store a") && !$0.remedy.isEmpty })
    #expect(report.examined.contains("clock"))
    #expect(run.code == 1)
  }

  @Test("Texts of proc(5) that are cut anywhere give nothing wrong")
  func cutTexts() {
    let text = "   0: 00000000:0CBC 00000000:0000 0A 0:0 00:0 0     0        0 1054 1 0"
    for count in 0..<text.count {
      let found = ProcText.listeningInodes(String(text.prefix(count)), port: 3260)
      #expect(found.allSatisfy { "1054".hasPrefix($0) })
    }
    #expect(ProcText.listeningInodes(text, port: 3260) == ["1054"])
    #expect(ProcText.listeningInodes(text, port: 3261).isEmpty)
    let addresses = """
      00000000000000000000000000000001 01 80 10 80       lo
      fe8000000000000000fc00fffe000001 04 40 20 80     eth0
      20010db8000000000000000000000007 04 40 00 82     eth0
      20010db8 04 40 00 82     eth0
      """
    #expect(ProcText.globalAddresses(addresses) == ["2001:db8::7"])
    #expect(ProcText.softLimit("Max open files", in: "Max open files  unlimited x") == .max)
    #expect(ProcText.softLimit("Max open files", in: "Max open files") == nil)
  }
}
