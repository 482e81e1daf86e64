#include "CEditLine.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <editline/readline.h>

static ceditline_generator generate;
static int word_start;

static char *next_candidate(const char *text, int state) {
  static int index;
  static char *line;
  (void)text;
  if (state == 0) {
    index = 0;
    free(line);
    line = strndup(rl_line_buffer, (size_t)rl_point);
  }
  return line ? generate(line, word_start, index++) : NULL;
}

static char **complete(const char *text, int start, int end) {
  (void)end;
  // What nobody knows must not become a file of the current directory.
  rl_attempted_completion_over = 1;
  // Candidates bring their own blank or slash.
  rl_completion_append_character = '\0';
  word_start = start;
  return rl_completion_matches(text, next_candidate);
}

void ceditline_start(const char *name, ceditline_generator generator) {
  generate = generator;
  rl_readline_name = (char *)name;
  rl_attempted_completion_function = complete;
  rl_completer_word_break_characters = " \t";
  rl_basic_word_break_characters = " \t";
  rl_initialize();
  using_history();
}

char *ceditline_read(const char *prompt) {
  char *line = readline(prompt);
  if (line == NULL || strstr(line, "password=") != NULL) return line;
  for (const char *c = line; *c != '\0'; c++) {
    if (!isspace((unsigned char)*c)) {
      add_history(line);
      break;
    }
  }
  return line;
}

int ceditline_read_history(const char *path) { return read_history(path); }

int ceditline_write_history(const char *path, int lines_max) {
  stifle_history(lines_max);
  return write_history(path);
}
