import BackingStore
import CLinux
import Glibc
import Reactor
import ServiceFixtures
import Testing

@Suite("Opening a file")
struct OpeningTests {
  let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test("A missing file with a size is created sparse, private and of that size")
  func creates() throws {
    let path = scratch("new.img")
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 30))
    #expect(store.readiness == .ready)
    #expect(
      store.geometry
        == StoreGeometry(
          capacityBytes: 1 << 30, logicalBlockBytes: 512, physicalBlockBytes: 4096))
    #expect(store.cacheMode == .writeback)
    let status = try status(path)
    #expect(status.st_size == 1 << 30)
    #expect(status.st_blocks == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test("A missing file without a size is an error that tells how to create it")
  func missing() throws {
    let path = scratch("none.img")
    #expect(
      try complaint(StoreOptions(path: path))
        == "\(path): does not exist; give a size and it is created, sparse")
    #expect(scratch.names.isEmpty)
  }

  @Test("A file that cannot get its size is not left behind, except for who tries it again")
  func madeInVain() throws {
    try #require(FileSizeLimit.bytes == 1 << 61)
    let path = scratch("vast.img")
    var options = StoreOptions(path: path, sizeBytes: 3 << 60)
    let sentence =
      "\(path): its file system takes no file of that size: give a smaller one, or take another "
      + "file system"
    #expect(try complaint(options) == sentence)
    #expect(scratch.names.isEmpty)
    options.keepsFile = true
    #expect(try complaint(options) == sentence)
    #expect(scratch.names == ["vast.img"])
    options.keepsFile = false
    #expect(try complaint(options) == sentence)
    #expect(scratch.names == ["vast.img"], "one that was there stays")
  }

  @Test("A file that was made is removed only as long as it is there, and empty")
  func removal() throws {
    let path = scratch("new.img")
    let options = StoreOptions(path: path, sizeBytes: 1 << 20)
    try open(options).removeMadeFile()
    #expect(scratch.names.isEmpty)
    let written = try open(options)
    let file = fopen(path, "r+")
    try #require(file != nil && fputs("restored", file) >= 0 && fclose(file) == 0)
    written.removeMadeFile()
    #expect(scratch.names == ["new.img"], "somebody has put data into it")
    try #require(rename(path, scratch("old.img")) == 0)
    let replaced = try open(options)
    try #require(rename(scratch("old.img"), path) == 0)
    replaced.removeMadeFile()
    #expect(scratch.names == ["new.img"], "it is another one")
    let found = try open(options)
    found.removeMadeFile()
    #expect(scratch.names == ["new.img"], "it was not made")
  }

  @Test("A file that cannot be made tells that its directory is missing, and of a size too large")
  func placeless() throws {
    let options = StoreOptions(path: scratch("none/new.img"), sizeBytes: 4096)
    let sentence =
      "the directory \(scratch("none")) is missing: make it, or mount what belongs there"
    #expect(try complaint(options) == "\(options.path): \(sentence)")
    let foreseen = #expect(throws: StoreError.self) { try DescriptorStore.tryOpening(options) }
    #expect(foreseen?.description == "\(options.path): \(sentence)")
    let tooLarge = StoreError("/a", .system(call: "ftruncate", SystemError(rawValue: EFBIG)))
    #expect(tooLarge.description.hasPrefix("/a: its file system takes no file of that size: give"))
    #expect(StoreError("/dev/a", .noMedium).description.contains("no medium is in it"))
  }

  @Test("Trying to open makes nothing, extends nothing and takes no lock")
  func trying() throws {
    let path = scratch("new.img")
    #expect(try DescriptorStore.tryOpening(StoreOptions(path: path, sizeBytes: 1 << 20)) == nil)
    #expect(scratch.names.isEmpty)
    let small = try scratch.makeFile("small.img", size: 4096)
    let options = StoreOptions(path: small, sizeBytes: 1 << 20)
    let found = try #require(try DescriptorStore.tryOpening(options))
    #expect(found.readiness == .waitingForLock)
    #expect(try status(small).st_size == 4096)
    #expect(try open(options).readiness == .ready)
  }

  @Test("A file that is open, and may be served, is not touched by who looks at it")
  func lookedAt() throws {
    let path = scratch("served.img")
    let options = StoreOptions(path: path, sizeBytes: 1 << 20)
    let served = try open(options)
    let before = try status(path).st_ctim
    usleep(50_000)
    #expect(try DescriptorStore.tryOpening(options) != nil)
    #expect(try open(options).readiness == .waitingForLock)
    let after = try status(path).st_ctim
    #expect(after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec)
    #expect(served.readiness == .ready)
  }

  @Test(
    "Trying is refused as opening is",
    arguments: ["none/new.img", "file/new.img", ".", String(repeating: "n", count: 300)])
  func tryingInVain(_ name: String) throws {
    _ = try scratch.makeFile("file", size: 0)
    let options = StoreOptions(path: scratch(name), sizeBytes: 1 << 20)
    let found = try complaint(options)
    let foreseen = #expect(throws: StoreError.self) { try DescriptorStore.tryOpening(options) }
    #expect(foreseen?.description == found)
  }

  @Test("A missing device is never made as a file in /dev")
  func missingDevice() throws {
    let path = "/dev/swift-tgtd-no-such-device"
    #expect(
      try complaint(StoreOptions(path: path, sizeBytes: 4096))
        == "\(path): does not exist, and files are not created under /dev; lsblk lists the devices")
    var status = stat()
    #expect(lstat(path, &status) == -1)
  }

  @Test("A smaller file is extended, and its content and allocation stay")
  func extends() throws {
    let path = try scratch.makeFile("small.img", size: 8192)
    let bench = StoreBench()
    do {
      let store = try open(StoreOptions(path: path))
      #expect(try bench.write(.pattern(4096), at: 0, to: store) == nil)
      #expect(try bench.synchronize(store) == nil)
    }
    let blocks = try status(path).st_blocks
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    #expect(try status(path).st_size == 1 << 20)
    #expect(try status(path).st_blocks == blocks)
    #expect(try bench.read(4096, at: 0, of: store).bytes == .pattern(4096))
    #expect(try bench.read(512, at: (1 << 20) - 512, of: store).bytes.allSatisfy { $0 == 0 })
  }

  @Test("Of a larger file the configured size is presented, and it is not cut")
  func larger() throws {
    let path = try scratch.makeFile("large.img", size: 8192)
    let store = try open(StoreOptions(path: path, sizeBytes: 4096))
    #expect(store.geometry.capacityBytes == 4096)
    #expect(try store.findExcessBytes() == 4096)
    #expect(try status(path).st_size == 8192)
    let readOnly = try open(StoreOptions(path: path, sizeBytes: 512, isReadOnly: true))
    #expect(readOnly.geometry.capacityBytes == 512)
  }

  @Test("A file that was lost is not made anew, and the reason says what to do")
  func lost() throws {
    let path = scratch("lost.img")
    let text = try complaint(StoreOptions(path: path, sizeBytes: 4096, createsFile: false))
    #expect(text.contains("the store is not new") && text.contains("mount its file system"))
    var found = stat()
    #expect(lstat(path, &found) == -1)
    #expect(try open(StoreOptions(path: path, sizeBytes: 4096)).isMade)
    let again = try open(StoreOptions(path: path, sizeBytes: 8192, createsFile: false))
    #expect(!again.isMade && again.foundFileBytes == 4096)
  }

  @Test("A read-only store is neither created nor extended")
  func readOnly() throws {
    let path = try scratch.makeFile("ro.img", size: 4096)
    let text = try complaint(StoreOptions(path: path, sizeBytes: 8192, isReadOnly: true))
    #expect(text.contains("a read-only store is not extended"))
    #expect(
      try complaint(StoreOptions(path: scratch("no.img"), sizeBytes: 512, isReadOnly: true))
        .contains("does not exist"))
    let store = try open(StoreOptions(path: path, isReadOnly: true))
    #expect(
      store.capabilities.isReadOnly && !store.capabilities.canPunchHoles
        && !store.capabilities.canZeroRanges)
  }

  @Test(
    "Sizes that are no whole number of blocks, and nothing at all, are refused",
    arguments: [(513, 512), (512, 4096), (4096 + 512, 4096)] as [(UInt64, UInt32)])
  func partialBlocks(_ size: UInt64, _ blockSize: UInt32) throws {
    let path = scratch("odd.img")
    let configured = StoreOptions(path: path, sizeBytes: size, logicalBlockBytes: blockSize)
    #expect(
      try complaint(configured)
        == "\(path): \(size) bytes is not a multiple of the block size, \(blockSize)")
    #expect(scratch.names.isEmpty)
    _ = try scratch.makeFile("odd.img", size: Int(size))
    let found = StoreOptions(path: path, logicalBlockBytes: blockSize)
    #expect(try complaint(found).contains("not a multiple of the block size"))
  }

  @Test("An empty file, a size of zero and one past the largest offset are refused")
  func extremes() throws {
    let path = try scratch.makeFile("empty.img", size: 0)
    #expect(try complaint(StoreOptions(path: path)).contains("has no blocks"))
    #expect(try complaint(StoreOptions(path: path, sizeBytes: 0)).contains("has no blocks"))
    for size in [UInt64.max - 511, 1 << 63, UInt64(Int64.max) - 511] {
      #expect(
        try complaint(StoreOptions(path: path, sizeBytes: size))
          == "\(path): \(size) bytes is more than a file can hold")
    }
  }

  @Test("Block sizes other than 512 and 4096 are refused", arguments: [0, 1, 768, 1024, 8192])
  func blockSizes(_ bytes: UInt32) throws {
    let options = StoreOptions(path: scratch("x"), sizeBytes: 1 << 20, logicalBlockBytes: bytes)
    #expect(try complaint(options).hasSuffix("block size \(bytes) is not 512 or 4096"))
  }

  @Test(
    "Physical blocks are powers of two, no smaller than a block", arguments: [256, 768, 1 << 21])
  func physicalBlockSizes(_ bytes: UInt32) throws {
    let options = StoreOptions(path: scratch("x"), sizeBytes: 1 << 20, physicalBlockBytes: bytes)
    #expect(try complaint(options).contains("physical block size \(bytes) is not a power of two"))
    let fine = StoreOptions(path: scratch("y"), sizeBytes: 1 << 20, physicalBlockBytes: 16384)
    #expect(try open(fine).geometry.physicalBlockBytes == 16384)
  }

  /// T-PATH-1.
  @Test("Directories, FIFOs, sockets, character devices and links to files are refused by name")
  func wrongTypes() throws {
    let fifo = scratch("fifo")
    try #require(mkfifo(fifo, 0o600) == 0)
    #expect(try complaint(StoreOptions(path: fifo)).contains("is a FIFO, not"))
    #expect(try complaint(StoreOptions(path: scratch.path)).contains("is a directory, not"))
    #expect(try complaint(StoreOptions(path: "/dev/null")).contains("is a character device, not"))
    let socketPath = scratch("socket")
    try #require(mknod(socketPath, mode_t(Glibc.S_IFSOCK) | 0o600, 0) == 0)
    #expect(try complaint(StoreOptions(path: socketPath)).contains("is a socket, not"))
    let file = try scratch.makeFile("file", size: 4096)
    let link = scratch("link")
    try #require(symlink(file, link) == 0)
    #expect(try complaint(StoreOptions(path: link)).contains("is a symbolic link to a file"))
    #expect(
      try complaint(StoreOptions(path: file, kind: .blockDevice))
        .contains("is a regular file, but a block device was configured"))
    #expect(
      try complaint(StoreOptions(path: "a\u{0}b", sizeBytes: 512)).contains("is not a path"))
  }

  @Test("O_DIRECT transfers whole blocks")
  func direct() throws {
    let path = scratch("direct.img")
    let options = StoreOptions(
      path: path, sizeBytes: 1 << 20, logicalBlockBytes: 4096, cacheMode: CacheMode.none)
    let store = try open(options)
    let bench = StoreBench()
    #expect(try bench.write(.pattern(8192), at: 4096, to: store, isDurable: true) == nil)
    #expect(try bench.read(8192, at: 4096, of: store).bytes == .pattern(8192))
  }

  @Test("A hard link has the identity of the file it names, another file has not")
  func identity() throws {
    let path = try scratch.makeFile("a.img", size: 4096)
    try #require(link(path, scratch("b.img")) == 0)
    let other = try scratch.makeFile("c.img", size: 4096)
    let first = try open(StoreOptions(path: path))
    #expect(try open(StoreOptions(path: scratch("b.img"))).identity == first.identity)
    #expect(try open(StoreOptions(path: other)).identity != first.identity)
  }

  @Test("What is found out of a file that another serves leaves it untouched, behind its end, too")
  func untouched() throws {
    let path = try scratch.makeFile("held.img", size: 8192)
    let holder = try open(StoreOptions(path: path))
    let before = try status(path)
    usleep(50_000)
    let second = try open(StoreOptions(path: path))
    #expect(second.readiness == .waitingForLock && second.capabilities.canPunchHoles)
    let found = try DescriptorStore.tryOpening(StoreOptions(path: path))
    #expect(found?.capabilities.canPunchHoles == true)
    let after = try status(path)
    #expect(after.st_ctim.tv_sec == before.st_ctim.tv_sec)
    #expect(after.st_ctim.tv_nsec == before.st_ctim.tv_nsec)
    withExtendedLifetime(holder) {}
  }

  @Test("Probing what the file system can do leaves nothing behind")
  func probing() throws {
    let path = scratch("probe.img")
    let store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    #expect(store.capabilities.canPunchHoles && store.capabilities.canZeroRanges)
    #expect(try status(path).st_blocks == 0)
    #expect(scratch.names == ["probe.img"])
    #expect(
      try !open(StoreOptions(path: path, isReadOnly: false, discards: false)).capabilities
        .canPunchHoles)
  }
}
