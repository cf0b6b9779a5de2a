/*
 * The reader of logs, and all that act on lines of them. Anybody who can write to a log may put anything into it. The first
 * two bytes of an input say where it is divided: a log is read in two parts as well, as it grows.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define take take_of_after
#include "../src/after.c"
#undef take
#define take take_of_turn
#include "../src/turn.c"
#undef take
#define take take_of_hook
#include "../src/hook.c"
#undef take

enum { LOG_OF_OTHER = 9, MOST_LINES_BYTES = 1 << 20 };

/* The seal of this in seeds and inputs. */
static const char secret[] = "83f0983fe2d61c9e0421a4bac86b0c30";

int LLVMFuzzerInitialize(int *count, char ***words) {
  (void)count;
  (void)words;
  put_file_at(LOG_FD);
  put_file_at(LOG_OF_OTHER);
  return 0;
}

/* What was handed over, line by line. */
struct lines {
  size_t length, count;
  char bytes[MOST_LINES_BYTES];
};

static void keep_line(const char *line, void *what) {
  struct lines *const lines = what;
  const size_t length = strlen(line) + 1;
  check(memchr(line, '\n', length) == NULL && length <= 4096 + 1);
  check(lines->length + length <= sizeof lines->bytes);
  memcpy(lines->bytes + lines->length, line, length);
  lines->length += length;
  lines->count++;
}

static void read_whole(const uint8_t *data, size_t size, struct lines *lines) {
  struct position position = {0, false};
  lines->length = lines->count = 0;
  fill_file(LOG_OF_OTHER, data, size);
  check(record_read_from(LOG_OF_OTHER, &position, keep_line, lines));
  check(position.offset <= size);
  /* What is left is the beginning of a line that fits. */
  check(memchr(data + position.offset, '\n', size - position.offset) == NULL);
  check(position.inside || size - position.offset < 4096);
}

static void read_in_two(const uint8_t *data, size_t size, size_t first, struct lines *lines) {
  struct position position = {0, false};
  lines->length = lines->count = 0;
  fill_file(LOG_OF_OTHER, data, first);
  check(record_read_from(LOG_OF_OTHER, &position, keep_line, lines));
  check(position.offset <= first);
  fill_file(LOG_OF_OTHER, data, size);
  check(record_read_from(LOG_OF_OTHER, &position, keep_line, lines));
}

static bool shows(const uint8_t *data, size_t size, const char *text) {
  return memmem(data, size, text, strlen(text)) != NULL;
}

/* How the task ended that this one waits for. No end is made up: that it completed takes its shim's secrets. */
static void follow(const uint8_t *data, size_t size) {
  struct position position = {0, false};
  memset(&other, 0, sizeof other);
  (void)record_read_from(LOG_OF_OTHER, &position, take_of_after, NULL);
  check(other.pid >= 0);
  if (other.completes || other.has_exit) check(other.has_exit && shows(data, size, "\"proof\":"));
  if (other.has_exit) {
    char proof[SEAL_BYTES];
    seal_of(secret, proof);
    check(shows(data, size, proof));
  }
}

/* What a hook is told. */
static void tell_hook(void) {
  static const char *const causes[] = {"",         "kill",  "replaced", "timeout",   "output_limit",
                                       "shutdown", "stale", "bound",    "leftovers", "dependency_failed"};
  struct before before = {0};
  struct position position = {0, false};
  (void)record_read_from(LOG_OF_OTHER, &position, take_of_hook, &before);
  bool is_known = false;
  for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) is_known |= strcmp(before.cause, causes[i]) == 0;
  check(is_known);
}

/* A stop is answered by its id, in a fact. Nobody is signalled here: all signals were. */
static void obey(void) {
  struct position position = {0, false};
  shim.stopping = true;
  shim.signalled = UINT64_MAX;
  shim.grace_ends_at = never - 1;
  fill_file(LOG_FD, NULL, 0);
  check(lseek(LOG_FD, 0, SEEK_SET) == 0);
  (void)record_read_from(LOG_OF_OTHER, &position, take_line, NULL);
  check(strlen(shim.stop_id) < ID_BYTES);
  static char answers[MOST_LINES_BYTES];
  const ssize_t length = pread(LOG_FD, answers, sizeof answers, 0);
  check(length >= 0);
  for (ssize_t at = 0; at < length;) {
    const char *const end = memchr(answers + at, '\n', (size_t)(length - at));
    check(end != NULL);
    const size_t line = (size_t)(end - answers - at);
    check(line == 0 || is_json(answers + at, line));
    at += (ssize_t)line + 1;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct lines whole, parts;
  static struct request request;
  const size_t divided = (size_t)take_number(&data, &size, 2);
  if (size > MOST_LINES_BYTES / 2) return 0;
  shim.request = &request;
  end.is_told = true;
  memcpy(end.proof, secret, sizeof secret);
  char proof[SEAL_BYTES];
  seal_of(secret, proof);
  seal_of(proof, request.after_seal);
  read_in_two(data, size, size == 0 ? 0 : divided % (size + 1), &parts);
  read_whole(data, size, &whole);
  check(whole.count == parts.count && whole.length == parts.length);
  check(memcmp(whole.bytes, parts.bytes, whole.length) == 0);
  follow(data, size);
  tell_hook();
  obey();
  struct position position = {0, false};
  has_turn = may_not_run = false;
  (void)record_read_from(LOG_OF_OTHER, &position, take_of_turn, NULL);
  check(!has_turn || shows(data, size, "{\"fact\":\"turn\","));
  return 0;
}
