import Glibc
import Reactor
import ServiceFixtures
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("--check")
struct CheckTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  /// The warnings of the media that a configuration has, by their places in it.
  private func warnings(_ stores: String) throws -> [String: String] {
    let loaded = try TargetDirectoryCheck.run(try scratch.load("\"stores\": {\(stores)}"))
    let found = loaded.warnings.filter { $0.path.split(separator: ".").count == 3 }
    return Dictionary(found.map { ($0.path, $0.sentence) }) { first, _ in first }
  }

  @Test("Each medium that is missing or cannot be served is a warning, and nothing is made")
  func media() throws {
    try scratch.write([UInt8](repeating: 0, count: 1 << 20), to: "there.img")
    let found = try warnings(
      """
      "there": {"file": "there.img", "size": "1MiB"},
      "memory": {"memory": true, "size": "1MiB"},
      "new": {"file": "new.img", "size": "1MiB"},
      "none": {"file": "none.img"},
      "away": {"file": "unmounted/a.img", "size": "1MiB"},
      "device": {"block": "/dev/swift-tgtd-none"},
      "directory": {"file": "\(scratch.path)", "size": "1MiB"},
      """)
    #expect(
      found.keys.sorted() == [
        "stores.away.file", "stores.device.block", "stores.directory.file", "stores.new.file",
        "stores.none.file",
      ])
    #expect(found["stores.new.file"]?.contains("the first start makes it, empty") == true)
    #expect(found["stores.none.file"]?.contains("none.img: does not exist; give a size") == true)
    #expect(found["stores.away.file"]?.contains("unmounted/a.img") == true)
    #expect(found["stores.device.block"]?.contains("/dev/swift-tgtd-none: does not exist") == true)
    #expect(found["stores.directory.file"]?.contains("is a directory") == true)
    for (path, sentence) in found where path != "stores.new.file" {
      #expect(sentence.hasSuffix("; until then its LUNs answer NOT READY"), "\(sentence)")
    }
    #expect(access(scratch("new.img"), F_OK) != 0)
    #expect(access(scratch("state"), F_OK) != 0)
  }

  @Test("A file without the rights to it is a warning", .disabled(if: isRoot))
  func rights() throws {
    try scratch.write([UInt8](repeating: 0, count: 1 << 20), to: "a.img")
    #expect(chmod(scratch("a.img"), 0o400) == 0)
    let found = try warnings("\"a\": {\"file\": \"a.img\", \"size\": \"1MiB\"}")
    #expect(found["stores.a.file"]?.contains("Permission denied") == true)
  }

  @Test("A medium that hangs is a warning, too, and holds up the check for a bounded time")
  func hanging() throws {
    let end = OneTime()
    let media = MediaThreads(patience: Milliseconds(100)) { _ in
      while !end.isTaken { usleep(5000) }
    }
    defer { _ = end.take() }
    let loaded = try scratch.load("\"stores\": {\"a\": {\"file\": \"a.img\", \"size\": \"1MiB\"}}")
    let warnings = try TargetDirectoryCheck.run(loaded, media: media).warnings
    #expect(warnings.contains { $0.sentence.contains("does not answer: its disk hangs") })
  }

  @Test("The status of a check is that of a start: 78 for a wrong file, 0 for a good one")
  func status() throws {
    try scratch.write(Array("{\"reactors\": \"many\"}".utf8), to: "bad.json")
    #expect(DaemonProcess.check(configuration: scratch("bad.json")) == .configuration)
    #expect(DaemonProcess.check(configuration: scratch("none.json")) == .configuration)
    let good = "{\"reactors\": 1, \"memory\": \"32MiB\"}"
    try scratch.write(Array(good.utf8), to: "good.json")
    #expect(DaemonProcess.check(configuration: scratch("good.json")) == .orderly)
  }
}
