// Kernel asynchronous I/O (libaio) and epoll, for machines where io_uring is forbidden.
#pragma once
#include <errno.h>
#include <libaio.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/// Prepares a read or a write (with RWF_ flags) that signals `eventfd` when it has ended.
static inline void clinux_aio_prepare(struct iocb *block, int fd, int is_write, void *bytes,
                                      size_t count, int64_t offset, int rw_flags, int eventfd,
                                      uintptr_t slot) {
  if (is_write) {
    io_prep_pwrite(block, fd, bytes, count, offset);
  } else {
    io_prep_pread(block, fd, bytes, count, offset);
  }
  block->aio_rw_flags = (unsigned)rw_flags;
  block->data = (void *)slot;
  io_set_eventfd(block, eventfd);
}

/// Watches a descriptor for every edge of both directions; `token` comes back with each event.
/// 0, or a negative errno.
static inline int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

/// The token of one event; Swift does not see through the union of a packed struct.
static inline uint64_t clinux_epoll_token(const struct epoll_event *event) {
  return event->data.u64;
}

static const uint32_t clinux_epoll_both_edges = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
static const uint32_t clinux_epoll_in_edges = EPOLLIN | EPOLLET;
