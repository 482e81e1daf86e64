// Threads: how exactly they wake.
#pragma once
#include <pthread.h>
#include <semaphore.h>

/// How much later than asked the kernel may wake the calling thread, in nanoseconds.
void clinux_thread_set_timer_slack(unsigned long nanoseconds);

/// Has `thread` run only on the caller's CPU, which was `cpu` when this was last asked: nothing to
/// do if it still is. The CPU it is now; negative if unknown.
int clinux_thread_follow(pthread_t thread, int cpu);
