import BackingStore
import CLinux
import Glibc
import Testing

@Suite("What a loop device is on")
struct StoreIdentityTests {
  let scratch: Scratch
  private let sysfs = FakeSysfs()
  init() throws { scratch = try Scratch() }

  /// A loop device with that minor number, as sysfs shows it.
  private func loop(
    _ minor: Int, on path: String, offset: Int = 0, sizeLimit: Int = 0
  ) throws -> StoreIdentity {
    for name in ["dev", "dev/block", "dev/block/7:\(minor)", "dev/block/7:\(minor)/loop"] {
      sysfs.makeDirectory(name)
    }
    for (name, text) in [
      ("backing_file", path), ("offset", "\(offset)"), ("sizelimit", "\(sizeLimit)"),
    ] {
      try sysfs.makeFile("dev/block/7:\(minor)/loop/\(name)", "\(text)\n")
    }
    return .blockDevice(number: UInt64(7 << 8 | minor))
  }

  private func resolved(_ identity: StoreIdentity) -> StoreIdentity {
    identity.resolved(sysfs: sysfs.root)
  }

  @Test("A loop device is the file it is on, and so is one behind a link to that file")
  func file() throws {
    let path = try scratch.makeFile("disk.img", size: 4096)
    symlink(path, scratch("link"))
    let identity = try open(StoreOptions(path: path)).identity
    #expect(resolved(try loop(1, on: path)) == identity)
    #expect(resolved(try loop(2, on: scratch("link"))) == identity)
    #expect(resolved(identity) == identity)
  }

  @Test("A loop device on a part of a file, on none any more, or none at all, is itself")
  func itself() throws {
    let path = try scratch.makeFile("disk.img", size: 1 << 20)
    for device in [
      try loop(1, on: path, offset: 4096), try loop(2, on: path, sizeLimit: 4096),
      try loop(3, on: path + " (deleted)"), try loop(4, on: scratch.path),
      .blockDevice(number: 8 << 8),
    ] {
      #expect(resolved(device) == device, "\(device)")
    }
  }
}

/// A tree of directories and files that is removed with this.
private final class FakeSysfs {
  let root = "/var/tmp/sysfs-test-\(getpid())-\(UInt64.random(in: 0 ... .max))"
  private var made: [String] = []

  init() { if mkdir(root, 0o700) == 0 { made.append(root) } }
  deinit { for path in made.reversed() { remove(path) } }

  func makeDirectory(_ name: String) {
    if mkdir("\(root)/\(name)", 0o700) == 0 { made.append("\(root)/\(name)") }
  }

  func makeFile(_ name: String, _ text: String) throws {
    let path = "\(root)/\(name)"
    let descriptor = clinux_open(path, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    try #require(descriptor >= 0)
    made.append(path)
    defer { close(descriptor) }
    try #require(write(descriptor, text, text.utf8.count) == text.utf8.count)
  }
}
