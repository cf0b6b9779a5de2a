/*
 * A request is one netstring, `LENGTH:CONTENT,`, that holds netstrings of the form `name=value`, in any order. The
 * words of the command line are named `word` and keep their order. `wordFile` names a file that holds one word;
 * `wordsFile` names a file that holds all the rest, each ending with a zero. A request with an unknown field is
 * invalid: the spawner and the shim always have the same version.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads a number that consists of digits only. False for any other character, and above `most`. */
bool request_number(const char *text, size_t length, uint64_t most, uint64_t *value) {
  *value = 0;
  if (length == 0 || length > 20) return false;
  for (size_t i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    const uint64_t digit = (uint64_t)(text[i] - '0');
    if (*value > (most - digit) / 10u) return false;
    *value = *value * 10u + digit;
  }
  return true;
}

/* Takes the netstring at *at; its content is [*begin, *begin + *length). False when it is incomplete. */
bool request_netstring(char *text, size_t size, size_t *at, char **begin, size_t *length) {
  size_t digits = 0;
  while (*at + digits < size && digits < 9 && text[*at + digits] != ':') digits++;
  uint64_t value = 0;
  if (*at + digits >= size || text[*at + digits] != ':') return false;
  if (!request_number(text + *at, digits, INT_MAX, &value)) return false;
  const size_t from = *at + digits + 1;
  if (value > size - from || size - from - value < 1 || text[from + value] != ',') return false;
  *begin = text + from;
  *length = (size_t)value;
  *at = from + (size_t)value + 1;
  return true;
}

static bool copy(char *to, size_t room, const char *value, size_t length) {
  if (length >= room || memchr(value, '\0', length) != NULL) return false;
  memcpy(to, value, length);
  to[length] = '\0';
  return true;
}

/* For text that goes into facts without escaping. */
static bool copy_plain(char *to, size_t room, const char *value, size_t length) {
  for (size_t i = 0; i < length; i++) {
    const char c = value[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.')) return false;
  }
  return copy(to, room, value, length);
}

static bool flag(const char *value, size_t length, bool *to) {
  *to = length == 1 && value[0] == '1';
  return length == 1 && (value[0] == '0' || value[0] == '1');
}

static bool is(const char *text, size_t length, const char *word) {
  return strlen(word) == length && memcmp(text, word, length) == 0;
}

static bool policy(const char *value, size_t length, enum leftovers *to) {
  static const char *const names[] = {"report", "kill", "wait"};
  for (size_t i = 0; i < 3; i++) {
    if (is(value, length, names[i])) {
      *to = (enum leftovers)i;
      return true;
    }
  }
  return false;
}

/* Keeps a pointer to a text in place. */
static bool keep(char *value, size_t length, const char **to) {
  if (memchr(value, '\0', length) != NULL) return false;
  /* In place of the comma after it: the netstring has been read. */
  value[length] = '\0';
  *to = value;
  return true;
}

static bool word(struct request *request, char *value, size_t length) {
  const char *ignored;
  if (request->word_count >= MAX_WORDS || request->many || !keep(value, length, &ignored)) return false;
  request->words[request->word_count++] = value;
  return true;
}

/* The first word is the program, and never in a file. */
static bool word_in_file(struct request *request, char *value, size_t length) {
  if (request->word_count == 0 || request->from_file != 0) return false;
  request->from_file = request->word_count;
  return length > 0 && word(request, value, length);
}

/* All words that follow, so no further one may come. */
static bool words_in_file(struct request *request, char *value, size_t length) {
  return word_in_file(request, value, length) && (request->many = true);
}

static bool input(const char *value, size_t length, enum input *to) {
  static const struct {
    const char *name;
    enum input input;
  } inputs[] = {{"none", INPUT_NONE}, {"data", INPUT_DATA}, {"handed", INPUT_HANDED}, {"open", INPUT_OPEN}};
  for (size_t i = 0; i < 4; i++) {
    if (!is(value, length, inputs[i].name)) continue;
    *to = inputs[i].input;
    return true;
  }
  return false;
}

static bool extent(const char *value, size_t length, uint64_t most, uint16_t *to) {
  uint64_t found = 0;
  if (!request_number(value, length, most, &found) || found < 1) return false;
  *to = (uint16_t)found;
  return true;
}

static bool error_file(struct request *request, char *value, size_t length) {
  request->separate = true;
  return length > 0 && keep(value, length, &request->err);
}

static bool process_id(const char *value, size_t length, pid_t *to) {
  uint64_t found = 0;
  /* The first process of a container may be the one to which tasks are bound. Nothing is ever sent to it. */
  if (!request_number(value, length, INT_MAX, &found) || found < 1) return false;
  *to = (pid_t)found;
  return true;
}

static bool niceness(const char *value, size_t length, int *to) {
  const bool less = length > 0 && value[0] == '-';
  uint64_t found = 0;
  if (!request_number(value + (less ? 1 : 0), length - (less ? 1u : 0u), 40, &found)) return false;
  *to = less ? -(int)found : (int)found;
  return true;
}

static bool field(struct request *r, const char *name, size_t size, char *value, size_t length) {
  if (is(name, size, "word")) return word(r, value, length);
  if (is(name, size, "wordFile")) return word_in_file(r, value, length);
  if (is(name, size, "wordsFile")) return words_in_file(r, value, length);
  if (is(name, size, "task")) return copy_plain(r->task, sizeof r->task, value, length);
  if (is(name, size, "cookie")) return copy_plain(r->cookie, sizeof r->cookie, value, length);
  if (is(name, size, "exitProof")) return copy_plain(r->exit_proof, sizeof r->exit_proof, value, length);
  if (is(name, size, "goneProof")) return copy_plain(r->gone_proof, sizeof r->gone_proof, value, length);
  if (is(name, size, "cgroup")) return copy(r->cgroup, sizeof r->cgroup, value, length);
  if (is(name, size, "bashPipes")) return length > 0 && copy(r->pipes, sizeof r->pipes, value, length);
  if (is(name, size, "zshPipes")) return r->zsh = length > 0 && copy(r->pipes, sizeof r->pipes, value, length);
  if (is(name, size, "hook")) return length > 0 && copy(r->hook, sizeof r->hook, value, length);
  if (is(name, size, "hookMs")) return request_number(value, length, INT64_MAX / 4, &r->hook_ms);
  if (is(name, size, "hookOutput")) return copy(r->hook_output, sizeof r->hook_output, value, length);
  if (is(name, size, "hookFolder")) return copy(r->hook_folder, sizeof r->hook_folder, value, length);
  if (is(name, size, "logOffset")) return request_number(value, length, INT64_MAX, &r->log_offset);
  if (is(name, size, "timeoutMs")) return request_number(value, length, INT64_MAX / 4, &r->timeout_ms);
  if (is(name, size, "graceMs")) return request_number(value, length, INT64_MAX / 4, &r->grace_ms);
  if (is(name, size, "maxOutputBytes")) return request_number(value, length, INT64_MAX, &r->max_output);
  if (is(name, size, "out")) return length > 0 && keep(value, length, &r->out);
  if (is(name, size, "err")) return error_file(r, value, length);
  if (is(name, size, "input")) return input(value, length, &r->input);
  if (is(name, size, "dataBytes")) return request_number(value, length, INT64_MAX, &r->data_bytes);
  if (is(name, size, "piped")) return flag(value, length, &r->piped);
  if (is(name, size, "columns")) return extent(value, length, MOST_COLUMNS, &r->window.columns);
  if (is(name, size, "rows")) return extent(value, length, MOST_ROWS, &r->window.rows);
  if (is(name, size, "socket")) return length > 0 && keep(value, length, &r->socket);
  if (is(name, size, "pumped")) return flag(value, length, &r->pumped);
  if (is(name, size, "slots")) return length > 0 && keep(value, length, &r->slots);
  if (is(name, size, "leftovers")) return policy(value, length, &r->leftovers);
  if (is(name, size, "boundPid")) return process_id(value, length, &r->bound_pid);
  if (is(name, size, "boundStart")) return request_number(value, length, INT64_MAX, &r->bound_start);
  if (is(name, size, "queueFile")) return length > 0 && keep(value, length, &r->queue_file);
  if (is(name, size, "order")) return request_number(value, length, MOST_ORDER, &r->order);
  if (is(name, size, "limit")) return request_number(value, length, MOST_LIMIT, &r->limit);
  if (is(name, size, "after")) return copy_plain(r->after, sizeof r->after, value, length);
  if (is(name, size, "afterLog")) return length > 0 && keep(value, length, &r->after_log);
  if (is(name, size, "afterSeal")) return copy_plain(r->after_seal, sizeof r->after_seal, value, length);
  if (is(name, size, "queued")) return flag(value, length, &r->queued);
  if (is(name, size, "bell")) return flag(value, length, &r->bell);
  if (is(name, size, "stays")) return flag(value, length, &r->stays);
  if (is(name, size, "memoryBytes")) return request_number(value, length, INT64_MAX, &r->memory_bytes);
  if (is(name, size, "cpuSeconds")) return request_number(value, length, INT_MAX, &r->cpu_seconds);
  if (is(name, size, "processes")) return request_number(value, length, INT_MAX, &r->processes);
  if (is(name, size, "nicer")) return niceness(value, length, &r->nicer);
  return false;
}

bool request_parse(char *text, size_t length, struct request *request) {
  size_t at = 0;
  char *inner = NULL;
  size_t size = 0;
  if (!request_netstring(text, length, &at, &inner, &size) || at != length) return false;
  for (at = 0; at < size;) {
    char *begin = NULL;
    size_t bytes = 0;
    if (!request_netstring(inner, size, &at, &begin, &bytes)) return false;
    char *equals = memchr(begin, '=', bytes);
    if (equals == NULL) return false;
    const size_t name = (size_t)(equals - begin);
    if (!field(request, begin, name, equals + 1, bytes - name - 1)) return false;
  }
  const bool hooks = request->hook[0] == '\0' || (request->hook_output[0] != '\0' && request->hook_ms > 0);
  const bool follows = request->after[0] == '\0' || request->after_log != NULL;
  return hooks && follows && request->word_count > 0 && request->task[0] != '\0' && request->cookie[0] != '\0' &&
         request->out != NULL && request->exit_proof[0] != '\0' && request->gone_proof[0] != '\0';
}

/* Reads a whole file into `to`, which has a byte more than the longest content. -1, with errno, when that fails. */
static ssize_t read_whole(const char *path, char *to, size_t room) {
  const int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return -1;
  struct stat found;
  size_t length = 0;
  ssize_t got = 0;
  int interrupted = 0;
  while (length < room) {
    got = read(file, to + length, room - length);
    if (got > 0) length += (size_t)got;
    else if (got == 0 || !is_interrupted(&interrupted)) break;
  }
  int error = got < 0 ? errno : length == room ? E2BIG : 0;
  /* Anything but a regular file would look like an empty command. */
  if (error == 0 && (fstat(file, &found) != 0 || !S_ISREG(found.st_mode))) error = EINVAL;
  (void)close(file);
  errno = error;
  return error == 0 ? (ssize_t)length : -1;
}

/* The words of the request, and then those of the file. NULL, with errno, when the file is incomplete. */
static char **all_words(const struct request *request, char *content, size_t length) {
  static char *words[MAX_WORDS + MOST_WORDS + 1];
  size_t count = request->from_file;
  memcpy(words, request->words, count * sizeof *words);
  errno = EINVAL;
  if (length > 0 && content[length - 1] != '\0') return NULL;
  for (size_t at = 0; at < length; at += strlen(content + at) + 1) {
    if (count >= MAX_WORDS + MOST_WORDS) return NULL;
    words[count++] = content + at;
  }
  words[count] = NULL;
  return words;
}

char **request_command(struct request *request) {
  static char content[WORDS_BYTES + 1];
  if (request->from_file == 0) return request->words;
  const size_t room = request->many ? sizeof content : WORD_BYTES;
  const ssize_t length = read_whole(request->words[request->from_file], content, room);
  if (length < 0) return NULL;
  if (request->many) return all_words(request, content, (size_t)length);
  /* A word ends with a zero. */
  errno = EINVAL;
  if (strlen(content) != (size_t)length) return NULL;
  request->words[request->from_file] = content;
  return request->words;
}
