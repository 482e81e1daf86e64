import BackingStore
import CLinux
import Glibc
import Foundation
import Testing

/// Runs a program and answers what it printed; nil when it failed.
private func run(_ program: String, _ arguments: String...) -> String? {
  let process = Process()
  let output = Pipe()
  process.executableURL = URL(fileURLWithPath: program)
  process.arguments = arguments
  process.standardOutput = output
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return nil }
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return process.terminationStatus == 0
    ? text.trimmingCharacters(in: .whitespacesAndNewlines) : nil
}

/// A loop device on a file, for as long as it is held.
private final class LoopDevice {
  let path: String

  init?(_ file: String, sectorBytes: Int) {
    guard let path = run("/sbin/losetup", "-f", "--show", "-b", "\(sectorBytes)", file) else {
      return nil
    }
    self.path = path
  }

  deinit { _ = run("/sbin/losetup", "-d", path) }

  static let isPossible: Bool = {
    guard let scratch = try? Scratch(), let file = try? scratch.makeFile("probe", size: 1 << 20)
    else { return false }
    return LoopDevice(file, sectorBytes: 512) != nil
  }()
}

@Suite("Block devices", .enabled(if: LoopDevice.isPossible, "needs loop devices"), .serialized)
struct BlockDeviceTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func makeDevice(sectorBytes: Int, size: Int = 1 << 20) throws -> LoopDevice {
    let file = try scratch.makeFile("disk-\(sectorBytes)", size: size)
    return try #require(LoopDevice(file, sectorBytes: sectorBytes))
  }

  @Test("A device is opened by a symbolic link, with its own size and O_DIRECT")
  func opens() throws {
    let device = try makeDevice(sectorBytes: 512)
    let link = scratch("by-id")
    try #require(symlink(device.path, link) == 0)
    let store = try open(StoreOptions(path: link, kind: .blockDevice))
    #expect(store.readiness == .ready)
    #expect(store.geometry.capacityBytes == 1 << 20)
    #expect(store.cacheMode == .none)
    #expect(store.capabilities.canZeroRanges && store.capabilities.canPunchHoles)
    #expect(!store.capabilities.canAnchor, "nobody could tell what is anchored")
    let bench = StoreBench()
    #expect(try bench.write(.pattern(4096), at: 512, to: store) == nil)
    #expect(try bench.synchronize(store) == nil)
    #expect(try bench.allocate(.punchHole, at: 1024, count: 512, of: store) == nil)
    let found = try bench.read(4096, at: 512, of: store)
    #expect(found.failure == nil)
    var expected = [UInt8].pattern(4096)
    expected.replaceSubrange(512..<1024, with: [UInt8](repeating: 0, count: 512))
    #expect(found.bytes == expected)
  }

  @Test("A device is in danger where another is at its path, not where its node or link is missing")
  func danger() throws {
    let (device, other) = (
      try makeDevice(sectorBytes: 512), try makeDevice(sectorBytes: 4096)
    )
    let link = scratch("by-id")
    try #require(symlink(device.path, link) == 0)
    let store = try open(StoreOptions(path: link, kind: .blockDevice))
    #expect(try store.findDanger() == nil)
    try #require(unlink(link) == 0)
    #expect(try store.findDanger() == nil)
    // Another node of the same device.
    try #require(mknod(link, S_IFBLK | 0o600, try status(device.path).st_rdev) == 0)
    #expect(try store.findDanger() == nil)
    try #require(unlink(link) == 0 && symlink(other.path, link) == 0)
    let danger = try #require(try store.findDanger())
    #expect(danger.change == .replaced(.elsewhere) && danger.kind == .blockDevice)
    #expect(danger.description.hasPrefix("another device is at its path"))
    // What dd makes where a node is missing.
    try #require(unlink(link) == 0)
    _ = try scratch.makeFile("by-id", size: 1 << 20)
    #expect(try store.findDanger()?.change == .replaced(.elsewhere))
  }

  @Test("A device that got smaller is in danger, as a logical volume that was reduced")
  func cutDevice() throws {
    let file = try scratch.makeFile("disk", size: 2 << 20)
    let device = try #require(LoopDevice(file, sectorBytes: 512))
    let store = try open(StoreOptions(path: device.path, kind: .blockDevice))
    #expect(try store.findDanger() == nil)
    try #require(truncate(file, 1 << 20) == 0)
    try #require(run("/sbin/losetup", "-c", device.path) != nil)
    #expect(try store.findDanger()?.change == .cut(to: 1 << 20, presented: 2 << 20))
  }

  @Test("Trying to open a device leaves it to whoever claims it, and sees who has")
  func trying() throws {
    let device = try makeDevice(sectorBytes: 512)
    let options = StoreOptions(path: device.path, kind: .blockDevice)
    let found = try #require(try DescriptorStore.tryOpening(options))
    #expect(found.geometry.capacityBytes == 1 << 20)
    let claim = Glibc.open(device.path, O_RDWR | O_EXCL | O_CLOEXEC)
    #expect(claim >= 0)
    let error = #expect(throws: StoreError.self) { try DescriptorStore.tryOpening(options) }
    #expect(error?.reason == .inUse)
    close(claim)
  }

  @Test("A loop device's medium is the file it is on")
  func medium() throws {
    let file = try scratch.makeFile("disk", size: 1 << 20)
    let device = try #require(LoopDevice(file, sectorBytes: 512))
    let store = try open(StoreOptions(path: device.path, kind: .blockDevice))
    let onFile = try open(StoreOptions(path: file))
    #expect(store.medium == onFile.identity && onFile.medium == onFile.identity)
    #expect(store.identity != store.medium)
  }

  @Test("A loop device's medium is that file, whatever is to be found at its path by now")
  func mediumBehindPath() throws {
    let file = try scratch.makeFile("disk", size: 1 << 20)
    let other = try scratch.makeFile("other", size: 1 << 20)
    let device = try #require(LoopDevice(file, sectorBytes: 512))
    let onFile = try open(StoreOptions(path: file)).identity
    let onOther = try open(StoreOptions(path: other)).identity
    let bind: UInt = 4096  // MS_BIND
    try #require(mount(other, file, nil, bind, nil) == 0)
    defer { umount2(file, Int32(MNT_DETACH)) }
    try #require(try status(file).st_ino == status(other).st_ino)
    let link = scratch("by-id")
    try #require(symlink(device.path, link) == 0)
    let medium = try open(StoreOptions(path: link, kind: .blockDevice)).medium
    #expect(medium == onFile && medium != onOther)
  }

  @Test("512-byte blocks on 4096-byte sectors are refused with O_DIRECT, and fine without")
  func sectors() throws {
    let device = try makeDevice(sectorBytes: 4096)
    let text = try complaint(StoreOptions(path: device.path))
    #expect(text.contains("has 4096-byte sectors, the configured block size is 512"), "\(text)")
    let buffered = try open(StoreOptions(path: device.path, cacheMode: .writeback))
    #expect(buffered.geometry.physicalBlockBytes == 4096)
  }

  @Test(
    "O_DIRECT on a file asks for the alignment of the device below, and removes what it created")
  func fileOnLargeSectors() throws {
    let device = try makeDevice(sectorBytes: 4096, size: 16 << 20)
    try #require(run("/sbin/mkfs.ext4", "-q", "-b", "4096", device.path) != nil)
    let directory = scratch("mounted")
    try #require(mkdir(directory, 0o700) == 0)
    try #require(mount(device.path, directory, "ext4", 0, nil) == 0)
    defer {
      umount2(directory, Int32(MNT_DETACH))
      rmdir(directory)
    }
    let path = "\(directory)/a.img"
    var options = StoreOptions(path: path, sizeBytes: 1 << 20, cacheMode: .directsync)
    let text = try complaint(options)
    #expect(text.contains("\"directsync\" needs transfers aligned to 4096 bytes here"), "\(text)")
    #expect(text.contains("blockSize 4096 or cache \"writethrough\""), "\(text)")
    #expect(access(path, F_OK) == -1)
    options.logicalBlockBytes = 4096
    let store = try open(options)
    #expect(try StoreBench().write(.pattern(4096), at: 4096, to: store, isDurable: true) == nil)
  }

  @Test("A size must be the device's own")
  func size() throws {
    let device = try makeDevice(sectorBytes: 512)
    let text = try complaint(StoreOptions(path: device.path, sizeBytes: 4096))
    #expect(text.contains("has 1048576 bytes, the configured size is 4096"), "\(text)")
  }

  /// T-PATH-1.
  @Test(
    "A device that something else has claimed is in use, one that another store holds is awaited")
  func claims() throws {
    let device = try makeDevice(sectorBytes: 512)
    let mounted = clinux_open(device.path, O_RDWR | O_EXCL, 0)
    try #require(mounted >= 0)
    #expect(try complaint(StoreOptions(path: device.path)).contains("is in use: mounted"))
    close(mounted)

    var first: DescriptorStore? = try open(StoreOptions(path: device.path))
    let second = try open(StoreOptions(path: device.path))
    #expect(first?.identity == second.identity)
    #expect(second.readiness == .waitingForLock)
    first = nil
    #expect(try second.getsLock)
    #expect(second.readiness == .ready)
    #expect(clinux_open(device.path, O_RDWR | O_EXCL, 0) == -1, "the claim came with the lock")
    #expect(try StoreBench().write(.pattern(512), at: 0, to: second) == nil)
    #expect(try open(StoreOptions(path: device.path)).readiness == .waitingForLock)
  }

  @Test("A device that is claimed while somebody has it locked, as udev does, is not claimed twice")
  func claimsOnce() throws {
    let device = try makeDevice(sectorBytes: 512)
    let holder = clinux_open(device.path, O_RDONLY | O_CLOEXEC, 0)
    try #require(holder >= 0 && flock(holder, LOCK_SH | LOCK_NB) == 0)
    let store = try open(StoreOptions(path: device.path))
    #expect(store.readiness == .waitingForLock)
    #expect(try !store.retryLock())
    close(holder)
    #expect(try store.getsLock)
    #expect(store.readiness == .ready)
  }

  @Test("A device that something else claims meanwhile is awaited, and its lock is left to others")
  func claimedMeanwhile() throws {
    let device = try makeDevice(sectorBytes: 512)
    var first: DescriptorStore? = try open(StoreOptions(path: device.path))
    let second = try open(StoreOptions(path: device.path))
    #expect(first?.readiness == .ready && second.readiness == .waitingForLock)
    first = nil
    let mounted = clinux_open(device.path, O_RDWR | O_EXCL | O_CLOEXEC, 0)
    try #require(mounted >= 0)
    let error = #expect(throws: StoreError.self) { try second.retryLock() }
    #expect(error?.reason == .inUse)
    #expect(second.readiness == .waitingForLock)
    #expect(flock(mounted, LOCK_EX | LOCK_NB) == 0)
    close(mounted)
    #expect(try second.getsLock)
    #expect(second.readiness == .ready)
  }

  @Test("A device that vanishes while its lock is awaited is gone, as one that vanishes later")
  func vanishesMeanwhile() throws {
    let device = try makeDevice(sectorBytes: 512)
    let link = scratch("by-id")
    try #require(symlink(device.path, link) == 0)
    var first: DescriptorStore? = try open(StoreOptions(path: link, kind: .blockDevice))
    let second = try open(StoreOptions(path: link, kind: .blockDevice))
    #expect(first?.readiness == .ready && second.readiness == .waitingForLock)
    try #require(unlink(link) == 0)
    first = nil
    let error = #expect(throws: StoreError.self) { try second.getsLock }
    #expect(error?.description == "\(link): open failed: No such file or directory")
    #expect(second.readiness == .gone)
  }
}

@Suite("A full file system", .enabled(if: SmallFileSystem.isPossible, "needs to mount"))
struct FullFileSystemTests {
  @Test("ENOSPC is out of space, latches nothing, and goes away with the reason")
  func full() throws {
    let scratch = try Scratch()
    let system = try #require(SmallFileSystem(scratch("small")))
    let bench = StoreBench()
    let store = try open(
      StoreOptions(path: "\(system.path)/a.img", sizeBytes: 4 << 20, cacheMode: .writethrough))
    #expect(!store.capabilities.canZeroRanges, "tmpfs knows holes only")
    #expect(store.capabilities.canPunchHoles)
    #expect(try bench.write(.pattern(4 << 20), at: 0, to: store, isDurable: true) == .outOfSpace)
    #expect(store.readiness == .ready)
    #expect(try bench.allocate(.punchHole, at: 0, count: 4 << 20, of: store) == nil)
    #expect(try bench.write(.pattern(4096), at: 0, to: store, isDurable: true) == nil)
  }
}

/// An ext4 of 32 MiB on a loop device, for as long as it is held.
private final class SmallExt4 {
  let path: String
  /// Goes last, with what the device is on.
  private let scratch: Scratch
  private let device: LoopDevice

  init?(_ scratch: Scratch) {
    self.scratch = scratch
    path = scratch("mounted")
    guard let file = try? scratch.makeFile("ext4", size: 32 << 20),
      let device = LoopDevice(file, sectorBytes: 512),
      run("/usr/sbin/mkfs.ext4", "-q", device.path) != nil, mkdir(path, 0o700) == 0
    else { return nil }
    self.device = device
    guard mount(device.path, path, "ext4", 0, nil) == 0 else {
      rmdir(path)
      return nil
    }
  }

  deinit {
    umount2(path, Int32(MNT_DETACH))
    rmdir(path)
  }

  static let isPossible: Bool = {
    guard LoopDevice.isPossible, let scratch = try? Scratch() else { return false }
    return SmallExt4(scratch) != nil
  }()
}

@Suite("A full ext4", .enabled(if: SmallExt4.isPossible, "needs loop devices and mkfs.ext4"))
struct FullExt4Tests {
  @Test("What is anchored can still be written, and anchoring more is out of space")
  func full() throws {
    let system = try #require(try SmallExt4(Scratch()))
    let bench = StoreBench()
    let store = try open(
      StoreOptions(path: "\(system.path)/a.img", sizeBytes: 64 << 20, cacheMode: .writeback))
    #expect(store.capabilities.canAnchor)
    #expect(try bench.allocate(.zeroRange, at: 0, count: 4 << 20, of: store) == nil)
    #expect(
      try bench.allocate(.zeroRange, at: 8 << 20, count: 56 << 20, of: store) == .outOfSpace)
    #expect(try bench.write(.pattern(1 << 20), at: 2 << 20, to: store) == nil)
    #expect(try bench.synchronize(store) == nil)
    #expect(try bench.read(1 << 20, at: 2 << 20, of: store).bytes == .pattern(1 << 20))
    #expect(
      try extents(of: store, at: 0, count: 8 << 20) == [
        StoreExtent(offset: 0, count: 2 << 20, .anchored),
        StoreExtent(offset: 2 << 20, count: 1 << 20, .mapped),
        StoreExtent(offset: 3 << 20, count: 1 << 20, .anchored),
        StoreExtent(offset: 4 << 20, count: 4 << 20, .deallocated),
      ])
    // A hole has nothing to be written to.
    #expect(try bench.write(.pattern(1 << 20), at: 4 << 20, to: store) == .outOfSpace)
    #expect(store.readiness == .ready)
    #expect(try bench.allocate(.punchHole, at: 8 << 20, count: 56 << 20, of: store) == nil)
    #expect(try bench.allocate(.zeroRange, at: 4 << 20, count: 4 << 20, of: store) == nil)
    withExtendedLifetime(system) {}
  }
}
