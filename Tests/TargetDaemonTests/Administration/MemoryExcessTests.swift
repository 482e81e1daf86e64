import AdministrationModel
import ServiceFixtures
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Stores in memory that the machine has too little for", .serialized, .waiting)
struct MemoryExcessTests {
  @Test("Stores in memory that have more than the machine are told at a check, with both sizes")
  func check() throws {
    let scratch = try Scratch()
    let text = """
      "stores": {"a": {"memory": true, "size": "1GiB"}, "b": {"memory": true, "size": "2GiB"},
        "c": {"null": true, "size": "1PiB"}}
      """
    let configuration = try scratch.load(text).configuration
    #expect(configuration.memoryExcess(physicalMemoryBytes: 3 << 30) == nil)
    #expect(
      configuration.memoryExcess(physicalMemoryBytes: (3 << 30) - 1)
        == "the stores in memory have 3GiB in all, and this machine has 3071MiB: the kernel may end "
        + "the daemon as they fill; make them smaller, or put them into files")
    let large = "\"stores\": {\"a\": {\"memory\": true, \"size\": \"1EiB\"}}"
    let warnings = try TargetDirectoryCheck.run(try scratch.load(large)).warnings
    #expect(warnings.count { $0.path == "stores" && $0.sentence.contains("1EiB in all") } == 1)
  }

  @Test("They are told at a start, too")
  func start() throws {
    let scratch = try Scratch()
    let book = LogBook()
    // Of pages that nobody writes there is nothing.
    let size = "\((ProcessSetup.physicalMemoryBytes >> 20) + 1024)MiB"
    let loaded = try scratch.load(
      """
      "portals": ["127.0.0.1:\(Loopback.freePort())"],
      "stores": {"a": {"memory": true, "size": "\(size)"}}
      """)
    let daemon = try Daemon(loaded, logger: book.logger)
    #expect(book.contains("stores: the stores in memory have "))
    #expect(daemon.stop())
  }

  @Test("A store in memory that makes all of them more than the machine has is warned of")
  func change() async throws {
    let live = try await LiveDaemon.start()
    let options = ChangeOptions(dryRun: true)
    func warnings(_ size: UInt64) async throws -> [String] {
      let store = StoreSpecification(name: "large", kind: .memory, sizeBytes: size)
      return try await live.change(.addStore(store), options: options).warnings
    }
    let excess = try await warnings(4 << 40).filter { $0.hasPrefix("stores: ") }
    #expect(excess.count == 1)
    #expect(excess.first?.contains("4TiB in all, and this machine has") == true)
    #expect(try await warnings(1 << 20).allSatisfy { !$0.hasPrefix("stores: ") })
  }
}
