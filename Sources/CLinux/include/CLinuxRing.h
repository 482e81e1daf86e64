// io_uring through liburing, whose header-only functions Swift calls directly.
#pragma once
// The kernel's own header, before liburing's copy of it, which then counts as included: Swift packages
// that see the former too would find two definitions of one type, and swiftc refuses that.
#include <linux/io_uring.h>

#include <liburing.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>

/// Prepares a write with RWF_ flags, for which liburing has no function.
static inline void clinux_ring_prepare_write(struct io_uring_sqe *entry, int fd, const void *bytes,
                                             unsigned count, uint64_t offset, int rw_flags) {
  io_uring_prep_write(entry, fd, bytes, count, offset);
  entry->rw_flags = rw_flags;
}

/// Allows a disabled ring these opcodes and nothing else: no other operation, no entry flag, no
/// registration. 0, or a negative errno.
static inline int clinux_ring_restrict(struct io_uring *ring, const uint8_t *opcodes,
                                       unsigned count) {
  struct io_uring_restriction allowed[64];
  if (count > 64) return -EINVAL;
  memset(allowed, 0, sizeof allowed);
  for (unsigned i = 0; i < count; i++) {
    allowed[i].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[i].sqe_op = opcodes[i];
  }
  return io_uring_register(ring->ring_fd, IORING_REGISTER_RESTRICTIONS, allowed, count);
}

/// Starts a ring that was made disabled; liburing 2.3 declares its own function for this (and the one
/// for restrictions) but does not export it. 0, or a negative errno.
static inline int clinux_ring_enable(struct io_uring *ring) {
  return io_uring_register(ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}
