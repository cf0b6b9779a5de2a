/*
 * The clients of a task's socket (socket.c). They type into the task, see what its terminal shows, and set its size.
 *
 * A frame has a type of one byte, a length of four bytes, and that many bytes of content. All numbers are
 * little-endian. Clients send:
 *
 *   i  input: bytes to type
 *   q  an answer of a terminal: the offset after the question (8), then bytes. Only the first answer to a question is
 *      typed
 *   e  ends the input
 *   r  a size: columns (2), rows (2)
 *   a  asks for output from here on, and for the end; 1: the client will not type (1)
 *   ?  asks for the state
 *
 * Clients get, each from the struct or function below:
 *
 *   h  the state, at first and as the answer to `?` and `a`: version (1), flags (1), columns (2), rows (2), offset of
 *      the output (8), bytes that wait to be read (4), the group in the foreground (4), clients that watch (1)
 *   k  the answer to `i`, `q`, `e` and `r`, in their order: a value of enum answer (1)
 *   o  output: its offset (8), bytes. What an offset skips is in the file
 *   u  output that is in no file
 *   z  a new size, from an offset on: offset (8), columns (2), rows (2)
 *   x  the end: offset of the output (8)
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  VERSION = 1,
  MOST_CLIENTS = 8,
  MOST_FRAME = 65536,
  HEADER = 5,
  /* How much of a frame is kept: enough for every frame but those with input. */
  SHORT_FRAME = 8,
  READ_AT_ONCE = 4096,
  /* The longest frame of output. */
  OUTPUT_AT_ONCE = 16384,
  /* How often a client that attaches or detaches is recorded. */
  MOST_FACTS = 200,
  ACCEPT_PAUSE_MS = 100,
};

enum answer { TAKEN = 0, CLOSED = 1, NO_TERMINAL = 2, BAD_SIZE = 3 };

enum { IS_TERMINAL = 1, IS_CANONICAL = 2, ECHOES = 4, IS_OPEN = 8 };

struct client {
  struct waker waker; /* -1: the place is free. */
  pid_t pid;
  uint64_t heard_at;
  bool watches, is_told; /* It gets output; a fact says that it watches. */
  bool missed;           /* Some output did not reach it. */
  /* Of the incoming frame: its header and beginning, and how much is still to come. */
  unsigned char head[HEADER + SHORT_FRAME];
  size_t head_length;
  uint32_t left;
  bool is_unwanted; /* Its input is dropped. */
  /* The rest of a frame that the client did not take at once. */
  size_t out_begin, out_end;
  unsigned char out[HEADER + 8 + OUTPUT_AT_ONCE];
};

static struct client clients[MOST_CLIENTS];
static struct waker listener = {.fd = -1, .reads = true};
static bool is_there; /* From the start of the task to its end. */
static uint64_t answered_until; /* The last question that was answered. */
static int facts;
static uint64_t accepts_at = never; /* No new clients are accepted until then. */

/* ---- the socket ---- */

void clients_open(const struct request *request, int folder, const char *task) {
  if (request->input != INPUT_OPEN) return;
  is_there = true;
  listener.fd = socket_make(request->socket, folder, task);
  wake_also(&listener);
  for (size_t i = 0; i < MOST_CLIENTS; i++) {
    clients[i].waker = (struct waker){.fd = -1, .reads = true};
    wake_also(&clients[i].waker);
  }
}

const char *clients_socket(void) { return listener.fd < 0 ? NULL : socket_place(); }

/* A program has cleaned up the folder. A process that misses the socket sends SIGCONT. */
static void listen_again(void) {
  const int fd = socket_make_again();
  if (fd < 0) return;
  if (listener.fd >= 0) (void)close(listener.fd);
  listener.fd = fd;
}

/* ---- what they get ---- */

static void put(unsigned char *to, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) to[i] = (unsigned char)(number >> (8 * i));
}

static uint64_t get(const unsigned char *from, size_t bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; i++) number |= (uint64_t)from[i] << (8 * i);
  return number;
}

static void leave(struct client *client) {
  (void)close(client->waker.fd);
  client->waker = (struct waker){.fd = -1, .reads = true};
  if (client->is_told) record_attached(client->pid, false);
  client->watches = client->is_told = client->missed = false;
  client->head_length = client->left = 0;
  memset(client->head, 0, sizeof client->head);
  client->out_begin = client->out_end = 0;
}

static void send_rest(struct client *client) {
  while (client->out_begin < client->out_end) {
    const size_t length = client->out_end - client->out_begin;
    const ssize_t sent = send(client->waker.fd, client->out + client->out_begin, length, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) return leave(client);
    if (sent <= 0) break;
    client->out_begin += (size_t)sent;
  }
  if (client->out_begin == client->out_end) client->out_begin = client->out_end = 0;
  client->waker.writes = client->out_end > 0;
}

static uint64_t written(void) { return terminal_is_there() ? terminal_written() : output_size(); }

/* Sends a frame whole or not at all: a slow client misses it. */
static bool send_frame(struct client *client, char type, const unsigned char *head, size_t head_length, const char *bytes,
                       size_t length) {
  if (client->waker.fd < 0 || client->out_end + HEADER + head_length + length > sizeof client->out) return false;
  unsigned char *const to = client->out + client->out_end;
  to[0] = (unsigned char)type;
  put(to + 1, head_length + length, 4);
  memcpy(to + HEADER, head, head_length);
  if (length > 0) memcpy(to + HEADER + head_length, bytes, length);
  client->out_end += HEADER + head_length + length;
  send_rest(client);
  return true;
}

static void say_how_it_stands(struct client *client) {
  const struct modes modes = terminal_modes();
  const struct window window = terminal_window();
  unsigned char to[23];
  uint64_t watching = 0;
  for (size_t i = 0; i < MOST_CLIENTS; i++)
    if (clients[i].waker.fd >= 0 && clients[i].watches) watching++;
  to[0] = VERSION;
  to[1] = (unsigned char)((terminal_is_there() ? IS_TERMINAL : 0) | (modes.is_canonical ? IS_CANONICAL : 0) |
                          (modes.echoes ? ECHOES : 0) | (input_is_open() ? IS_OPEN : 0));
  put(to + 2, window.columns, 2);
  put(to + 4, window.rows, 2);
  put(to + 6, written(), 8);
  put(to + 14, input_waiting(), 4);
  put(to + 18, (uint64_t)modes.foreground, 4);
  put(to + 22, watching, 1);
  if (!send_frame(client, 'h', to, sizeof to, NULL, 0)) leave(client);
}

static void answer(struct client *client, enum answer word) {
  const unsigned char to[1] = {(unsigned char)word};
  /* A client that sends and reads no answers has broken off. */
  if (!send_frame(client, 'k', to, sizeof to, NULL, 0)) leave(client);
}

void clients_output(uint64_t offset, const char *bytes, size_t length) {
  unsigned char head[8];
  if (length == 0) return;
  put(head, offset, 8);
  for (size_t i = 0; i < MOST_CLIENTS; i++) {
    if (clients[i].waker.fd < 0 || !clients[i].watches) continue;
    if (offset == CLIENTS_UNKEPT) (void)send_frame(&clients[i], 'u', head, 0, bytes, length);
    else if (!send_frame(&clients[i], 'o', head, sizeof head, bytes, length)) clients[i].missed = true;
  }
}

/* Tells a slow client how long the output is by now. No later frame may come that would show it. */
static void tell_missed(struct client *client) {
  unsigned char head[8];
  put(head, written(), 8);
  client->missed = !send_frame(client, 'o', head, sizeof head, NULL, 0);
}

void clients_resized(void) {
  const struct window window = terminal_window();
  unsigned char to[12];
  put(to, terminal_written(), 8);
  put(to + 8, window.columns, 2);
  put(to + 10, window.rows, 2);
  for (size_t i = 0; i < MOST_CLIENTS; i++)
    /* A client that does not even take this would show a wrong size. */
    if (clients[i].watches && !send_frame(&clients[i], 'z', to, sizeof to, NULL, 0)) leave(&clients[i]);
}

/* ---- what they send ---- */

static enum answer resize(const unsigned char *size) {
  const struct window window = {(uint16_t)get(size, 2), (uint16_t)get(size + 2, 2)};
  if (window.columns < 1 || window.rows < 1 || window.columns > MOST_COLUMNS || window.rows > MOST_ROWS) return BAD_SIZE;
  return terminal_resize(window) ? TAKEN : NO_TERMINAL;
}

static void watch(struct client *client, bool types) {
  client->watches = true;
  if (!client->is_told && types && facts < MOST_FACTS) {
    facts++;
    client->is_told = true;
    record_attached(client->pid, true);
  }
  say_how_it_stands(client);
}

static bool is_input(const struct client *client) { return client->head[0] == 'i' || client->head[0] == 'q'; }

/* How many bytes of a frame come before the input. */
static size_t before_input(const struct client *client) { return client->head[0] == 'q' ? 8 : 0; }

/* A frame is complete. Its input was passed on before. */
static void take_frame(struct client *client) {
  const unsigned char *const body = client->head + HEADER;
  switch (client->head[0]) {
  case 'i':
  case 'q':
    return answer(client, input_is_open() ? TAKEN : CLOSED);
  case 'e':
    return answer(client, !input_is_open() ? CLOSED : input_end() ? TAKEN : CLOSED);
  case 'r':
    return answer(client, resize(body));
  case 'a':
    return watch(client, body[0] == 0);
  default:
    return say_how_it_stands(client);
  }
}

/* Whether a frame of a type may have this length. False also for an unknown type. */
static bool is_frame(char type, uint64_t length) {
  switch (type) {
  case 'i':
    return length >= 1 && length <= MOST_FRAME;
  case 'q':
    return length >= 9 && length <= 8 + MOST_FRAME;
  case 'e':
  case '?':
    return length == 0;
  case 'r':
    return length == 4;
  case 'a':
    return length == 1;
  default:
    return false;
  }
}

/*
 * Whether this is the first answer to its question, and the program reads it as an answer and not as a line of input.
 */
static bool is_wanted(const struct client *client) {
  return get(client->head + HEADER, 8) > answered_until && !terminal_modes().is_canonical;
}

/* Takes bytes of the frame's beginning. The header says how long that is. */
static size_t take_head(struct client *client, const unsigned char *bytes, size_t length) {
  size_t taken = 0;
  while (taken < length && client->head_length < HEADER) client->head[client->head_length++] = bytes[taken++];
  if (client->head_length < HEADER) return taken;
  const uint64_t size = get(client->head + 1, 4);
  const size_t kept = is_input(client) ? before_input(client) : (size_t)(size < SHORT_FRAME ? size : SHORT_FRAME);
  while (taken < length && client->head_length < HEADER + kept) client->head[client->head_length++] = bytes[taken++];
  return taken;
}

/* The beginning of a frame with input is complete: decides whether the input is typed. */
static void begin_input(struct client *client, uint64_t size) {
  client->left = (uint32_t)(size - before_input(client));
  client->is_unwanted = client->head[0] == 'q' && !is_wanted(client);
  if (client->head[0] == 'q' && !client->is_unwanted) answered_until = get(client->head + HEADER, 8);
}

/* Takes received bytes, for all of which there is room. False when they are no valid frame. */
static bool take(struct client *client, const unsigned char *bytes, size_t length) {
  for (size_t at = 0; at < length && client->waker.fd >= 0;) {
    const bool had_head = client->left > 0;
    if (!had_head) at += take_head(client, bytes + at, length - at);
    if (client->head_length < HEADER) return true;
    const uint64_t size = get(client->head + 1, 4);
    if (!is_frame((char)client->head[0], size)) return false;
    if (client->head_length < HEADER + (is_input(client) ? before_input(client) : (size_t)size)) return true;
    if (is_input(client) && !had_head) begin_input(client, size);
    const size_t here = length - at < client->left ? length - at : client->left;
    if (here > 0 && input_is_open() && !client->is_unwanted) (void)input_send((const char *)bytes + at, here);
    at += here;
    client->left -= (uint32_t)here;
    if (client->left > 0) return true;
    take_frame(client);
    client->head_length = 0;
  }
  return true;
}

/* Whether a frame of this type needs room for input. */
static bool types(const struct client *client) { return is_input(client) || client->head[0] == 'e'; }

/* How much of the head of a frame is still to come. */
static size_t head_to_come(const struct client *client) {
  if (client->head_length < HEADER) return HEADER - client->head_length;
  return HEADER + get(client->head + 1, 4) - client->head_length;
}

/*
 * How many bytes may be read, so that nothing has to be kept for later. A command that reads nothing must not keep
 * others from its terminal: without room, a client's frame is read as long as it types nothing. Its first byte says so.
 */
static size_t room_for(const struct client *client) {
  const size_t room = input_is_open() ? input_room() : READ_AT_ONCE;
  if (room > 0) return room < READ_AT_ONCE ? room : READ_AT_ONCE;
  if (client->head_length == 0) return 1;
  return types(client) ? 0 : head_to_come(client);
}

static void hear(struct client *client, uint64_t now) {
  static unsigned char bytes[READ_AT_ONCE];
  const size_t room = room_for(client);
  client->waker.reads = room > 0;
  if (room == 0 || !client->waker.is_ready) return;
  const ssize_t got = recv(client->waker.fd, bytes, room, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const bool is_well = got > 0 && take(client, bytes, (size_t)got);
  client->heard_at = now;
  /* The bytes may be a typed password. */
  if (got > 0) memset(bytes, 0, (size_t)got);
  if (!is_well && client->waker.fd >= 0) leave(client);
}

/* ---- who they are ---- */

/* Whether the peer is this user or root; and its pid. */
static bool is_own(int fd, pid_t *pid) {
#ifdef __linux__
  struct ucred who;
  socklen_t length = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) != 0) return false;
  *pid = who.pid;
  return who.uid == geteuid() || who.uid == 0;
#else
  uid_t user;
  gid_t group;
  socklen_t length = sizeof *pid;
  if (getpeereid(fd, &user, &group) != 0) return false;
  if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, pid, &length) != 0) *pid = 0;
  return user == geteuid() || user == 0;
#endif
}

/* Whether the peer has closed the connection. Nothing is read from a client whose input waits for room, so ask. */
static bool is_deserted(const struct client *client) {
  struct pollfd source = {client->waker.fd, 0, 0};
  return poll(&source, 1, 0) > 0;
}

/*
 * A place for one more client. When all are taken, one that has gone loses its place, or else the one that was silent
 * longest.
 */
static struct client *find_place(void) {
  struct client *found = &clients[0];
  for (size_t i = 0; i < MOST_CLIENTS; i++) {
    if (clients[i].waker.fd < 0) return &clients[i];
    if (clients[i].heard_at < found->heard_at) found = &clients[i];
  }
  for (size_t i = 0; i < MOST_CLIENTS; i++)
    if (is_deserted(&clients[i])) found = &clients[i];
  leave(found);
  return found;
}

static void welcome(uint64_t now) {
  const int fd = accept(listener.fd, NULL, NULL);
  /* Without a descriptor for it, the pending connection would wake this process again and again. */
  if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    listener.reads = false;
    accepts_at = now + ACCEPT_PAUSE_MS;
  }
  if (fd < 0) return;
  pid_t pid = 0;
  (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || !is_own(fd, &pid)) {
    (void)close(fd);
    return;
  }
  struct client *const client = find_place();
  client->waker.fd = fd;
  client->pid = pid;
  client->heard_at = now;
  say_how_it_stands(client);
}

/* ---- the loop ---- */

void clients_tend(uint64_t now) {
  if (!is_there) return;
  if (wake_continued()) listen_again();
  for (size_t i = 0; i < MOST_CLIENTS; i++) {
    if (clients[i].waker.fd < 0) continue;
    if (clients[i].waker.is_ready && clients[i].out_end > 0) send_rest(&clients[i]);
    if (clients[i].missed && clients[i].out_end == 0) tell_missed(&clients[i]);
    if (clients[i].waker.fd >= 0) hear(&clients[i], now);
  }
  if (now >= accepts_at) {
    accepts_at = never;
    listener.reads = true;
  }
  if (listener.fd >= 0 && listener.is_ready) welcome(now);
}

uint64_t clients_due(void) { return accepts_at; }

void clients_end(void) {
  if (!is_there) return;
  unsigned char to[8];
  put(to, written(), 8);
  for (size_t i = 0; i < MOST_CLIENTS; i++) {
    if (clients[i].waker.fd < 0) continue;
    (void)send_frame(&clients[i], 'x', to, sizeof to, NULL, 0);
    clients[i].is_told = false;
    if (clients[i].waker.fd >= 0) leave(&clients[i]);
  }
  if (listener.fd >= 0) (void)close(listener.fd);
  listener.fd = -1;
  accepts_at = never;
  socket_remove();
  is_there = false;
}
