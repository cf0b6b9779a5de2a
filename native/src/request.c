/*
 * A request is one netstring, `LENGTH:CONTENT,`, that holds netstrings: words of the form `name=value`, one after
 * the other, in any order. Words of the command line are named `word` and keep their order. A field that is not
 * known makes a request that is not understood: the spawner and the shim are always of one version.
 */
#include "shim.h"

#include <limits.h>
#include <string.h>

/* Reads a number of digits only. False at the first thing that is none, and beyond `most`. */
static bool number(const char *text, size_t length, uint64_t most, uint64_t *value) {
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

/* Takes the netstring at *at; its content is [*begin, *begin + *length). False when it is not whole. */
static bool netstring(char *text, size_t size, size_t *at, char **begin, size_t *length) {
  size_t digits = 0;
  while (*at + digits < size && digits < 9 && text[*at + digits] != ':') digits++;
  uint64_t value = 0;
  if (*at + digits >= size || text[*at + digits] != ':') return false;
  if (!number(text + *at, digits, INT_MAX, &value)) return false;
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

/* Both go into facts without being escaped. */
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

static bool word(struct request *request, char *value, size_t length) {
  if (request->word_count >= MAX_WORDS || memchr(value, '\0', length) != NULL) return false;
  /* The comma behind it: the netstring has been read. */
  value[length] = '\0';
  request->words[request->word_count++] = value;
  return true;
}

static bool process_id(const char *value, size_t length, pid_t *to) {
  uint64_t found = 0;
  if (!number(value, length, INT_MAX, &found) || found < 2) return false;
  *to = (pid_t)found;
  return true;
}

static bool niceness(const char *value, size_t length, int *to) {
  const bool less = length > 0 && value[0] == '-';
  uint64_t found = 0;
  if (!number(value + (less ? 1 : 0), length - (less ? 1u : 0u), 40, &found)) return false;
  *to = less ? -(int)found : (int)found;
  return true;
}

static bool field(struct request *r, const char *name, size_t size, char *value, size_t length) {
  if (is(name, size, "word")) return word(r, value, length);
  if (is(name, size, "task")) return copy_plain(r->task, sizeof r->task, value, length);
  if (is(name, size, "cookie")) return copy_plain(r->cookie, sizeof r->cookie, value, length);
  if (is(name, size, "exitProof")) return copy_plain(r->exit_proof, sizeof r->exit_proof, value, length);
  if (is(name, size, "goneProof")) return copy_plain(r->gone_proof, sizeof r->gone_proof, value, length);
  if (is(name, size, "cgroup")) return copy(r->cgroup, sizeof r->cgroup, value, length);
  if (is(name, size, "logOffset")) return number(value, length, INT64_MAX, &r->log_offset);
  if (is(name, size, "timeoutMs")) return number(value, length, INT64_MAX / 4, &r->timeout_ms);
  if (is(name, size, "graceMs")) return number(value, length, INT64_MAX / 4, &r->grace_ms);
  if (is(name, size, "maxOutputBytes")) return number(value, length, INT64_MAX, &r->max_output);
  if (is(name, size, "separate")) return flag(value, length, &r->separate);
  if (is(name, size, "leftovers")) return policy(value, length, &r->leftovers);
  if (is(name, size, "boundPid")) return process_id(value, length, &r->bound_pid);
  if (is(name, size, "boundStart")) return number(value, length, INT64_MAX, &r->bound_start);
  if (is(name, size, "queued")) return flag(value, length, &r->queued);
  if (is(name, size, "bell")) return flag(value, length, &r->bell);
  if (is(name, size, "stays")) return flag(value, length, &r->stays);
  if (is(name, size, "memoryBytes")) return number(value, length, INT64_MAX, &r->memory_bytes);
  if (is(name, size, "cpuSeconds")) return number(value, length, INT_MAX, &r->cpu_seconds);
  if (is(name, size, "processes")) return number(value, length, INT_MAX, &r->processes);
  if (is(name, size, "nicer")) return niceness(value, length, &r->nicer);
  return false;
}

bool request_parse(char *text, size_t length, struct request *request) {
  memset(request, 0, sizeof *request);
  size_t at = 0;
  char *inner = NULL;
  size_t size = 0;
  if (!netstring(text, length, &at, &inner, &size) || at != length) return false;
  for (at = 0; at < size;) {
    char *begin = NULL;
    size_t bytes = 0;
    if (!netstring(inner, size, &at, &begin, &bytes)) return false;
    char *equals = memchr(begin, '=', bytes);
    if (equals == NULL) return false;
    const size_t name = (size_t)(equals - begin);
    if (!field(request, begin, name, equals + 1, bytes - name - 1)) return false;
  }
  return request->word_count > 0 && request->task[0] != '\0' && request->cookie[0] != '\0' &&
         request->exit_proof[0] != '\0' && request->gone_proof[0] != '\0';
}
