// What only tests ask of the kernel: giving up system calls (seccomp(2)), connecting a socket, also as somebody else,
// and a process that is stopped.
#pragma once
#include <CLinux.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/// Makes each of the (at most 16) system calls fail with `error` from now on, in this thread and
/// the threads and processes it starts. 0, or an errno.
static inline int clinux_refuse_calls(const int *calls, unsigned count, int error) {
  if (count > 16) return EINVAL;
  struct sock_filter filter[19];
  memset(filter, 0, sizeof filter);
  // Load the number; one compare per call jumps to the last instruction; allow; refuse.
  filter[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                           offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < count; i++) {
    filter[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i],
                                                 (uint8_t)(count - i), 0);
  }
  filter[1 + count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[2 + count] = (struct sock_filter)BPF_STMT(
      BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((uint32_t)error & SECCOMP_RET_DATA));
  struct sock_fprog program = {.len = (unsigned short)(count + 3), .filter = filter};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

/// Whether a crash of this process may leave a core file.
static inline int clinux_may_dump_core(void) { return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0; }

/// connect(2) to an address that clinux_address_store made. 0, or -1 with errno.
static inline int clinux_connect(int fd, const struct sockaddr_storage *storage, socklen_t length) {
  return connect(fd, (const struct sockaddr *)storage, length);
}

/// Drops what comes to a TCP socket before TCP sees it, from now on: its end acknowledges nothing any
/// more. 0, or -1 with errno.
static inline int clinux_cut_off(int fd) {
  struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  struct sock_fprog program = {.len = 1, .filter = &drop};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

/// Connects a Unix socket, as another user and group unless `user` is UINT32_MAX. Only this thread
/// takes their place, and only until it is done: the system calls, unlike glibc's functions, are for
/// one thread. For root. 0, or an errno.
static inline int clinux_connect_unix(int fd, const char *path, uint32_t user, uint32_t group) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int is_other = user != UINT32_MAX;
  if (is_other && (syscall(SYS_setresgid, -1, group, -1) != 0 ||
                   syscall(SYS_setresuid, -1, user, -1) != 0)) {
    return errno;
  }
  int error = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
  // A thread that stays somebody else would fail the tests after this one.
  if (is_other && (syscall(SYS_setresuid, -1, 0, -1) != 0 ||
                   syscall(SYS_setresgid, -1, 0, -1) != 0)) {
    abort();
  }
  return error;
}

/// A child process that listens at `path` and is stopped; its number, or -1. Whoever made it kills
/// and reaps it.
static inline pid_t clinux_stopped_listener(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  const pid_t child = fork();
  if (child == 0) {
    // What other tests close has to be closed.
    syscall(SYS_close_range, 3u, ~0u, 0u);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) _exit(1);
    if (listen(listener, 16) != 0) _exit(1);
    raise(SIGSTOP);
    _exit(0);
  }
  int status = 0;
  if (child > 0 && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)) return child;
  return -1;
}

/// A child process that holds the lock of the file at `path` (flock(2)) and is stopped; its number,
/// or -1. Whoever made it kills and reaps it.
static inline pid_t clinux_stopped_lock_holder(const char *path) {
  const pid_t child = fork();
  if (child == 0) {
    // What other tests close has to be closed.
    syscall(SYS_close_range, 3u, ~0u, 0u);
    const int file = open(path, O_RDWR);
    if (file < 0 || flock(file, LOCK_EX | LOCK_NB) != 0) _exit(1);
    raise(SIGSTOP);
    _exit(0);
  }
  int status = 0;
  if (child > 0 && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)) return child;
  return -1;
}
