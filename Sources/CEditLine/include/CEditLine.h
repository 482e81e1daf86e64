#pragma once

// Line editing, history and completion of libedit (editline(3)), for one interactive shell of the
// process. It is apart from CConsole so that only programs with a shell link that library.

/// What may stand instead of the last word of `line`, which ends at the cursor: candidate number `index`,
/// from malloc(3), or NULL behind the last one. Candidates are for the word from byte `start` on.
typedef char *(*ceditline_generator)(const char *line, int start, int index);

/// Once, before the first line.
void ceditline_start(const char *name, ceditline_generator generator);

/// A line without its end, from malloc(3); NULL at the end of the input. It is kept in the history unless
/// it is blank or holds a secret, `password=`.
char *ceditline_read(const char *prompt);

/// 0, or errno where the file could not be read or written.
int ceditline_read_history(const char *path);
int ceditline_write_history(const char *path, int lines_max);
