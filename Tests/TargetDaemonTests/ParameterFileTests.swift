import Glibc
import Reactor
import SCSIModel
import SCSITarget
import ServiceFixtures
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
    #expect(done.wait(until: .current + .seconds(30)))
    return outcome.withLock { $0 }
  }

  private let file = "state/parameters/60" + String(repeating: "ab", count: 15)

  @Test(
    "What was saved is there after a restart, for the same disk only, whatever its store is named")
  func restart() throws {
    do {
      let files = try files()
      #expect(files.load(of: unit) == SavedParameters())
      #expect(save(saved, by: files) == nil)
    }
    #expect(try files().load(of: unit) == saved)
    var renamed = unit
    renamed.name = "renamed"
    #expect(try files().load(of: renamed) == saved)
    var other = unit
    other.naa[15] = 1
    #expect(try files().load(of: other) == SavedParameters())
    #expect(book.lines == [])
    try scratch.write(ParameterFile(saved, of: other).content, to: file)
    #expect(try files().load(of: unit) == SavedParameters())
    #expect(book.contains("the file belongs to the unit 60abababababababababababababab01"))
  }

  @Test("It reads as people expect")
  func golden() throws {
    let head =
      "swift-tgtd parameters 1\nunit 60\(String(repeating: "ab", count: 15))\nstore a%2Fb\n"
    let body = """
      modes wce=0 d_sense=1 swp=0 tas=1 configured-wce=1
      information 0001ff
      text 6469736b00

      """
    let content = ChecksummedText(head + body).content(.crc32c)
    #expect(ParameterFile(saved, of: unit).content == content)
    #expect(try ParameterFile(content: content) == ParameterFile(saved, of: unit))
    let none = ChecksummedText(head + "modes none\ninformation \ntext \n").content(.crc32c)
    #expect(ParameterFile(SavedParameters(), of: unit).content == none)
    #expect(try ParameterFile(content: none) == ParameterFile(SavedParameters(), of: unit))
  }

  @Test(
    "What no parameters are written as is refused even with the right checksum",
    arguments: [
      ("modes wce=0 d_sense=1 swp=0 tas=1 configured-wce=1\n", ""), ("information 0001ff\n", ""),
      ("text 6469736b00\n", ""), ("text", "information 0001ff\ntext"),
      ("information 0001ff\ntext 6469736b00\n", "text 6469736b00\ninformation 0001ff\n"),
      ("b00\n", "b00\nmore 1\n"), ("wce=0 d", "wce=2 d"), ("wce=0 d", "wce=00 d"),
      ("wce=0 d_sense=1", "d_sense=1 wce=0"), (" tas=1", ""), ("tas=1", "tas=1 tas=1"),
      ("modes ", "modes  "), ("modes wce=0", "modes none wce=0"), ("0001ff", "0001FF"),
      ("0001ff", "0001f"), ("0001ff", String(repeating: "00", count: 65)),
      ("6469736b00", "6469736b"), ("6469736b00", "64690000"), ("6469736b00", "ff00"),
      ("6469736b00", String(repeating: "64", count: 256) + "00"), ("store a%2Fb", "store a/b"),
      ("store a%2Fb\n", ""), ("60ab", "60AB"), ("60ab", "50ab"), ("60ab", "ab"),
      ("\n", "\r\n"), ("text", "\ntext"),
    ])
  func misspelt(was: String, becomes: String) throws {
    let content = ParameterFile(saved, of: unit).content
    let body = try #require(ChecksummedText(content: content, .crc32c)).body
    let changed = body.replacing(was, with: becomes)
    #expect(changed != body)
    #expect(throws: RecordDamage.notWhatWasWritten) {
      try ParameterFile(content: ChecksummedText(changed).content(.crc32c))
    }
  }

  @Test("A store of the longest name has files too")
  func longName() throws {
    var unit = unit
    unit.name = String(repeating: "\u{10FFFF}", count: 100_000)
    let parameters = ParameterFile(saved, of: unit)
    #expect(try ParameterFile(content: parameters.content) == parameters)
    let wipe = WipeFile(WipeMark(.sanitize, allowsUnrestrictedExit: true), of: unit)
    #expect(try WipeFile(content: wipe.content) == wipe)
  }

  @Test("A damaged file is logged and not used, wherever it was cut or changed")
  func damaged() throws {
    let files = try files()
    let content = ParameterFile(saved, of: unit).content
    func isRefused(_ content: [UInt8]) -> Bool { (try? ParameterFile(content: content)) == nil }
    #expect(!isRefused(content))
    for count in 0..<content.count {
      #expect(isRefused(Array(content.prefix(count))))
    }
    for index in content.indices {
      var changed = content
      changed[index] ^= 0x01
      #expect(isRefused(changed), "byte \(index)")
    }
    try scratch.write(Array(content.dropLast(2)), to: file)
    #expect(files.load(of: unit) == SavedParameters())
    #expect(book.contains("starts as configured") && book.contains("is damaged"))
    try scratch.write(Array("swift-tgtd parameters 2\n".utf8), to: file)
    #expect(files.load(of: unit) == SavedParameters())
    #expect(book.contains("has format 2, which this version of swift-tgtd does not know"))
  }

  @Test("Parameters that the next start would refuse are not saved")
  func invalid() throws {
    let files = try files()
    _ = files.load(of: unit)
    #expect(save(saved, by: files) == nil)
    var invalid = saved
    invalid.identifyingInformation = [UInt8](repeating: 0, count: 65)
    #expect(save(invalid, by: files) == .invalidArgument)
    #expect(files.load(of: unit) == saved)
  }

  @Test("A save that fails keeps the old file and says so")
  func unsaved() throws {
    let files = try files()
    _ = files.load(of: unit)
    #expect(save(saved, by: files) == nil)
    mkdir(scratch(file + ".new"), 0o700)
    #expect(save(SavedParameters(), by: files) != nil)
    #expect(files.load(of: unit) == saved)
    #expect(
      book.contains("error parameters cannot be saved, so the command that changes them fails"))
  }

  @Test("Whichever call fails, what was saved before is what the next start finds")
  func faults() throws {
    let thread = try JobThread(name: "test")
    let path = "p/60" + String(repeating: "ab", count: 15)
    func loaded(_ fileSystem: CrashFileSystem) -> (files: ParameterFiles, saved: SavedParameters) {
      let files = ParameterFiles(
        directory: "p", savingOn: thread, logger: book.logger, fileSystem: fileSystem)
      return (files, files.load(of: unit))
    }
    // A damaged file counts as none.
    for former in [ParameterFile(saved, of: unit).content, nil, [0x20]] {
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
    let access = GroupAccessIndex(loaded.configuration)["a"].unitAccess
    #expect(access.isExplicit)
    #expect(access.group(1) == AsymmetricAccess.Group())
    #expect(
      access.group(2) == AsymmetricAccess.Group(state: .unavailable, isPreferred: true))
    #expect(!GroupAccessIndex(loaded.configuration)["b"].isExplicit)
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
