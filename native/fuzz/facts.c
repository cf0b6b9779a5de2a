/*
 * What the shim writes: texts, and facts made of numbers and of what processes say of themselves. Each fact is one line of
 * JSON, whatever goes in; and what was written under a key is found under it.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/pipes.c"

/* A folder of this run, which pipes_tell empties and removes. mkdtemp puts a name in place of the six letters. */
static char folder[64] = "/tmp/outlive-fuzz-XXXXXX";

int LLVMFuzzerInitialize(int *count, char ***words) {
  (void)count;
  (void)words;
  put_file_at(LOG_FD);
  check(mkdtemp(folder) != NULL);
  check(rmdir(folder) == 0);
  return 0;
}

/* The room is what the input says: a text that does not fit says so, and writes nothing beyond. */
static void write_string(const uint8_t *data, size_t size, size_t room, size_t most) {
  char *const bytes = malloc(room + 1);
  char *const from = malloc(size + 1);
  check(bytes != NULL && from != NULL);
  if (size > 0) memcpy(from, data, size);
  struct text text = {bytes, 0, room, false};
  text_string(&text, from, size, most);
  check(text.length <= room);
  check(text.overflow || is_json(bytes, text.length));
  check(!text.overflow || room < 6 * size + 2);
  free(bytes);
  free(from);
}

/* A fact with a hostile text in front: the number behind it is found, and no other one is. */
static void find_value(const uint8_t *data, size_t size, uint64_t number) {
  const size_t room = 6 * size + 256;
  char *const line = malloc(room);
  check(line != NULL);
  struct text text = {line, 0, room - 1, false};
  text_add(&text, "{\"fact\":\"stop\",\"by\":");
  text_string(&text, (const char *)data, size, SIZE_MAX);
  text_add(&text, ",\"graceMs\":");
  text_number(&text, number);
  text_add(&text, "}");
  line[text.length] = '\0';
  check(!text.overflow && is_json(line, text.length));
  const uint64_t found = text_integer(line, "graceMs", 7);
  /* Of what is longer than anybody waits the first digits count. */
  check(number >= INT64_MAX / 20 ? found >= INT64_MAX / 200 : found == number);
  check(text_value(line, "absent") == NULL);
  free(line);
}

static void check_log(void) {
  static char log[256 * 1024];
  const ssize_t length = pread(LOG_FD, log, sizeof log, 0);
  check(length > 2 && length < (ssize_t)sizeof log && log[0] == '\n' && log[length - 1] == '\n');
  check(is_json(log + 1, (size_t)length - 2));
}

static void begin_log(void) {
  fill_file(LOG_FD, NULL, 0);
  check(lseek(LOG_FD, 0, SEEK_SET) == 0);
}

/* Names in the folder of a pipeline: of the shell, or of whoever else writes there. */
static void make_names(const uint8_t *data, size_t size) {
  check(mkdir(folder, S_IRWXU) == 0);
  const int at = open(folder, O_RDONLY | O_DIRECTORY);
  check(at >= 0);
  while (size > 0) {
    char name[256] = {0};
    const uint8_t *const end = memchr(data, '\n', size);
    const size_t length = end == NULL ? size : (size_t)(end - data);
    memcpy(name, data, length < sizeof name ? length : sizeof name - 1);
    const int file = name[0] == '\0' || strchr(name, '/') != NULL ? -1 : openat(at, name, O_CREAT | O_WRONLY, S_IRWXU);
    if (file >= 0) (void)close(file);
    data += end == NULL ? length : length + 1;
    size -= end == NULL ? length : length + 1;
  }
  (void)close(at);
}

static void write_exit(const uint8_t *data, size_t size) {
  static struct request request;
  memset(&request, 0, sizeof request);
  memset(request.exit_proof, 'a', PROOF_BYTES - 1);
  memcpy(request.task, "bgb-0123abcd0123", 17);
  struct ending ending = {0};
  const int refusal = (int)(take_number(&data, &size, 1));
  request.pumped = (refusal & 1) != 0;
  ending.status = (int)take_number(&data, &size, 2);
  ending.refusal = (refusal & 2) != 0 ? &refusal : NULL;
  ending.left = (refusal & 4) != 0 ? -1 : (int)(take_number(&data, &size, 4) & 0x7fffffff);
  ending.pending = (refusal & 8) != 0;
  ending.usage.ru_utime.tv_sec = (time_t)take_number(&data, &size, 5);
  ending.usage.ru_maxrss = (long)take_number(&data, &size, 5);
  ending.bytes = take_number(&data, &size, 8);
  ending.dropped = take_number(&data, &size, 8);
  ending.at = (struct moment){take_number(&data, &size, 8), take_number(&data, &size, 8)};
  if ((refusal & 16) != 0) {
    memcpy(request.pipes, folder, sizeof folder);
    make_names(data, size);
  }
  begin_log();
  record_exit(&request, &ending);
  check_log();
  check(request.exit_proof[0] == '\0' && access(folder, F_OK) != 0);
}

static void write_others(const uint8_t *data, size_t size) {
  const uint64_t number = take_number(&data, &size, 8);
  begin_log();
  record_erased("stderr", number);
  check_log();
  begin_log();
  record_own_stop("dependency_failed", number);
  check_log();
  begin_log();
  record_hook_ended((int)(number & 0xffff), NULL);
  check_log();
  begin_log();
  record_hook_refused((int)(number & 0xfff));
  check_log();
  begin_log();
  record_waiting((pid_t)(number & 0x7fffffff), number, (number & 1) != 0);
  check_log();
  struct process processes[80];
  for (size_t i = 0; i < 80; i++) processes[i] = (struct process){.pid = getpid(), .start = number};
  const struct tree tree = {processes, (size_t)(number % 81), 0, (number & 128) != 0};
  begin_log();
  record_left(&tree, (number & 256) != 0 ? "83f0983fe2d61c9e0421a4bac86b0c30" : NULL, number);
  check_log();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 65536) return 0;
  const uint64_t kind = take_number(&data, &size, 1);
  switch (kind % 4) {
  case 0: {
    const size_t room = (size_t)take_number(&data, &size, 2), most = (size_t)take_number(&data, &size, 2);
    write_string(data, size, room, most);
    break;
  }
  case 1: {
    const uint64_t number = take_number(&data, &size, 8);
    find_value(data, size, number);
    break;
  }
  case 2: write_exit(data, size); break;
  default: write_others(data, size);
  }
  return 0;
}
