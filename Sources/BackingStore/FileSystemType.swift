/// The file systems on which a buffered write, as long as nothing throttles it, is a copy into the
/// page cache: they run in this kernel, on a block device or in memory. Not NFS, CIFS, Ceph, FUSE
/// or 9p, which may have to ask a server first; not overlayfs, which hides what is below it; not
/// what is unknown.
enum FileSystemType: UInt32, CaseIterable {
  case ext = 0xEF53  // ext2, ext3 and ext4
  case xfs = 0x5846_5342
  case btrfs = 0x9123_683E
  case f2fs = 0xF2F5_2010
  case tmpfs = 0x0102_1994

  /// `magic` is statfs(2)'s f_type; nil for all other file systems.
  init?(magic: UInt32) { self.init(rawValue: magic) }
}
