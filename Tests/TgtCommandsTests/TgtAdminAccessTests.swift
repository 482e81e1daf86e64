import AdministrationModel
import ConfigurationChanges
import Synchronization
import TargetConfig
import Testing

@testable import TgtCommands

private let one = "iqn.2026-11.com.example:one"
private let two = "iqn.2026-11.com.example:two"
private let former = "123456789abc"
private let changed = "987654321xyz"

/// A daemon with two targets of one user.
private func sharing() async throws -> Bench {
  let bench = try Bench()
  let user = "incominguser u \(former)"
  let path = try bench.file([(one, user), (two, user)])
  let run = await bench.admin("-e -c \(path)")
  try #require(run.code == 0, "\(run.output)\(run.errors)")
  return bench
}

private func secret(_ bench: Bench, of target: String) -> Secret? {
  bench.daemon.state.withLock {
    $0.loaded.configuration.target(named: target)?.chap.first?.secret
  }
}

private func target(_ bench: Bench, _ name: String) async throws -> TargetResource {
  try #require(try await bench.daemon.targets(named: nil).first { $0.name == name })
}

@Suite("tgt-admin: who gets in when something fails")
struct TgtAdminAccessTests {
  @Test("--update of a user that cannot be bound changes nothing, also with --ignore-errors")
  func updateUnbound() async throws {
    let bench = try await sharing()
    // As after a start of the daemon with the configuration that was saved.
    bench.daemon.state.withLock { $0.notes = Notebook() }
    let before = bench.daemon.configurationText
    let path = try bench.file(
      [(one, "incominguser u \(former)")], global: "ignore-errors yes")
    let run = await bench.admin("-c \(path) --update \(one)")
    #expect(run.code == 1)
    #expect(run.errors.contains("u comes from the configuration"), "\(run.errors)")
    #expect(run.errors.hasSuffix("tgt-admin: nothing was changed\n"), "\(run.errors)")
    #expect(bench.daemon.configurationText == before)
  }

  @Test(
    "--execute --ignore-errors leaves a target closed that lacks a user, says so and ends with 1",
    arguments: ["incominguser u", "incominguser v \(former)\noutgoinguser u"])
  func executeUnbound(_ user: String) async throws {
    for address in ["", "\ninitiator-address 192.0.2.1", "\ninitiator-name iqn.2026-11.x:node"] {
      let bench = try await sharing()
      let three = "iqn.2026-11.com.example:three"
      let path = try bench.file([
        (one, ""), (two, ""), (three, "\(user) \(changed)\(address)"),
        (three + "x", "incominguser w \(changed)"),
      ])
      let run = await bench.admin("-e -c \(path) --ignore-errors")
      #expect(run.code == 1)
      #expect(
        run.errors.contains("\(three) has not all of its users: nobody is bound to it\n"),
        "\(run.errors)")
      let closed = try await target(bench, three)
      #expect(!closed.isOpenToAny && closed.acl.isEmpty)
      // The others are made.
      #expect(try await target(bench, three + "x").isOpenToAny)
    }
  }

  @Test("A target whose number is another's opens nothing of that one")
  func foreignNumber() async throws {
    let bench = try Bench()
    _ = await bench.tgtadm("--op new --mode target --tid 1 -T \(one)")
    let path = try bench.file([(one, ""), (two, "controller_tid 1")])
    let run = await bench.admin("-e -c \(path) --ignore-errors")
    #expect(run.code == 1 && run.errors.contains("\(two) could not be made\n"), "\(run.errors)")
    #expect(try await !target(bench, one).isOpenToAny)
  }

  @Test("--update with a changed password binds that, and tells where the former one stays")
  func changedPassword() async throws {
    let bench = try await sharing()
    let user = "incominguser u \(changed)"
    let path = try bench.file([(one, user), (two, user)])
    let run = await bench.admin("-c \(path) --update \(one)")
    #expect(run.code == 0, "\(run.output)\(run.errors)")
    #expect(
      run.errors
        == "tgt-admin: \(two) was not updated: it may keep the former password of u\n")
    #expect(secret(bench, of: one) == Secret(changed))
    #expect(secret(bench, of: two) == Secret(former))
    let all = await bench.admin("-c \(path) --update ALL")
    #expect(all.code == 0 && all.errors.isEmpty, "\(all.errors)")
    #expect(secret(bench, of: two) == Secret(changed))
  }

  @Test("--execute does not bind an account that has another password, and says so")
  func otherPassword() async throws {
    let bench = try await sharing()
    let three = "iqn.2026-11.com.example:three"
    let path = try bench.file([(one, ""), (two, ""), (three, "incominguser u \(changed)")])
    let run = await bench.admin("-e -c \(path)")
    #expect(run.code == 1)
    #expect(
      run.errors == """
        tgt-admin: u has another password than the file says: --update replaces it
        tgt-admin: \(three) has not all of its users: nobody is bound to it

        """)
    #expect(secret(bench, of: three) == nil)
    #expect(try await !target(bench, three).isOpenToAny)
  }

  @Test("A changed password of discovery: --execute tells it, --update replaces it")
  func discovery() async throws {
    let bench = try Bench()
    func path(_ password: String) throws -> String {
      try bench.file(
        [(one, "")],
        global: "incomingdiscoveryuser finder \(password)\n"
          + "outgoingdiscoveryuser me \(password)-of-me")
    }
    let (before, after) = (try path(former), try path(changed))
    #expect(await bench.admin("-e -c \(before)").code == 0)
    let told = await bench.admin("-e -c \(after)")
    #expect(told.code == 1 && told.errors.contains("another password of finder"))
    #expect(told.errors.contains("another password of me"), "\(told.errors)")
    let run = await bench.admin("-c \(after) --update ALL")
    #expect(run.code == 0, "\(run.output)\(run.errors)")
    let made = bench.daemon.state.withLock { $0.loaded.configuration.discovery }
    #expect(made.chap.map(\.user) == ["finder"] && made.mutualChap?.user == "me")
    #expect(made.chap.first?.secret == Secret(changed))
    #expect(made.mutualChap?.secret == Secret(changed + "-of-me"))
  }

  @Test(
    "A controller_tid that is no number of tgtadm is refused before anything is done",
    arguments: ["9223372036854775807", "2147483648", "0", "-1", "x"])
  func numbers(_ number: String) async throws {
    let bench = try Bench()
    let path = try bench.file([(one, "controller_tid \(number)"), (two, "")])
    for arguments in ["-e", "-e --ignore-errors", "-p -e", "--update ALL"] {
      let run = await bench.admin("\(arguments) -c \(path)")
      #expect(run.code == 1, "\(arguments)")
      #expect(run.output.contains("Option controller_tid is no number from 1 to 2147483647"))
      #expect(bench.daemon.requests.isEmpty)
    }
  }

  @Test("A session that cannot be ended is named, and the others are ended all the same")
  func lastingSession() async throws {
    let bench = try await sharing()
    for id in 1...3 as ClosedRange<UInt64> { bench.logIn(id, to: id == 3 ? two : one) }
    bench.daemon.state.withLock { $0.lasting = [1] }
    let path = try bench.file([
      (one, "incominguser u \(former)"), (two, "incominguser u \(former)"),
    ])
    let run = await bench.admin("-c \(path) --update ALL -f")
    #expect(run.code != 0)
    #expect(
      run.errors.hasSuffix(
        "  session 1 of iqn.2008-11.org.linux-kvm with \(one): too busy\n"), "\(run.errors)")
    #expect(try await bench.daemon.sessions(id: nil).map(\.id) == [1])
  }

  @Test("Without an answer to the change it is not certain what was done, and that is said")
  func noAnswer() async throws {
    let bench = try await sharing()
    let path = try bench.file([(one, "MaxConnections 2")])
    bench.daemon.state.withLock {
      $0.refusal = AdministrationError(.unanswered, "closed the connection without an answer")
    }
    let run = await bench.admin("-c \(path) --update \(one)")
    #expect(run.code == 110)
    #expect(
      run.errors == """
        tgt-admin: it is not certain whether the targets were changed: closed the connection \
        without an answer
        tgt-admin: look with tgt-admin --show; sessions from before were not ended

        """)
  }
}
