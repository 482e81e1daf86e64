// What cannot be in a header that Swift sees.
#include "CLinux.h"
#include <sys/prctl.h>

void clinux_thread_set_timer_slack(unsigned long nanoseconds) {
  prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0);
}
