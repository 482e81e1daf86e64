// What cannot be in a header that Swift sees.
#include "CLinux.h"
#include <sys/prctl.h>
#include <sys/resource.h>

// RUSAGE_THREAD is a GNU constant, and its enumeration another one in Swift's Glibc module.
long clinux_thread_sleeps(void) {
  struct rusage usage;
  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

void clinux_thread_set_timer_slack(unsigned long nanoseconds) {
  prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0);
}
