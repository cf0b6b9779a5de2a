#include "shim.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Facts that the disk has not taken yet, in order. There is room for all facts of one task. */
static char waiting[224 * 1024];
static size_t waiting_length;

bool record_now(const char *fact, size_t length) {
  ssize_t written;
  int interrupted = 0;
  do {
    written = write(LOG_FD, fact, length);
  } while (written < 0 && is_interrupted(&interrupted));
  /* A fact that was written in part is no fact: it is written again whole, and readers skip the torn one. */
  return written == (ssize_t)length;
}

void record(const char *fact, size_t length) {
  if (waiting_length == 0 && record_now(fact, length)) return;
  if (length > sizeof waiting - waiting_length) return;
  memcpy(waiting + waiting_length, fact, length);
  waiting_length += length;
}

void record_retry(void) {
  if (waiting_length > 0 && record_now(waiting, waiting_length)) waiting_length = 0;
}

bool record_is_complete(void) { return waiting_length == 0; }

bool record_is_removed(void) {
  struct stat log;
  return fstat(LOG_FD, &log) == 0 && log.st_nlink == 0;
}

void ring(const char *task, const char *fact, size_t length) {
  /* One write of less than PIPE_BUF arrives whole or not at all. */
  char line[512];
  struct text text = {line, 0, sizeof line, false};
  text_add(&text, task);
  text_add(&text, " ");
  if (length + 1 > text.room - text.length) return;
  memcpy(line + text.length, fact, length);
  line[text.length + length] = '\n';
  /* The pipe is full, or no process reads it. The log says the same. */
  const ssize_t ignored = write(BELL_FD, line, text.length + length + 1);
  (void)ignored;
}

bool record_read_from(int log_fd, struct position *position, void (*take)(const char *line, void *what), void *what) {
  enum { MOST = 4096 };
  static char buffer[MOST + 1];
  struct stat log;
  int interrupted = 0;
  if (fstat(log_fd, &log) != 0) return false;
  while (log.st_size > 0 && position->offset < (uint64_t)log.st_size) {
    const ssize_t got = pread(log_fd, buffer, MOST, (off_t)position->offset);
    if (got < 0 && is_interrupted(&interrupted)) continue;
    if (got < 0) return false;
    if (got == 0) return true;
    size_t begin = 0;
    for (size_t at = 0; at < (size_t)got; at++) {
      if (buffer[at] != '\n') continue;
      buffer[at] = '\0';
      if (!position->inside) take(buffer + begin, what);
      position->inside = false;
      begin = at + 1;
    }
    if (begin == 0) {
      /* The end of the line is still to come. But when the line fills the buffer, its beginning is enough. */
      if (got < MOST) return true;
      buffer[got] = '\0';
      if (!position->inside) take(buffer, what);
      position->inside = true;
      begin = (size_t)got;
    }
    position->offset += begin;
  }
  return true;
}

bool record_read(struct position *position, void (*take)(const char *line, void *what), void *what) {
  return record_read_from(LOG_FD, position, take, what);
}

static void look_for_end(const char *line, void *what) {
  static const char *const ends[] = {"{\"fact\":\"stop\",", "{\"fact\":\"outcome\","};
  for (size_t i = 0; i < 2; i++) {
    if (strncmp(line, ends[i], strlen(ends[i])) == 0) *(bool *)what = true;
  }
}

bool record_forbids(struct position position) {
  bool ends = false;
  /* A log that cannot be read may forbid the start. */
  return !record_read(&position, look_for_end, &ends) || ends || record_is_removed();
}
