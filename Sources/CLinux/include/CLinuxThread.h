// Threads: how often they slept, how exactly they wake.
#pragma once
#include <pthread.h>
#include <semaphore.h>

/// How often the calling thread gave up the CPU of its own accord; being preempted does not count.
long clinux_thread_sleeps(void);

/// How much later than asked the kernel may wake the calling thread, in nanoseconds.
void clinux_thread_set_timer_slack(unsigned long nanoseconds);
