// slowfs: a file system of one file whose writes land late, as on a disk behind a slow controller: the
// medium for proofs of what happens to writes whose process has been killed.
//
//   cc -O2 -o slowfs slowfs.c $(pkg-config --cflags --libs fuse3)
//   slowfs BACKING FIRST-LAST MOUNTPOINT [FUSE-OPTION...]
//
// MOUNTPOINT/disk has the bytes of BACKING. A write sleeps FIRST to LAST milliseconds, by chance, before
// it changes anything. MOUNTPOINT/status says "BEGUN LANDED": writes that have come, and that have landed.
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int backing;
static unsigned first, last;
static atomic_ulong begun, landed, turn;

static int is(const char *path, const char *name) { return strcmp(path, name) == 0; }

static int status_text(char *text, size_t size) {
  // What has landed is read first: it never seems to be more than what has begun.
  unsigned long ended = landed;
  return snprintf(text, size, "%lu %lu\n", (unsigned long)begun, ended);
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *file) {
  (void)file;
  memset(st, 0, sizeof *st);
  if (is(path, "/")) {
    st->st_mode = S_IFDIR | 0755;
    st->st_nlink = 2;
    return 0;
  }
  if (is(path, "/status")) {
    st->st_mode = S_IFREG | 0444;
    st->st_nlink = 1;
    st->st_size = 64;
    return 0;
  }
  if (!is(path, "/disk")) return -ENOENT;
  if (fstat(backing, st) < 0) return -errno;
  st->st_mode = S_IFREG | 0600;
  return 0;
}

static int read_directory(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                          struct fuse_file_info *file, enum fuse_readdir_flags flags) {
  (void)offset; (void)file; (void)flags;
  if (!is(path, "/")) return -ENOTDIR;
  fill(buffer, "disk", NULL, 0, 0);
  fill(buffer, "status", NULL, 0, 0);
  return 0;
}

static int open_file(const char *path, struct fuse_file_info *file) {
  if (is(path, "/status")) {
    file->direct_io = 1;
    return 0;
  }
  return is(path, "/disk") ? 0 : -ENOENT;
}

static int read_file(const char *path, char *buffer, size_t size, off_t offset,
                     struct fuse_file_info *file) {
  (void)file;
  if (is(path, "/status")) {
    char text[64];
    int length = status_text(text, sizeof text);
    if (offset >= length) return 0;
    size_t count = (size_t)(length - offset) < size ? (size_t)(length - offset) : size;
    memcpy(buffer, text + offset, count);
    return (int)count;
  }
  ssize_t count = pread(backing, buffer, size, offset);
  return count < 0 ? -errno : (int)count;
}

static int write_file(const char *path, const char *buffer, size_t size, off_t offset,
                      struct fuse_file_info *file) {
  (void)path; (void)file;
  begun++;
  unsigned long number = (turn++ * 2654435761u) >> 8;
  unsigned delay = first + (unsigned)(number % (last - first + 1));
  struct timespec rest = {delay / 1000, (long)(delay % 1000) * 1000000};
  while (nanosleep(&rest, &rest) < 0 && errno == EINTR) {}
  ssize_t count = pwrite(backing, buffer, size, offset);
  int error = errno;
  landed++;
  return count < 0 ? -error : (int)count;
}

static int truncate_file(const char *path, off_t size, struct fuse_file_info *file) {
  (void)path; (void)file;
  return ftruncate(backing, size) < 0 ? -errno : 0;
}

static int synchronize(const char *path, int data_only, struct fuse_file_info *file) {
  (void)path; (void)data_only; (void)file;
  return fdatasync(backing) < 0 ? -errno : 0;
}

static const struct fuse_operations operations = {
    .getattr = get_attributes, .readdir = read_directory, .open = open_file, .read = read_file,
    .write = write_file, .truncate = truncate_file, .fsync = synchronize,
};

int main(int argc, char **argv) {
  if (argc < 4 || sscanf(argv[2], "%u-%u", &first, &last) != 2 || first > last) {
    fprintf(stderr, "usage: slowfs BACKING FIRST-LAST MOUNTPOINT [FUSE-OPTION...]\n");
    return 2;
  }
  backing = open(argv[1], O_RDWR | O_CLOEXEC);
  if (backing < 0) {
    perror(argv[1]);
    return 1;
  }
  argv[2] = argv[0];
  return fuse_main(argc - 2, argv + 2, &operations, NULL);
}
