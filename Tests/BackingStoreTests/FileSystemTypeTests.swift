import Reactor
import Testing

@testable import BackingStore

@Suite("Where writes may be performed inline")
struct FileSystemTypeTests {
  @Test("On local file systems; not where a server may have to be asked, nor on unknown ones")
  func types() {
    // statfs(2)
    let local: [UInt32] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x0102_1994]
    for magic in local { #expect(FileSystemType(magic: magic) != nil) }
    let others: [UInt32] = [
      0x6969,  // NFS
      0xFE53_4D42,  // SMB2
      0xFF53_4D42,  // CIFS
      0x00C3_6400,  // Ceph
      0x6573_5546,  // FUSE
      0x0102_1997,  // 9p
      0x794C_7630,  // overlayfs
      0x0116_1970,  // GFS2
      0x7461_636F,  // OCFS2
      0x2FC1_2FC1,  // ZFS
      0,
    ]
    for magic in others { #expect(FileSystemType(magic: magic) == nil) }
  }

  @Test("A buffered file on tmpfs may be written inline, a direct one not")
  func stores() throws {
    let scratch = try Scratch(in: "/dev/shm")
    let path = scratch("a.img")
    var store: DescriptorStore? = try open(StoreOptions(path: path, sizeBytes: 1 << 20))
    #expect(store?.file.mayWriteInline == true)
    store = nil
    // tmpfs has no O_DIRECT before Linux 6.6.
    let direct = try? open(StoreOptions(path: path, cacheMode: CacheMode.none))
    #expect(direct?.file.mayWriteInline != true)
  }
}
