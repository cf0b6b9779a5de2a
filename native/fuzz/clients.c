/*
 * The frames that clients send. Anybody of the same user may send anything. The first two bytes of an input say where the
 * stream is divided: what is taken in two parts gives the same as what is taken byte by byte.
 */
#include "../src/clients.c"

#include "fuzz.h"

/* What the command would read, in place of input.c. */
static unsigned char typed[1 << 17];
static size_t typed_length, ends_seen;
static bool is_open_now;

bool input_is_open(void) { return is_open_now; }
size_t input_room(void) { return 65536; }
size_t input_waiting(void) { return 0; }
bool input_end(void) {
  ends_seen++;
  is_open_now = false;
  return true;
}
size_t input_send(const char *bytes, size_t length) {
  check(is_open_now && length > 0 && typed_length + length <= sizeof typed);
  memcpy(typed + typed_length, bytes, length);
  typed_length += length;
  return length;
}
bool input_open(const struct request *request) { return request != NULL; }
bool input_hand_over(void) { return true; }
bool input_take(struct request *request) { return request != NULL; }
bool input_take_nothing(void) { return true; }
void input_start(void) {}
void input_tend(void) {}

int LLVMFuzzerInitialize(int *count, char ***words) {
  (void)count;
  (void)words;
  put_file_at(LOG_FD);
  put_file_at(OUTPUT_FD);
  return 0;
}

struct outcome {
  unsigned char typed[sizeof typed];
  size_t length, ends;
  bool is_well, is_there;
};

static void drain(int peer) {
  unsigned char bytes[4096];
  while (recv(peer, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
}

/* `first`: so much comes at once at first; 0: each byte by itself. */
static void play(const uint8_t *data, size_t size, size_t first, struct outcome *outcome) {
  int ends[2];
  check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  typed_length = ends_seen = 0;
  is_open_now = true;
  answered_until = 0;
  facts = 0;
  clients[0] = (struct client){.waker = {.fd = ends[0], .reads = true}};
  for (size_t i = 1; i < MOST_CLIENTS; i++) clients[i].waker.fd = -1;
  bool is_well = true;
  for (size_t at = 0; at < size && is_well && clients[0].waker.fd >= 0;) {
    size_t here = first == 0 ? 1 : at < first ? first - at : size - at;
    if (here > READ_AT_ONCE) here = READ_AT_ONCE;
    is_well = take(&clients[0], data + at, here);
    check(clients[0].head_length <= sizeof clients[0].head && clients[0].left <= MOST_FRAME);
    at += here;
    drain(ends[1]);
  }
  outcome->is_well = is_well;
  outcome->is_there = clients[0].waker.fd >= 0;
  outcome->length = typed_length;
  outcome->ends = ends_seen;
  memcpy(outcome->typed, typed, typed_length);
  if (clients[0].waker.fd >= 0) leave(&clients[0]);
  (void)close(ends[1]);
  fill_file(LOG_FD, data, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct request request = {.input = INPUT_OPEN};
  static struct outcome in_two, bytewise;
  shim.request = &request;
  const size_t first = (size_t)take_number(&data, &size, 2);
  play(data, size, first < 1 ? 1 : first < size ? first : size, &in_two);
  play(data, size, 0, &bytewise);
  check(in_two.is_well == bytewise.is_well && in_two.ends == bytewise.ends);
  check(in_two.length == bytewise.length && memcmp(in_two.typed, bytewise.typed, in_two.length) == 0);
  return 0;
}
