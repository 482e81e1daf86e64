// Lets user-mode Linux (Debian 12's, 6.1) run on processors whose vector registers are more than it knows.
//
// Linux takes a traced process's registers only as a whole (PTRACE_SETREGSET, NT_X86_XSTATE): 11 KB where the
// processor has AMX. User-mode Linux gives the 2.7 KB that it knows, is refused with EFAULT, and its first
// process dies. Preloaded, this asks for all, keeps what fits of it, and fills up with zeros what is missing:
// that is the initial state of the rest, which nothing in a node uses.
//
//   cc -shared -fPIC -O2 -o wide-registers.so wide-registers.c
//   LD_PRELOAD=wide-registers.so linux.uml ...
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char registers[1 << 16];  // linux.uml traces from one thread
static size_t all;               // their bytes on this processor

static long trace(long request, pid_t pid, void *address, void *data) {
  return syscall(SYS_ptrace, request, pid, address, data);
}

static long get(pid_t pid, void *kind, struct iovec *wanted) {
  struct iovec whole = {registers, sizeof registers};
  if (trace(PTRACE_GETREGSET, pid, kind, &whole) < 0) return -1;
  all = whole.iov_len;
  if (wanted->iov_len > all) wanted->iov_len = all;
  memcpy(wanted->iov_base, registers, wanted->iov_len);
  return 0;
}

static long set(pid_t pid, void *kind, const struct iovec *given) {
  struct iovec whole = {registers, given->iov_len > all ? given->iov_len : all};
  if (whole.iov_len > sizeof registers) whole.iov_len = sizeof registers;
  memset(registers, 0, whole.iov_len);
  memcpy(registers, given->iov_base, given->iov_len < whole.iov_len ? given->iov_len : whole.iov_len);
  return trace(PTRACE_SETREGSET, pid, kind, &whole);
}

long ptrace(enum __ptrace_request request, ...) {
  va_list arguments;
  va_start(arguments, request);
  pid_t pid = va_arg(arguments, pid_t);
  void *address = va_arg(arguments, void *), *data = va_arg(arguments, void *);
  va_end(arguments);
  if (request == PTRACE_GETREGSET && (long)address == NT_X86_XSTATE) return get(pid, address, data);
  if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE) return set(pid, address, data);
  if (request < PTRACE_PEEKTEXT || request > PTRACE_PEEKUSER) return trace(request, pid, address, data);
  long word;  // the system call stores what the function returns
  return trace(request, pid, address, &word) < 0 ? -1 : word;
}
