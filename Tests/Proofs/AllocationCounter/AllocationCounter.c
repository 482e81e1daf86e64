#include "AllocationCounter.h"

#include <errno.h>
#include <execinfo.h>
#include <stddef.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOCATOR_IS_TAKEN 1
#endif
#endif

// A test's stack below the reactor's loop says nothing.
enum { DEPTH_MAX = 24 };

static __thread bool counting;
static __thread uint64_t count;
static __thread struct {
  int depth;
  void *addresses[DEPTH_MAX];
} origins[allocation_counter_origins_max];

bool allocation_counter_works(void) {
#ifdef ALLOCATOR_IS_TAKEN
  return false;
#else
  return true;
#endif
}

void allocation_counter_start(void) {
  // The first call loads the unwinder, which allocates.
  void *address;
  (void)backtrace(&address, 1);
  memset(origins, 0, sizeof origins);
  count = 0;
  counting = true;
}

uint64_t allocation_counter_stop(void) {
  counting = false;
  return count;
}

char **allocation_counter_origin(int number, int *depth) {
  if (number < 0 || number >= allocation_counter_origins_max || !origins[number].depth) return NULL;
  *depth = origins[number].depth;
  return backtrace_symbols(origins[number].addresses, *depth);
}

#ifndef ALLOCATOR_IS_TAKEN
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t number, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void note(void) {
  if (!counting) return;
  // Not while the stack is being walked.
  counting = false;
  if (count < allocation_counter_origins_max)
    origins[count].depth = backtrace(origins[count].addresses, DEPTH_MAX);
  count++;
  counting = true;
}

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  note();
  return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  note();
  return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
  if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
  note();
  void *found = __libc_memalign(alignment, size);
  if (!found) return ENOMEM;
  *memory = found;
  return 0;
}
// free(3) is glibc's: the memory is.
#endif
