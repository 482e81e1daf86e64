// Threads, and how often they slept.
#pragma once
#include <pthread.h>
#include <semaphore.h>

/// How often the calling thread gave up the CPU of its own accord; being preempted does not count.
long clinux_thread_sleeps(void);
