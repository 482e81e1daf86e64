import Glibc
import Reactor
import SCSIModel
import SCSITarget
import Synchronization
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("Saved parameters")
struct ParameterFileTests {
  let scratch: Scratch
  let book = LogBook()
  init() throws { scratch = try Scratch() }

  private let unit = LogicalUnitIdentity(
    name: "a/b", naa: [0x60] + [UInt8](repeating: 0xAB, count: 15), serial: "s", vendor: "V",
    product: "P", revision: "1")

  private var saved: SavedParameters {
    var saved = SavedParameters()
    saved.modes = SavedParameters.Modes(
      settings: ModeSettings(
        isWriteCacheEnabled: false, isDescriptorSense: true, isSoftwareWriteProtected: false,
        isTaskAbortedStatus: true), configuredWriteCache: true)
    saved.identifyingInformation = [0, 1, 0xFF]
    saved.textIdentifyingInformation = Array("disk".utf8) + [0]
    return saved
  }

  private func files() throws -> ParameterFiles {
    ParameterFiles(
      directory: try StateDirectory.open(scratch("state")).parameters,
      savingOn: try JobThread(name: "test"), logger: book.logger)
  }

  private func save(_ parameters: SavedParameters, by files: ParameterFiles) -> SystemError? {
    let outcome = Mutex<SystemError?>(nil)
    let done = Semaphore()
    files.save(parameters, of: unit) { error in
      outcome.withLock { $0 = error }
      done.signal()
    }
    #expect(done.wait(until: .current + .seconds(5)))
    return outcome.withLock { $0 }
  }

  @Test("What was saved is there after a restart, for the same disk only")
  func restart() throws {
    do {
      let files = try files()
      #expect(files.load(of: unit) == SavedParameters())
      #expect(save(saved, by: files) == nil)
    }
    #expect(try files().load(of: unit) == saved)
    #expect(book.lines == [])
    var other = unit
    other.naa[15] = 1
    #expect(try files().load(of: other) == SavedParameters())
    #expect(book.contains("belongs to another disk"))
  }

  @Test("A damaged file is logged and not used, wherever it was cut or changed")
  func damaged() throws {
    let files = try files()
    let content = ParameterFiles.content(saved, unit.naa)
    #expect(ParameterFiles.parse(content)?.parameters == saved)
    for count in 0..<content.count {
      #expect(ParameterFiles.parse(Array(content.prefix(count))) == nil)
    }
    for index in content.indices {
      var changed = content
      changed[index] ^= 0x01
      #expect(ParameterFiles.parse(changed) == nil, "byte \(index)")
    }
    try scratch.write(Array(content.dropLast(2)), to: "state/parameters/a%2Fb")
    #expect(files.load(of: unit) == SavedParameters())
    #expect(book.contains("starts as configured") && book.contains("is damaged"))
  }

  @Test("A save that fails keeps the old file and says so")
  func unsaved() throws {
    let files = try files()
    _ = files.load(of: unit)
    #expect(save(saved, by: files) == nil)
    mkdir(scratch("state/parameters/a%2Fb.new"), 0o700)
    #expect(save(SavedParameters(), by: files) != nil)
    #expect(files.load(of: unit) == saved)
    #expect(
      book.contains("error parameters cannot be saved, so the command that changes them fails"))
  }

  @Test("Whichever call fails, what was saved before is what the next start finds")
  func faults() throws {
    let thread = try JobThread(name: "test")
    let path = "p/a%2Fb"
    func loaded(_ fileSystem: CrashFileSystem) -> (files: ParameterFiles, saved: SavedParameters) {
      let files = ParameterFiles(
        directory: "p", savingOn: thread, logger: book.logger, fileSystem: fileSystem)
      return (files, files.load(of: unit))
    }
    // A damaged file counts as none.
    for former in [ParameterFiles.content(saved, unit.naa), nil, [0x20]] {
      let plain = CrashFileSystem(path, former)
      let (files, before) = loaded(plain)
      plain.begin()
      #expect(save(SavedParameters(), by: files) == nil)
      for (index, call) in plain.calls.enumerated() where call != .remove {
        for takesEffect in [false, true] {
          let fileSystem = CrashFileSystem(path, former)
          let files = loaded(fileSystem).files
          fileSystem.begin(CrashFileSystem.Fault(index: index, takesEffect: takesEffect))
          #expect(save(SavedParameters(), by: files) != nil, "\(call)")
          let last = try #require(fileSystem.history.last)
          for content in last.remains(of: path) {
            #expect(loaded(CrashFileSystem(path, content)).saved == before, "\(call)")
          }
        }
      }
    }
  }

  @Test("A unit is accessible as its targets say, and explicitly if one of them allows it")
  func access() throws {
    let loaded = try scratch.load(
      """
      "portals": ["127.0.0.1:3260", {"address": "127.0.0.1:3261", "group": 2}],
      "stores": {"a": {"memory": true, "size": "1MiB"}, "b": {"memory": true, "size": "1MiB"}},
      "targets": [{"name": "iqn.2026-11.com.example:t", "luns": [{"lun": 0, "store": "a"}],
        "initiators": "any", "explicitAlua": true,
        "portalGroups": [1, {"tag": 2, "state": "unavailable", "preferred": true}]}]
      """)
    let access = loaded.configuration.access(to: "a")
    #expect(access.isExplicit)
    #expect(access.group(1) == AsymmetricAccess.Group())
    #expect(
      access.group(2) == AsymmetricAccess.Group(state: .unavailable, isPreferred: true))
    #expect(!loaded.configuration.access(to: "b").isExplicit)
  }

  @Test("The monitor finds out what a sparse file uses, and warns when it is too much")
  func space() throws {
    let port = Loopback.freePort()
    try scratch.write([UInt8](repeating: 1, count: 1 << 20), to: "disk.img")
    let loaded = try scratch.load(
      """
      "portals": ["127.0.0.1:\(port)"],
      "stores": {"disk": {"file": "disk.img", "size": "2MiB", "thinThreshold": "20%"}},
      "targets": [{"name": "iqn.2026-11.com.example:t", "luns": [{"lun": 1, "store": "disk"}],
        "initiators": "any"}]
      """)
    let daemon = try Daemon(loaded, logger: book.logger)
    let unit = try #require(daemon.units.first)
    #expect(eventually { unit.provisioning.resources != nil })
    // Threshold sets of a mebibyte.
    #expect(
      unit.provisioning.resources == ProvisioningResources(availableCount: 1, usedCount: 1))
    #expect(eventually { book.contains("runs out of room") })
    #expect(daemon.stop())
  }
}
