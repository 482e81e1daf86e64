#include "CConsole.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <termios.h>
#include <unistd.h>

int cconsole_terminal_rows(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

int cconsole_terminal_columns(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int cconsole_uring_refusal(void) {
  struct io_uring_params parameters = {0};
  const long ring = syscall(SYS_io_uring_setup, 1, &parameters);
  if (ring < 0) return errno;
  close((int)ring);
  return 0;
}

int cconsole_clock_is_synchronized(void) {
  struct timex state = {0};
  const int answer = adjtimex(&state);
  if (answer < 0) return -1;
  return answer != TIME_ERROR;
}
