import AdministrationModel
import Synchronization
import TargetConfig
import Testing

@testable import TgtCommands

private let one = "iqn.2026-11.com.example:one"
private let two = "iqn.2026-11.com.example:two"

/// A daemon that serves two targets with a disk each, which tgt-admin made.
private func serving() async throws -> Bench {
  let bench = try Bench()
  let path = try bench.file([
    (one, "backing-store /disks/a.img"), (two, "backing-store /disks/b.img\nMaxConnections 2"),
  ])
  let run = await bench.admin("-e -c \(path)")
  try #require(run.code == 0, "\(run.output)\(run.errors)")
  return bench
}

@Suite("tgt-admin --update")
struct TgtAdminUpdateTests {
  @Test("A disk that is missing is told before any target is touched, and nothing changes")
  func missing() async throws {
    let bench = try await serving()
    let before = bench.daemon.configurationText
    let path = try bench.file([
      (one, "backing-store /disks/c.img"),
      (two, "backing-store /disks/none.img\nbacking-store /disks/d.img"),
    ])
    for which in ["ALL", two, "tid=2"] {
      let run = await bench.admin("-c \(path) --update \(which)")
      #expect(run.code == 1 && run.output.isEmpty, "\(run.output)")
      #expect(
        run.errors == """
          tgt-admin: \(two): left out: /disks/none.img does not exist
          tgt-admin: nothing was changed (--ignore-errors goes on without what is left out)

          """)
      #expect(bench.daemon.configurationText == before)
    }
  }

  @Test("A value that is refused leaves every target as it was, and names the command")
  func badValue() async throws {
    let bench = try await serving()
    let before = bench.daemon.configurationText
    for line in ["initiator-address nonsense", "MaxConnections none", "incominguser u"] {
      let path = try bench.file([
        (one, "backing-store /disks/c.img"), (two, "backing-store /disks/b.img\n\(line)"),
      ])
      let run = await bench.admin("-c \(path) --update ALL")
      #expect(run.code != 0, "\(line)")
      #expect(run.errors.hasSuffix("tgt-admin: nothing was changed\n"), "\(run.errors)")
      #expect(run.output.contains("exited with code: 22") || run.output.contains("missing value"))
      #expect(bench.daemon.configurationText == before)
    }
  }

  @Test("What only the daemon can tell refuses the whole, with its path and its remedy")
  func refusedByDaemon() async throws {
    let bench = try await serving()
    let before = bench.daemon.configurationText
    let path = try bench.file([(one, "backing-store /disks/c.img")])
    bench.daemon.state.withLock {
      $0.refusal = AdministrationError(
        .storeFailed, "/disks/c.img: is locked", path: "stores.c.file", remedy: "stop the other")
    }
    let run = await bench.admin("-c \(path) --update ALL")
    #expect(run.code == 22)
    #expect(
      run.errors
        == "tgt-admin: nothing was changed: stores.c.file: /disks/c.img: is locked "
        + "(stop the other)\n")
    #expect(bench.daemon.configurationText == before)
  }

  @Test("All of it is one change: what goes, what is made anew and what is new")
  func oneChange() async throws {
    let bench = try await serving()
    let count = bench.daemon.requests.count
    let three = "iqn.2026-11.com.example:three"
    let path = try bench.file([
      (two, "backing-store /disks/b.img\nbacking-store /disks/a.img\nHeaderDigest CRC32C"),
      (three, "backing-store /disks/c.img\ninitiator-address 192.0.2.1"),
    ])
    let run = await bench.admin("-c \(path) --update ALL")
    #expect(run.code == 0, "\(run.output)\(run.errors)")
    #expect(bench.daemon.requests.count == count + 1)
    #expect(bench.daemon.requests.last?.options == ChangeOptions(runtimeOnly: true))
    let targets = try await bench.daemon.targets(named: nil)
    #expect(targets.map(\.name) == [three, two])
    #expect(targets.first?.acl.map(\.addresses) == [["192.0.2.1"]])
    #expect(targets.last?.luns.map(\.lun) == [1, 2])
    #expect(await bench.tgtadm("-m target -o show").output.contains("Target 2: \(two)\n"))
    let negotiation = bench.daemon.state.withLock {
      $0.loaded.configuration.target(named: two)?.iscsi
    }
    #expect(negotiation?.headerDigest == .crc32c)
    #expect(negotiation?.maxConnections == TargetConfiguration.Negotiation.standard.maxConnections)
  }

  @Test("With --ignore-errors what is missing is left out, and the rest is made")
  func ignoringErrors() async throws {
    let bench = try await serving()
    let path = try bench.file([
      (one, "backing-store /disks/none.img\nbacking-store /disks/c.img\ninitiator-address x"),
      (two, "backing-store /disks/b.img"),
    ])
    let run = await bench.admin("-c \(path) --update ALL --ignore-errors")
    #expect(run.code == 0)
    #expect(run.errors.hasPrefix("tgt-admin: \(one): left out: /disks/none.img does not exist\n"))
    let stores = try await bench.daemon.stores(named: nil)
    #expect(stores.compactMap(\.path).sorted() == ["/disks/b.img", "/disks/c.img"])
  }

  @Test("A target in use stays, which is told; the others are made anew")
  func inUse() async throws {
    let bench = try await serving()
    bench.logIn(1, to: one)
    let path = try bench.file([
      (one, "backing-store /disks/c.img"), (two, "backing-store /disks/d.img"),
    ])
    let run = await bench.admin("-c \(path) --update ALL")
    #expect(run.code == 0)
    #expect(
      run.errors
        == "tgt-admin: \(one) is in use and was not updated (--force does it, and ends its "
        + "sessions)\n")
    let paths = try await bench.daemon.stores(named: nil).compactMap(\.path)
    #expect(paths.sorted() == ["/disks/a.img", "/disks/d.img"])
    #expect(try await bench.daemon.sessions(id: nil).count == 1)
  }

  @Test("Users of discovery are bound once, however many targets are made anew, and how often")
  func discovery() async throws {
    let bench = try await serving()
    let path = try bench.file(
      [(one, "backing-store /disks/a.img"), (two, "backing-store /disks/b.img")],
      global: "incomingdiscoveryuser finder 123456789abc\noutgoingdiscoveryuser me 987654321abc")
    for arguments in ["--update ALL", "--update ALL", "--execute"] {
      let run = await bench.admin("-c \(path) \(arguments)")
      #expect(run.code == 0, "\(run.output)\(run.errors)")
    }
    let discovery = try await bench.daemon.discovery()
    #expect(discovery.chapUsers == ["finder"] && discovery.mutualCHAPUser == "me")
  }
}

@Suite("tgt-admin --execute of disks that cannot be served")
struct TgtAdminMissingDiskTests {
  @Test("Each is told, all the rest is made, and the end is 1")
  func missing() async throws {
    var bench = try Bench()
    bench.files.kinds["/disks/dir"] = .other
    bench.files.held = ["/disks/b.img"]
    let path = try bench.file([
      (one, "backing-store /disks/none.img\nbacking-store /disks/a.img"),
      (two, "backing-store /disks/b.img\nbacking-store /disks/dir"),
    ])
    let run = await bench.admin("-e -c \(path)")
    #expect(run.code == 1 && run.output.isEmpty)
    #expect(
      run.errors == """
        tgt-admin: \(one): left out: /disks/none.img does not exist
        tgt-admin: \(two): left out: /disks/b.img is in use (--force or "allow-in-use yes" serves it all the same)
        tgt-admin: \(two): left out: /disks/dir is no file and no disk

        """)
    #expect(try await bench.daemon.targets(named: nil).map(\.name) == [one, two])
    #expect(try await bench.daemon.stores(named: nil).compactMap(\.path) == ["/disks/a.img"])
  }

  @Test("With --ignore-errors the end is 0; --pretend only prints")
  func ignoredAndPretended() async throws {
    let bench = try Bench()
    let path = try bench.file([(one, "backing-store /disks/none.img")])
    let pretended = await bench.admin("-e -p -c \(path)")
    #expect(pretended.code == 0, "\(pretended.output)\(pretended.errors)")
    #expect(pretended.errors == "")
    #expect(pretended.output.contains("# /disks/none.img does not exist"))
    let ignored = await bench.admin("-e --ignore-errors -c \(path)")
    #expect(ignored.code == 0 && ignored.errors.contains("left out: /disks/none.img"))
  }
}
