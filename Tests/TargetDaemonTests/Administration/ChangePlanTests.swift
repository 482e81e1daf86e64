import TargetConfig
import Testing

@testable import TargetDaemon

private func configuration(_ text: String) throws -> TargetConfiguration {
  try ConfigurationLoader.load(text: text, directory: "/", permissions: .unchecked).configuration
}

private func text(
  _ stores: String, portals: String = #"["192.0.2.1:3260"]"#, target: String = ""
) -> String {
  """
  {"portals": \(portals), "stores": {\(stores)},
   "targets": [{"name": "iqn.2026-11.com.example:t", \(target) "luns": [{"lun": 1, "store": "a"}]}]}
  """
}

extension ChangePlan {
  /// Whether only the directory changes.
  fileprivate var isDirectoryOnly: Bool {
    closedStores.isEmpty && openedStores.isEmpty && resizes.isEmpty && accessChanges.isEmpty
      && closedPortals.isEmpty && openedPortals.isEmpty
  }
}

@Suite("What a change does to stores and portals")
struct ChangePlanTests {
  private let a = #""a": {"memory": true, "size": "1MiB"}"#

  private func plan(_ old: String, _ new: String) throws -> ChangePlan {
    ChangePlan(from: try configuration(old), to: try configuration(new))
  }

  @Test("Access lists, users and LUNs are the directory's alone")
  func directoryOnly() throws {
    let new = text(a, target: #""initiators": "any","#)
    #expect(try plan(text(a), new).isDirectoryOnly)
    #expect(try plan(new, new).isDirectoryOnly)
  }

  @Test("A store comes, goes, grows, and is another one with any other key")
  func stores() throws {
    let b = #", "b": {"memory": true, "size": "1MiB"}"#
    #expect(try plan(text(a), text(a + b)).openedStores.map(\.name) == ["b"])
    #expect(try plan(text(a + b), text(a)).closedStores == ["b"])
    let grown = try plan(text(a), text(a.replacing("1MiB", with: "2MiB")))
    #expect(grown.resizes == [.init(store: "a", bytes: 2 << 20)])
    #expect(grown.closedStores.isEmpty && grown.openedStores.isEmpty)
    let other = try plan(text(a), text(a.replacing("true", with: "true, \"readOnly\": true")))
    #expect(other.closedStores == ["a"] && other.openedStores.map(\.name) == ["a"])
    #expect(other.resizes.isEmpty)
  }

  @Test("A portal with another group is another one; another announcement is the directory's")
  func portals() throws {
    let two = #"["192.0.2.1:3260", {"address": "192.0.2.2:3260", "group": 2}]"#
    let opened = try plan(text(a), text(a, portals: two))
    #expect(opened.openedPortals.map { "\($0.endpoint)" } == ["192.0.2.2:3260"])
    let closed = try plan(text(a, portals: two), text(a))
    #expect(closed.closedPortals.map { "\($0)" } == ["192.0.2.2:3260"])
    let regrouped = try plan(
      text(a, portals: two), text(a, portals: two.replacing("2}", with: "3}")))
    #expect(regrouped.closedPortals.count == 1 && regrouped.openedPortals.map(\.group) == [3])
    let announced = #"[{"address": "192.0.2.1:3260", "advertise": "198.51.100.1:3260"}]"#
    #expect(try plan(text(a), text(a, portals: announced)).isDirectoryOnly)
  }
}
