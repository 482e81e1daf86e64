import AdministrationModel
import Testing

@testable import AdministrationCommands

@Suite("What status says of refused logins")
struct StatusTests {
  @Test("status tells a login to a target that is there from one to a target that is not")
  func refusedAccess() async {
    let login = RefusedLoginResource(
      initiator: "iqn.2026-11.com.example:node2", target: Samples.target, address: "192.0.2.8",
      reason: "notFound", message: "no", at: Samples.now)
    let daemon = FakeDaemon { state in
      state.status.refusedLogins = [login]
      state.targets = [Samples.resource]
    }
    let run = await run("status", daemon)
    #expect(
      run.output.hasSuffix(
        "  what to do: if it may: swift-tgtadm acl add --target \(Samples.target) "
          + "--address 192.0.2.8 -- iqn.2026-11.com.example:node2\n"), "\(run.output)")
    #expect(run.daemon.calls == ["status", "targets \(Samples.target)"])
  }

  @Test("A target that cannot be read costs the remedy of its login alone, not the status")
  func unreadTarget() async {
    let refused = RefusedLoginResource(
      initiator: Samples.node, target: Samples.target, address: "192.0.2.8",
      reason: "authorization", message: "no", at: Samples.now)
    let silent = RefusedLoginResource(
      initiator: nil, target: nil, address: "192.0.2.9", reason: "timeout", message: "no",
      at: Samples.now)
    for code in [AdministrationError.Code.unavailable, .forbidden] {
      let daemon = FakeDaemon { state in
        state.status.refusedLogins = [refused, silent]
        state.targetsFailure = AdministrationError(code, "no answer")
      }
      let run = await run("status", daemon)
      #expect(run.code == 0 && run.errors.isEmpty, "\(run.errors)")
      #expect(run.output.hasPrefix("Daemon"))
      let remedies = run.output.split(separator: "\n").filter { $0.hasPrefix("  what to do: ") }
      #expect(remedies.count == 2, "\(run.output)")
      #expect(remedies.first == "  what to do: swift-tgtadm doctor")
      #expect(remedies.last?.hasPrefix("  what to do: find who connects ") == true)
    }
  }

  @Test("Reasons of refused logins are words")
  func reasons() async {
    let daemon = FakeDaemon { $0.status.loginFailures = ["tooManyConnections": 2] }
    let output = await run("status", daemon).output
    #expect(output.contains("since the start: 2 too many connections\n"))
  }
}
