// What cannot be in a header that Swift sees.
#include "CLinux.h"
#include <sys/prctl.h>

void clinux_thread_set_timer_slack(unsigned long nanoseconds) {
  prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0);
}

int clinux_thread_follow(pthread_t thread, int cpu) {
  int now = sched_getcpu();
  if (now == cpu || now < 0 || now >= CPU_SETSIZE) return now;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(now, &set);
  pthread_setaffinity_np(thread, sizeof set, &set);
  return now;
}
