import AdministrationModel
import CLinux
import Glibc
import Reactor
import TargetConfig
import Testing

@testable import TargetDaemon

@Suite("The configuration file, rewritten")
struct ConfigurationFileTests {
  private static let path = "/etc/swift-tgtd/targets.json"
  private let old = Array("{\"engine\": \"aio\"}\n".utf8)
  private let new = Array("{\"engine\": \"uring\", }\n".utf8)

  @Test("Whatever call is the last before a loss of power, the file is the old or the new one")
  func survivesCrashes() throws {
    let disk = CrashFileSystem(Self.path, old)
    let file = ConfigurationFile(Self.path, on: disk)
    disk.begin()
    try file.replace(old, by: new)
    for image in disk.history {
      #expect(image.remains(of: Self.path).isSubset(of: [old, new]))
    }
    let last = try #require(disk.history.last)
    #expect(last.remains(of: Self.path) == [new])
    #expect(last.remains(of: Self.path + "~") == [old])
  }

  @Test("Whatever call fails, the error tells whether the file is as it was")
  func tellsWhatFailed() throws {
    let disk = CrashFileSystem(Self.path, old)
    let file = ConfigurationFile(Self.path, on: disk)
    disk.begin()
    try file.replace(old, by: new)
    for index in disk.calls.indices {
      for takesEffect in [false, true] {
        let disk = CrashFileSystem(Self.path, old)
        let file = ConfigurationFile(Self.path, on: disk)
        disk.begin(.init(index: index, takesEffect: takesEffect))
        do throws(ConfigurationFile.WriteError) {
          try file.replace(old, by: new)
          // What an earlier crash left behind is removed first, and need not be there; and of what
          // was renamed all the same the file itself tells.
          #expect(disk.content(of: Self.path) == new, "call \(index)")
        } catch {
          let remains = try #require(disk.history.last).remains(of: Self.path)
          switch error {
          case .unchanged(let cause):
            #expect(cause == .inputOutput)
            #expect(remains == [old], "call \(index)")
          case .uncertain(let cause):
            #expect(cause == .inputOutput)
            #expect(remains.isSubset(of: [old, new]), "call \(index)")
          case .changed, .missing, .unreadable: Issue.record("\(error)")
          }
        }
      }
    }
  }

  @Test("What a file said that nobody takes is kept whole or not at all, and not after an error")
  func keepsRejected() throws {
    let now = Timestamp(secondsSinceEpoch: 1_795_243_454)
    let kept = "\(Self.path).rejected-\(now)"
    func replace(_ fault: CrashFileSystem.Fault? = nil) -> (
      disk: CrashFileSystem, error: ConfigurationFile.WriteError?
    ) {
      let disk = CrashFileSystem(Self.path, old)
      disk.begin(fault)
      do throws(ConfigurationFile.WriteError) {
        let place = try ConfigurationFile(Self.path, on: disk)
          .replaceRejected(by: new, hasSecrets: false, at: now)
        #expect(place == kept)
        return (disk, nil)
      } catch {
        return (disk, error)
      }
    }
    let (disk, error) = replace()
    #expect(error == nil && disk.content(of: kept) == old && disk.content(of: Self.path) == new)
    for image in disk.history {
      #expect(image.remains(of: kept).isSubset(of: [nil, old]))
      // What may be replaced is kept.
      #expect(image.remains(of: Self.path) == [old] || image.remains(of: kept) == [old])
    }
    for index in disk.calls.indices {
      for takesEffect in [false, true] {
        let (disk, error) = replace(.init(index: index, takesEffect: takesEffect))
        let isKept = error == nil || error == .uncertain(.inputOutput)
        #expect(disk.content(of: kept) == (isKept ? old : nil), "call \(index)")
        if !isKept { #expect(disk.content(of: Self.path) == old, "call \(index)") }
      }
    }
  }

  @Test("What was kept before is not written over")
  func keepsKept() throws {
    let directory = try Scratch()
    let now = Timestamp(secondsSinceEpoch: 1_795_243_454)
    try directory.write(old, to: "targets.json")
    try directory.write(new, to: "targets.json.rejected-\(now)")
    #expect(throws: ConfigurationFile.WriteError.unchanged(SystemError(rawValue: EEXIST))) {
      try ConfigurationFile(directory("targets.json"))
        .replaceRejected(by: new, hasSecrets: false, at: now)
    }
    #expect(try directory.read("targets.json") == old)
    #expect(try directory.read("targets.json.rejected-\(now)") == new)
  }

  @Test("A file that somebody else has changed is left alone")
  func refusesChanged() throws {
    let disk = CrashFileSystem(Self.path, new)
    let file = ConfigurationFile(Self.path, on: disk)
    #expect(throws: ConfigurationFile.WriteError.changed) { try file.replace(old, by: new) }
    #expect(disk.calls.isEmpty)
  }

  @Test("A file that is gone is no file to replace")
  func refusesMissing() {
    let file = ConfigurationFile(Self.path, on: CrashFileSystem(Self.path, nil))
    #expect(throws: ConfigurationFile.WriteError.missing) { try file.replace(old, by: new) }
    #expect(throws: ConfigurationFile.WriteError.missing) { try file.isChanged(since: old) }
  }

  @Test("A file that is gone is made anew where it was, with its former mode, secrets or not")
  func createsAnew() throws {
    let directory = try Scratch()
    for (hasSecrets, mode) in [(false, UInt32(0o640)), (true, 0o600)] {
      let path = directory("real.json")
      try StateFile.replace("real.json", in: directory.path, with: old)
      #expect(chmod(path, 0o640) == 0)
      unlink(directory("targets.json"))
      #expect(symlink("real.json", directory("targets.json")) == 0)
      let file = ConfigurationFile(directory("targets.json"))
      #expect(!file.isMissing)
      unlink(path)
      #expect(file.isMissing)
      try file.create(new, hasSecrets: hasSecrets)
      #expect(try directory.read("real.json") == new)
      #expect(FileAccess(ofFileAt: path)?.mode == mode)
      var status = stat()
      #expect(lstat(directory("targets.json"), &status) == 0)
      #expect(status.st_mode & S_IFMT == S_IFLNK)
      // Somebody has put it back meanwhile.
      #expect(throws: ConfigurationFile.WriteError.changed) {
        try file.create(old, hasSecrets: hasSecrets)
      }
    }
  }

  @Test("A relative name is of the directory that the daemon was started in")
  func absoluteName() {
    let name = ConfigurationFile("nowhere/./targets.json").name
    #expect(name == FilePath.resolve("nowhere/targets.json", against: FilePath.currentDirectory()))
    #expect(name.hasPrefix("/"))
  }

  @Test("Mode and links stay, and the previous file has the same mode")
  func keepsAccess() throws {
    let directory = try Scratch()
    let path = directory.path + "/targets.json"
    #expect(symlink("real.json", path) == 0)
    try StateFile.replace("real.json", in: directory.path, with: old)
    #expect(chmod(directory.path + "/real.json", 0o640) == 0)
    try ConfigurationFile(path).replace(old, by: new)
    var status = stat()
    #expect(lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    for name in ["real.json", "real.json~"] {
      let access = FileAccess(ofFileAt: directory.path + "/" + name)
      #expect(access?.mode == 0o640)
    }
    let kept = try StateFile.content(of: directory.path + "/real.json~", bytesMax: 1000)
    #expect(kept == old)
  }

  @Test("What somebody saves while the new file is being written is not lost")
  func looksAgain() throws {
    let directory = try Scratch()
    let edited = Array("{\"engine\": \"auto\"}\n".utf8)
    try StateFile.replace("targets.json", in: directory.path, with: old)
    let path = directory("targets.json")
    let file = ConfigurationFile(
      path,
      on: EditedFileSystem {
        try? StateFile.replace("targets.json", in: directory.path, with: edited)
      })
    #expect(throws: ConfigurationFile.WriteError.changed) { try file.replace(old, by: new) }
    #expect(try directory.read("targets.json") == edited)
    #expect(access(directory(".targets.json.swift-tgtd"), F_OK) != 0)
  }

  @Test("A link that comes to name another file is followed to that one")
  func followsLink() throws {
    let directory = try Scratch()
    for name in ["one.json", "two.json"] {
      try StateFile.replace(name, in: directory.path, with: old)
    }
    let path = directory("targets.json")
    #expect(symlink("one.json", path) == 0)
    let file = ConfigurationFile(path)
    unlink(path)
    #expect(symlink("two.json", path) == 0)
    try file.replace(old, by: new)
    #expect(try directory.read("one.json") == old)
    #expect(try directory.read("two.json") == new)
  }

  @Test("Extended attributes stay")
  func keepsAttributes() throws {
    let directory = try Scratch()
    let path = directory("targets.json")
    try StateFile.replace("targets.json", in: directory.path, with: old)
    let value = Array("cluster 7".utf8)
    // Not every file system has them.
    guard setxattr(path, "user.note", value, value.count, 0) == 0 else { return }
    try ConfigurationFile(path).replace(old, by: new)
    let attributes = try #require(FileAccess(ofFileAt: path)).attributes
    #expect(attributes.map(\.name) == ["user.note"] && attributes.map(\.value) == [value])
  }
}

/// Where somebody saves another text when the copy of the old one is written.
private struct EditedFileSystem: FaultyFileSystem {
  let edit: @Sendable () -> Void

  init(_ edit: @escaping @Sendable () -> Void) { self.edit = edit }

  func rename(_ path: String, to newPath: String) throws(SystemError) {
    try kernel.rename(path, to: newPath)
    if newPath.hasSuffix("~") { edit() }
  }
}
