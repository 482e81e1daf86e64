// Threads: how exactly they wake.
#pragma once
#include <pthread.h>
#include <semaphore.h>

/// How much later than asked the kernel may wake the calling thread, in nanoseconds.
void clinux_thread_set_timer_slack(unsigned long nanoseconds);
