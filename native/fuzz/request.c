/*
 * The environment that a shim gets, and the request in it. The first byte of an input tells how the rest is read: 0: as
 * the environment, its entries apart by NUL; else as the words of a request, apart by the byte 0xff, which netstrings are
 * made of here: chance alone would hardly ever find a length that fits.
 */
#define main shim_main
#include "../src/main.c"
#undef main

#include "fuzz.h"

enum { MOST_ENTRIES = 64, MOST_BYTES = 64 * 1024 };

static char *entries[MOST_ENTRIES + 1];

int LLVMFuzzerInitialize(int *count, char ***words) {
  (void)count;
  (void)words;
  return 0;
}

static size_t add_netstring(char *to, const char *content, size_t length) {
  struct text text = {to, 0, length + 32, false};
  text_number(&text, length);
  text_add(&text, ":");
  memcpy(to + text.length, content, length);
  to[text.length + length] = ',';
  return text.length + length + 1;
}

/* The environment with a request of these words. */
static size_t with_request(const char *data, size_t size, char *to) {
  static char inner[2 * MOST_BYTES + 16 * MOST_BYTES];
  size_t length = 0;
  for (size_t from = 0; from < size;) {
    const char *const end = memchr(data + from, '\xff', size - from);
    const size_t word = end == NULL ? size - from : (size_t)(end - data) - from;
    length += add_netstring(inner + length, data + from, word);
    from += word + 1;
  }
  static const char first[] = "OUTLIVE_TASK=bgb-0123abcd0123.83f0983fe2d61c9e", name[] = "OUTLIVE_REQUEST=";
  memcpy(to, first, sizeof first);
  memcpy(to + sizeof first, name, sizeof name - 1);
  const size_t head = sizeof first + sizeof name - 1;
  return head + add_netstring(to + head, inner, length);
}

/* As the kernel puts them: one after the other, each with a NUL. */
static char *environment_of(const char *data, size_t size) {
  char *const bytes = malloc(size + 1);
  check(bytes != NULL);
  memcpy(bytes, data, size);
  bytes[size] = '\0';
  size_t count = 0;
  for (size_t at = 0; at < size && count < MOST_ENTRIES; at += strlen(bytes + at) + 1) entries[count++] = bytes + at;
  entries[count] = NULL;
  return bytes;
}

static const char *within;
static size_t within_length;

/* A text of the request stands in it, whole. */
static void check_text(const char *text) {
  check(text == NULL || (text >= within && text + strlen(text) < within + within_length + 1));
}

static void check_request(const struct request *request) {
  check(request->word_count > 0 && request->word_count <= MAX_WORDS && request->from_file < MAX_WORDS);
  for (size_t i = 0; i < request->word_count; i++) check_text(request->words[i]);
  check(request->words[request->word_count] == NULL);
  check_text(request->out);
  check_text(request->err);
  check_text(request->slots);
  check_text(request->queue_file);
  check_text(request->after_log);
  check(strlen(request->task) < NAME_BYTES && strlen(request->cookie) < COOKIE_BYTES);
  check(strlen(request->exit_proof) < PROOF_BYTES && strlen(request->gone_proof) < PROOF_BYTES);
  check(strlen(request->hook) < HOOK_BYTES && strlen(request->pipes) < PATH_BYTES && strlen(request->cgroup) < PATH_BYTES);
  check(request->leftovers <= WAIT && request->bound_pid >= 0 && request->nicer >= -40 && request->nicer <= 40);
  check(request->order <= MOST_ORDER && request->limit <= MOST_LIMIT && request->timeout_ms <= INT64_MAX / 4);
}

/* Nothing of the environment stays but the cookie. */
static void check_wiped(const struct request *request, const char *bytes, size_t size) {
  const size_t length = strlen(request->cookie) + sizeof cookie_name - 1;
  const bool is_kept = strncmp(bytes, cookie_name, sizeof cookie_name - 1) == 0;
  check(!is_kept || strcmp(bytes + sizeof cookie_name - 1, request->cookie) == 0);
  for (size_t i = is_kept ? length : 0; i < size; i++) check(bytes[i] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char text[20 * MOST_BYTES];
  static struct request request;
  if (size < 1 || size > MOST_BYTES) return 0;
  const char *from = (const char *)data + 1;
  size_t length = size - 1;
  if (data[0] != 0) {
    length = with_request(from, length, text);
    from = text;
  }
  char *const bytes = environment_of(from, length);
  char **const own = environ;
  environ = entries;
  memset(&request, 0, sizeof request);
  block = NULL;
  block_length = 0;
  request_text = take_request();
  if (request_text != NULL) {
    request_length = strlen(request_text);
    within = request_text;
    within_length = request_length;
    if (request_parse(request_text, request_length, &request)) {
      check_request(&request);
      /* Both, as of a task with a hook. */
      wipe(request.cookie, false);
      wipe(request.cookie, true);
      check(block == bytes && block_length <= length + 1);
      check_wiped(&request, bytes, block_length);
    }
  }
  environ = own;
  free(bytes);
  return 0;
}
