import AdministrationModel
import Foundation
import Glibc
import Testing

@testable import AdministrationCommands

@Suite("Configuration files")
struct ConfigurationTests {
  /// A directory of its own, with files in it.
  private static func with(
    _ files: [String: String], _ body: (String) async throws -> Void
  ) async throws {
    let directory = NSTemporaryDirectory() + "config-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for (name, text) in files {
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
    }
    try await body(directory)
  }

  private static let small = """
    {"stores": {"a": {"file": "/srv/a.img", "size": "1GiB"}},
     "targets": [{"name": "iqn.2026-11.com.example:t", "luns": [{"lun": 1, "store": "a"}]}]}
    """

  @Test("check prints what would be served, and ends with 78 where it is wrong or cannot be read")
  func check() async throws {
    try await Self.with(["good": Self.small, "bad": "{\"stores\": 1}"]) { directory in
      let good = await run(["config", "check", "\(directory)/good"])
      #expect(good.code == 0)
      #expect(good.output.contains("nobody may log in"))
      let bad = await run(["config", "check", "\(directory)/bad"])
      #expect(bad.code == 78)
      #expect(await run(["config", "check", "\(directory)/none"]).code == 78)
      #expect(bad.errors.hasPrefix("swift-tgtadm: \(directory)/bad:1: stores"))
      let json = await run(["config", "check", "--json", "\(directory)/bad"])
      #expect(json.output.contains("\"valid\" : false"))
    }
  }

  @Test("Each example passes check as a copy for its owner, and complains of nothing unexpected")
  func examples() async throws {
    let conf = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../conf").standardizedFileURL.path
    for (name, warnings) in [
      ("targets.json", 0), ("targets.cluster.json", 0), ("targets.example.json", 1),
    ] {
      let text = try String(contentsOfFile: "\(conf)/\(name)", encoding: .utf8)
      try await Self.with([name: text]) { directory in
        let path = "\(directory)/\(name)"
        #expect(chmod(path, 0o644) == 0)
        let exposed = await run(["config", "check", path])
        #expect(exposed.code == (name == "targets.json" ? 0 : 78), "\(name)")
        #expect(exposed.errors.contains("chmod 600 \(path)") == (exposed.code != 0))
        #expect(chmod(path, 0o600) == 0)
        let owned = await run(["config", "check", "--json", path])
        #expect(owned.code == 0, "\(name): \(owned.errors)")
        let found = owned.output.split(separator: "not found: ").count - 1
        #expect(found == warnings, "\(owned.output)")
        #expect(owned.output.split(separator: "\"message\"").count - 1 == warnings)
      }
    }
  }

  @Test("diff of two files asks no daemon: 0 the same, 1 different, 78 not valid")
  func diff() async throws {
    let larger = Self.small.replacingOccurrences(of: "1GiB", with: "2GiB")
    try await Self.with(["old": Self.small, "new": larger, "bad": "{"]) { directory in
      func diff(_ old: String, _ new: String) async -> Run {
        await run(["config", "diff", "\(directory)/\(old)", "\(directory)/\(new)"])
      }
      let same = await diff("old", "old")
      #expect(same.code == 0)
      #expect(same.output == "no differences\n")
      let different = await diff("old", "new")
      #expect(different.code == 1)
      #expect(different.output.contains("~ stores.a.size"))
      #expect(await diff("old", "bad").code == 78)
      #expect(different.daemon.calls.isEmpty)
    }
  }

  @Test(
    "diff and reload end with 78 for what is wrong in the file, with 1 for a no or a difference")
  func wrongFile() async {
    for command in ["config diff", "config reload"] {
      func code(_ failure: AdministrationError.Code) async -> Int32 {
        let daemon = FakeDaemon { $0.failure = AdministrationError(failure, "f.json:7: no") }
        let run = await run(command.split(separator: " ").map(String.init), daemon)
        #expect(run.errors.contains("f.json:7: no"))
        return run.code
      }
      #expect(await code(.invalid) == 78, "\(command)")
      #expect(await code(.conflict) == 78, "\(command)")
      #expect(await code(.inUse) == 1, "\(command)")
      #expect(await code(.needsRestart) == 1, "\(command)")
      #expect(await code(.fileFailed) == 1, "\(command)")
      #expect(await code(.unavailable) == 69, "\(command)")
    }
    let daemon = FakeDaemon {
      $0.differences = [Difference(.added, "stores.a", application: .live)]
    }
    #expect(await run(["config", "diff"], daemon).code == 1)
  }

  @Test("A file in which nothing is to be served is not imported")
  func emptyImport() async throws {
    let prose = String(repeating: "Apache License\n", count: 100)
    try await Self.with(["prose": "include x\n" + prose, "empty": "default-driver iscsi\n"]) {
      directory in
      for name in ["prose", "empty"] {
        let output = "\(directory)/out"
        let run = await run(["config", "import", "\(directory)/\(name)", "--output", output])
        #expect(run.code == 65)
        #expect(run.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: output))
        #expect(run.errors.contains("it holds no store and no target"))
        #expect(run.errors.split(separator: "\n").count <= 6)
      }
    }
  }

  @Test("import prints our configuration and notes what could not be kept")
  func importing() async throws {
    let source = "<target iqn.2026-11.com.example:t>\n  backing-store /srv/a.img\n</target>\n"
    try await Self.with(["targets.conf": source]) { directory in
      let run = await run(["config", "import", "\(directory)/targets.conf"])
      #expect(run.code == 0)
      #expect(run.output.contains("iqn.2026-11.com.example:t"))
      #expect(run.errors.contains("swift-tgtadm: \(directory)/targets.conf"))
      #expect(await AdministrationCommandsTests.run(["config", "import", "/nowhere"]).code == 66)
    }
  }

  /// T-SEC-1.
  @Test("export writes the secrets to a new file for its owner alone, never over another")
  func export() async throws {
    try await Self.with(["there": "x"]) { directory in
      let path = "\(directory)/out"
      let run = await run(["config", "export", "--output", path])
      #expect(run.code == 0)
      #expect(run.daemon.calls == ["configuration true"])
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "{/* whole */}\n")
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
      #expect(mode as? Int == 0o600)
      let second = await AdministrationCommandsTests.run(
        ["config", "export", "--output", "\(directory)/there"])
      #expect(second.code == 73)
      #expect(try String(contentsOfFile: "\(directory)/there", encoding: .utf8) == "x")
    }
  }
}
