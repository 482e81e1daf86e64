// A page whose first use hangs, by a fault that nobody answers (userfaultfd(2)).
#pragma once
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct clinux_hanging_page {
  int fd;
  void *bytes;
};

/// Lets go who hangs, and closes it; the page then holds zeros.
static inline void clinux_hanging_page_end(struct clinux_hanging_page page) {
  struct uffdio_zeropage zeros = {.range = {.start = (uintptr_t)page.bytes, .len = 4096}};
  ioctl(page.fd, UFFDIO_ZEROPAGE, &zeros);
  close(page.fd);
}

/// False: not allowed here. For root.
static inline int clinux_hanging_page_make(struct clinux_hanging_page *page) {
  page->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  if (page->fd < 0) return 0;
  page->bytes = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct uffdio_api api = {.api = UFFD_API};
  struct uffdio_register range = {.range = {.start = (uintptr_t)page->bytes, .len = 4096},
                                  .mode = UFFDIO_REGISTER_MODE_MISSING};
  if (page->bytes != MAP_FAILED && ioctl(page->fd, UFFDIO_API, &api) == 0 &&
      ioctl(page->fd, UFFDIO_REGISTER, &range) == 0) {
    return 1;
  }
  close(page->fd);
  return 0;
}

/// Whether somebody hangs on it, after ten seconds at most.
static inline int clinux_hanging_page_is_used(struct clinux_hanging_page page) {
  struct pollfd event = {.fd = page.fd, .events = POLLIN};
  return poll(&event, 1, 10000) == 1;
}
