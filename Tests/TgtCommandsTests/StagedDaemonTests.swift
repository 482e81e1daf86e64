import AdministrationModel
import ConfigurationChanges
import Testing

@testable import TgtCommands

@Suite("What a daemon would serve after changes that wait")
struct StagedDaemonTests {
  private static let name = "iqn.2026-11.com.example:t"

  private static func staged(_ target: String) async throws -> StagedDaemon {
    try await StagedDaemon(of: try ConfiguredAdministrator("{\"targets\": [\(target)]}"))
  }

  @Test("It finds by name what the daemon finds, and refuses what there is not")
  func names() async throws {
    let staged = try await Self.staged(#"{"name": "\#(Self.name)", "initiators": "any"}"#)
    let found = try await staged.targets(named: "IQN.2026-11.com.example:T")
    #expect(found.map(\.name) == [Self.name])
    await #expect(throws: AdministrationError.missing("store", "a", of: [])) {
      _ = try await staged.stores(named: "a")
    }
  }

  @Test("The last user of a target leaves no empty list behind, as with the daemon")
  func lastUser() async throws {
    let users = #""chap": [{"user": "u", "secret": "replace-me-u-1"}]"#
    let staged = try await Self.staged(
      #"{"name": "\#(Self.name)", "initiators": "any", \#(users)}"#)
    let place = CredentialPlace(target: Self.name)
    _ = try await staged.change(
      ChangeRequest([.removeCHAPUser(.init("u", at: place, allowingOpenAccess: true))]))
    #expect(!(try await staged.configuration(withSecrets: true)).text.contains("chap"))
  }
}
