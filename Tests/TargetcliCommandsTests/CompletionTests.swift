import Testing

@testable import TargetcliCommands

struct CompletionTests {
  private func completion(at path: String = "/") async throws -> Completion {
    let bench = try Bench()
    for command in GuideTests.commands { await bench(command) }
    var session = bench.session
    try await session.refresh()
    return Completion(
      tree: session.lastState.tree, path: NodePath(path), bookmarks: ["last": .root],
      files: { $0 == "/srv/" ? ["a.img", "more/"] : [] })
  }

  private static let iqn = Bench.iqn
  private static let node = Bench.node

  @Test(
    "The last word becomes what can stand there",
    arguments: [
      ("/", "sav", ["saveconfig "]),
      ("/", "back", ["backstores/"]),
      ("/", "/isc", ["/iscsi/"]),
      ("/", "/iscsi/", ["/iscsi/\(iqn)/"]),
      ("/", "/iscsi/\(iqn)/tpg1/l", ["/iscsi/\(iqn)/tpg1/luns/"]),
      ("/iscsi", "cd iqn", ["\(iqn)/"]),
      ("/iscsi", "delete ", ["\(iqn) "]),
      ("/", "/iscsi delete i", ["\(iqn) "]),
      ("/backstores/fileio", "delete s", ["sdb ", "save="]),
      ("/backstores/fileio", "create x /srv/", ["/srv/a.img ", "/srv/more/"]),
      ("/backstores/fileio", "create x file_or_dev=/srv/a", ["file_or_dev=/srv/a.img "]),
      ("/backstores/fileio", "create x /y write", ["write_back="]),
      ("/backstores/fileio", "create x /y write_back=f", ["write_back=false "]),
      ("/iscsi/\(iqn)/tpg1/luns", "create /backstores/", ["/backstores/fileio/sdb "]),
      ("/iscsi/\(iqn)/tpg1/acls/\(node)", "create 1 l", ["lun0 "]),
      ("/iscsi/\(iqn)/tpg1/acls/\(node)", "unmap ", ["mapped_lun0 "]),
      ("/iscsi/\(iqn)/tpg1/portals", "delete ", ["0.0.0.0 "]),
      ("/iscsi/\(iqn)/tpg1", "set au", ["auth "]),
      ("/iscsi/\(iqn)/tpg1", "set auth user", ["userid="]),
      ("/iscsi/\(iqn)/tpg1", "get attribute gen", ["generate_node_acls "]),
      ("/", "@l", ["@last"]),
      ("/", "# ba", []),
      ("/nowhere", "l", []),
      ("/", "/nowhere/x", []),
      ("/", "nothing x", []),
    ] as [(String, String, [String])])
  func candidates(_ path: String, _ line: String, _ wanted: [String]) async throws {
    #expect(try await completion(at: path).candidates(line) == wanted)
  }

  @Test("An empty line offers commands and children")
  func empty() async throws {
    let all = try await completion().candidates("")
    #expect(all.contains("ls ") && all.contains("backstores/") && all.contains("iscsi/"))
  }
}
