#pragma once

// Calls of Linux that Swift cannot make, for programs of the command line. It is apart from CLinux so
// that these need none of the libraries of the data plane.

/// The height of the terminal, or 0 where `fd` is none.
int cconsole_terminal_rows(int fd);

/// Its width, likewise.
int cconsole_terminal_columns(int fd);

/// 0 where the kernel gives this process a ring of io_uring(7), else errno.
int cconsole_uring_refusal(void);

/// 1 where the kernel holds its clock for synchronised (adjtimex(2)), 0 where not, -1 where it does
/// not say.
int cconsole_clock_is_synchronized(void);
