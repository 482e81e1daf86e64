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

  @Test("Reasons of refused logins are words")
  func reasons() async {
    let daemon = FakeDaemon { $0.status.loginFailures = ["tooManyConnections": 2] }
    let output = await run("status", daemon).output
    #expect(output.contains("since the start: 2 too many connections\n"))
  }
}
