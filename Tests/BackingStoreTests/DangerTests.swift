import BackingStore
import CLinux
import Glibc
import Reactor
import Testing

/// Stores whose files are deleted, renamed, replaced or cut while they serve.
@Suite("Media in danger")
struct DangerTests {
  let scratch: Scratch
  let path: String
  let store: DescriptorStore

  init() throws {
    scratch = try Scratch()
    path = scratch("a.img")
    store = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
  }

  private var change: MediumDanger.Change? {
    get throws { try store.findDanger()?.change }
  }

  @Test("A file where it was opened, and as long, is in none; nor is it when it grows or shrinks")
  func sound() throws {
    #expect(try store.findDanger() == nil)
    try store.resize(to: 2 << 20)
    #expect(try store.findDanger() == nil)
    try store.resize(to: 1 << 19, allowsShrinking: true)
    #expect(try store.findDanger() == nil)
    try #require(truncate(path, 4 << 20) == 0)
    #expect(try store.findDanger() == nil)
  }

  @Test("Of a deleted file the descriptor is the last, and its data is read where that is told")
  func deleted() throws {
    let bench = StoreBench()
    #expect(try bench.write(.pattern(4096), at: 8192, to: store) == nil)
    try #require(unlink(path) == 0)
    let danger = try #require(try store.findDanger())
    #expect(danger.change == .missing(.nothing) && danger.isLastOfData)
    #expect(
      danger.description
        == """
        its file was deleted: what it serves is there only until the daemon ends or the store is removed
        """)
    let copy = Glibc.open(danger.openPath, O_RDONLY)
    try #require(copy >= 0)
    defer { close(copy) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    #expect(pread(copy, &bytes, 4096, 8192) == 4096)
    #expect(bytes == .pattern(4096))
    #expect(store.readiness == .ready, "it serves")
  }

  @Test("Of a renamed one its new path is told, and back there it is in none")
  func renamed() throws {
    try #require(rename(path, scratch("b.img")) == 0)
    #expect(try change == .missing(.path(scratch("b.img"))))
    #expect(try store.findDanger()?.isLastOfData == false)
    try #require(link(scratch("b.img"), path) == 0)
    #expect(try store.findDanger() == nil)
  }

  @Test("Where another name of the file is left, its data is not called lost")
  func otherName() throws {
    try #require(link(path, scratch("b.img")) == 0)
    try #require(unlink(path) == 0)
    #expect(try change == .missing(.elsewhere))
    #expect(try store.findDanger()?.isLastOfData == false)
  }

  @Test("Of a file that another has replaced it is told whether it is there still, and where")
  func replaced() throws {
    try #require(rename(path, scratch("b.img")) == 0)
    _ = try scratch.makeFile("a.img", size: 1 << 20)
    #expect(try change == .replaced(.path(scratch("b.img"))))
    #expect(
      try store.findDanger()?.description.contains("its own is \(scratch("b.img")) now") == true)
    try #require(unlink(scratch("b.img")) == 0)
    #expect(try change == .replaced(.nothing))
    #expect(try store.findDanger()?.isLastOfData == true)
  }

  @Test("A file that was cut is in danger until it is long enough; a deleted one was deleted first")
  func cut() throws {
    try #require(truncate(path, 4096) == 0)
    #expect(try change == .cut(to: 4096, presented: 1 << 20))
    #expect(
      try store.findDanger()?.description
        == """
        its file was cut to 4096 bytes, and 1048576 are presented: what lay behind is lost, and reads of \
        it fail
        """)
    try #require(truncate(path, 0) == 0)
    #expect(try change == .cut(to: 0, presented: 1 << 20))
    try #require(truncate(path, 1 << 20) == 0)
    #expect(try store.findDanger() == nil)
    try #require(truncate(path, 4096) == 0 && unlink(path) == 0)
    #expect(try change == .missing(.nothing))
  }

  @Test("A file that a link leads to is where its path says")
  func links() throws {
    try #require(mkdir(scratch("there"), 0o700) == 0)
    try #require(symlink("there", scratch("here")) == 0)
    defer { _ = unlink(scratch("there/c.img")) + rmdir(scratch("there")) }
    let linked = try open(StoreOptions(path: scratch("here/c.img"), sizeBytes: 1 << 20))
    #expect(try linked.findDanger() == nil)
    try #require(rename(path, scratch("b.img")) == 0 && symlink("b.img", path) == 0)
    #expect(try store.findDanger() == nil)
    // The directory's name is another's now.
    try #require(unlink(scratch("here")) == 0)
    #expect(
      try linked.findDanger()?.change == .missing(.path(scratch("there/c.img"))))
  }

  @Test("What network file systems keep of a deleted file until it is closed counts as nothing")
  func sillyRename() throws {
    try #require(rename(path, scratch(".nfs00000001")) == 0)
    #expect(try change == .missing(.nothing))
  }

  @Test("A store that waits for its lock is not looked at")
  func waiting() throws {
    let other = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    try #require(other.readiness == .waitingForLock && truncate(path, 4096) == 0)
    #expect(try other.findDanger() == nil)
  }

  @Test(
    "A file that was renamed to where its name cannot be seen from here is missing",
    .enabled(if: SmallFileSystem.isPossible, "needs to mount"))
  func hidden() throws {
    let other = scratch("other")
    try #require(mkdir(other, 0o700) == 0 && rename(path, other + "/a.img") == 0)
    try #require(mount("tmpfs", other, "tmpfs", 0, "size=4m") == 0)
    defer { umount2(other, Int32(MNT_DETACH)) }
    #expect(try change == .missing(.elsewhere))
  }

  @Test(
    "A file whose file system is not mounted at its path any more is in no danger",
    .enabled(if: SmallFileSystem.isPossible, "needs to mount"))
  func unmounted() throws {
    let directory = scratch("mounted")
    try #require(mkdir(directory, 0o700) == 0)
    defer { rmdir(directory) }
    try #require(mount("tmpfs", directory, "tmpfs", 0, "size=4m") == 0)
    let options = StoreOptions(path: directory + "/a.img", sizeBytes: 1 << 20)
    let mounted = try open(options)
    #expect(try mounted.findDanger() == nil)
    // Another over it, then none.
    try #require(mount("tmpfs", directory, "tmpfs", 0, "size=4m") == 0)
    #expect(try mounted.findDanger() == nil)
    let hidden = try open(options)
    #expect(try mounted.findDanger()?.change == .replaced(.elsewhere))
    umount2(directory, Int32(MNT_DETACH))
    #expect(try hidden.findDanger()?.change == .replaced(.elsewhere))
    umount2(directory, Int32(MNT_DETACH))
    #expect(try mounted.findDanger() == nil)
    #expect(try hidden.findDanger() == nil)
  }
}
