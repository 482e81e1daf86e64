// Counts the heap allocations of a thread. Linking it puts the functions of malloc(3) in front of
// glibc's own; they only count and pass on, and count nothing unless asked to.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H
#include <stdbool.h>
#include <stdint.h>

/// Whether allocations can be counted in this build. A sanitizer's allocator is in the way.
bool allocation_counter_works(void);

/// Counts the calling thread's allocations from now on, from zero.
void allocation_counter_start(void);

/// Stops counting on the calling thread; the allocations since `allocation_counter_start`.
uint64_t allocation_counter_stop(void);

enum { allocation_counter_origins_max = 16 };

/// Where one of the first allocations of the calling thread's last count was made, for a failure to
/// show: `depth` frames, innermost first, in memory to be freed; NULL if there was no such allocation.
char *_Nullable *_Nullable allocation_counter_origin(int number, int *_Nonnull depth);
#endif
