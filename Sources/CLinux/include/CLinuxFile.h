// Files and block devices: constants and ioctls that are macros in C.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/// BLKGETSIZE64: the size of a block device in bytes. 0, or -1 with errno.
static inline int clinux_block_size_bytes(int fd, uint64_t *bytes) {
  return ioctl(fd, BLKGETSIZE64, bytes);
}
/// BLKSSZGET: the logical sector size of a block device in bytes. 0, or -1 with errno.
static inline int clinux_block_logical_sector_bytes(int fd, int *bytes) {
  return ioctl(fd, BLKSSZGET, bytes);
}
/// BLKPBSZGET: the physical sector size of a block device in bytes. 0, or -1 with errno.
static inline int clinux_block_physical_sector_bytes(int fd, unsigned int *bytes) {
  return ioctl(fd, BLKPBSZGET, bytes);
}
/// What a loop device is set up on: the inode of a file, or a block device, which has a number of its
/// own; and how much of it.
struct clinux_loop_backing {
  uint64_t device, inode, number;
  uint64_t offset, size_limit;
};
/// LOOP_GET_STATUS64. 0, or -1 with errno: also where it is no loop device, or on nothing.
static inline int clinux_loop_backing_of(int fd, struct clinux_loop_backing *backing) {
  struct loop_info64 info = {0};
  if (ioctl(fd, LOOP_GET_STATUS64, &info) != 0) return -1;
  backing->device = info.lo_device;
  backing->inode = info.lo_inode;
  backing->number = info.lo_rdevice;
  backing->offset = info.lo_offset;
  backing->size_limit = info.lo_sizelimit;
  return 0;
}
/// Consecutive bytes of a file that the file system has allocated; FIEMAP_EXTENT_ flags.
struct clinux_extent {
  uint64_t offset, count;
  uint32_t flags;
};
/// FS_IOC_FIEMAP for the first extent of a range. 1, or 0 if there is none, or -1 with errno.
static inline int clinux_next_extent(int fd, uint64_t offset, uint64_t count,
                                     struct clinux_extent *extent) {
  union {
    struct fiemap map;
    unsigned char room[sizeof(struct fiemap) + sizeof(struct fiemap_extent)];
  } request;
  memset(&request, 0, sizeof request);
  request.map.fm_start = offset;
  request.map.fm_length = count;
  request.map.fm_extent_count = 1;
  if (ioctl(fd, FS_IOC_FIEMAP, &request.map) != 0) return -1;
  if (request.map.fm_mapped_extents == 0) return 0;
  extent->offset = request.map.fm_extents[0].fe_logical;
  extent->count = request.map.fm_extents[0].fe_length;
  extent->flags = request.map.fm_extents[0].fe_flags;
  return 1;
}
/// Whether fallocate(2) gives a file extents that writes to it take no more space for: one of XFS, or
/// one of ext4 that is not mapped by blocks, as those that were ext3's.
static inline int clinux_is_preallocatable(int fd) {
  struct statfs system;
  int flags = 0;
  if (fstatfs(fd, &system) != 0) return 0;
  if (system.f_type == XFS_SUPER_MAGIC) return 1;
  return system.f_type == EXT4_SUPER_MAGIC && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_EXTENT_FL) != 0;
}
/// errno where Swift would otherwise have to trust that nothing ran in between.
static inline int clinux_errno(void) { return errno; }
/// open(2) with a mode; the C function is variadic, which Swift does not import.
static inline int clinux_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }
/// renameat2(2) with RENAME_EXCHANGE: two files change names in one step.
static inline int clinux_exchange(const char *path, const char *other) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, other, 1u << 1);
}
/// prctl(PR_SET_DUMPABLE, 0): no core file, so no secret in one.
static inline int clinux_refuse_core_dumps(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
/// Whether O_NONBLOCK is as wanted, after making it so; fcntl is variadic. 0, or -1 with errno.
static inline int clinux_set_nonblocking(int fd, int wanted) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -1;
  int changed = wanted ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  return changed == flags ? 0 : fcntl(fd, F_SETFL, changed);
}
/// preadv2(2) of one range.
static inline ssize_t clinux_read(int fd, void *bytes, size_t count, int64_t offset, int rw_flags) {
  struct iovec range = {.iov_base = bytes, .iov_len = count};
  return preadv2(fd, &range, 1, offset, rw_flags);
}
/// pwritev2(2) of one range.
static inline ssize_t clinux_write(int fd, const void *bytes, size_t count, int64_t offset,
                                   int rw_flags) {
  struct iovec range = {.iov_base = (void *)bytes, .iov_len = count};
  return pwritev2(fd, &range, 1, offset, rw_flags);
}
/// What stat(2) tells of a file, for modules where another one owns `struct stat`.
struct clinux_file_facts {
  uint64_t device, inode;
  /// Of the last modification.
  int64_t seconds, nanoseconds;
  uint32_t mode;
};
static inline struct clinux_file_facts clinux_file_facts_in(const struct stat *status) {
  return (struct clinux_file_facts){
      .device = status->st_dev,
      .inode = status->st_ino,
      .seconds = status->st_mtim.tv_sec,
      .nanoseconds = status->st_mtim.tv_nsec,
      .mode = status->st_mode,
  };
}
/// By lstat(2). 0, or an errno.
static inline int clinux_file_facts_of(const char *path, struct clinux_file_facts *facts) {
  struct stat status;
  if (lstat(path, &status) != 0) return errno;
  *facts = clinux_file_facts_in(&status);
  return 0;
}
/// By fstat(2). 0, or an errno.
static inline int clinux_open_file_facts(int fd, struct clinux_file_facts *facts) {
  struct stat status;
  if (fstat(fd, &status) != 0) return errno;
  *facts = clinux_file_facts_in(&status);
  return 0;
}
