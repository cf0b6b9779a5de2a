/*
 * The terminal of a task with a `tty`. The shim holds its other side, the master. It copies the output to the file
 * and to clients (clients.c), and writes what they type (input.c). No other process has a descriptor of the master,
 * so the kernel hangs the terminal up when the shim dies.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum {
  CHUNK_BYTES = 16384,
  /* How many chunks are copied in a row, before the limits and the end of the command are checked again. */
  CHUNKS_AT_ONCE = 64,
  /* After the end of its last writer, the rest of the output nearly always arrives within this time. */
  ENDS_WITHIN_MS = 30,
  /* How long the end of a task waits for the rest at most, when a leftover has the terminal open. */
  DRAIN_MS = 1000,
  /* The shortest time between two changes of the size. */
  RESIZE_PAUSE_MS = 100,
  /* How often to check a terminal that no process has open. */
  LOOK_MS = 100,
  MOST_SIZES = 4096,
  SIZE_BYTES = 16,
};

static struct waker master = {.fd = -1, .reads = true};

static struct {
  int slave;           /* The command's side, until the command has it. -1: the command opens it itself. */
  bool is_over;        /* No process can write any more. */
  uint64_t written;    /* Bytes in the file. */
  uint64_t dropped;    /* Bytes that the disk did not take. */
  uint64_t beyond;     /* Bytes over the limit. */
  uint64_t drain_ends_at;
  struct window window, wanted;
  uint64_t resize_at;  /* When to set the size `wanted`; never: it is set. */
  uint64_t resized_at;
  uint64_t look_at;
  char name[OUTPUT_NAME_BYTES + 8];
  int folder, sizes;   /* The file of sizes, made with the first change. -1: not made yet. */
  uint32_t size_count;
  bool sizes_failed;
} state = {.slave = -1, .drain_ends_at = never, 
         .resize_at = never, .look_at = never, .sizes = -1};

bool terminal_is_there(void) { return master.fd >= 0 || state.is_over; }

/* ---- making it ---- */

static bool set_window(struct window window) {
  const struct winsize size = {.ws_row = window.rows, .ws_col = window.columns};
  if (ioctl(master.fd, TIOCSWINSZ, &size) != 0) return false;
  state.window = window;
  return true;
}

/*
 * Opens the command's side. Through the master where the kernel can: there may be no /dev/pts, or that of another
 * container.
 */
static int open_slave(void) {
#ifdef TIOCGPTPEER
  const int peer = ioctl(master.fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (peer >= 0) return peer;
#endif
  const char *const name = ptsname(master.fd);
  return name == NULL ? -1 : open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* Makes both sides and sets the size, or fails: a program draws for the size that the terminal reports. */
static bool open_whole(struct window window) {
  master.fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master.fd < 0) return false;
  if (fcntl(master.fd, F_SETFL, O_NONBLOCK) == 0 && grantpt(master.fd) == 0 && unlockpt(master.fd) == 0)
    state.slave = open_slave();
  if (state.slave >= 0 && set_window(window)) return true;
  const int error = errno;
  if (state.slave >= 0) (void)close(state.slave);
  state.slave = -1;
  (void)close(master.fd);
  master.fd = -1;
  errno = error;
  return false;
}

bool terminal_open(const struct request *request, int folder, const char *output) {
  if (request->window.columns == 0) return true;
  if (!open_whole(request->window)) return false;
#ifdef IUTF8
  struct termios modes;
  /* Backspace removes a whole character. */
  if (tcgetattr(state.slave, &modes) == 0) {
    modes.c_iflag |= IUTF8;
    (void)tcsetattr(state.slave, TCSANOW, &modes);
  }
#endif
  state.wanted = state.window;
  state.folder = folder;
  struct text text = {state.name, 0, sizeof state.name - 1, false};
  text_add(&text, output);
  text_add(&text, ".sizes");
  wake_also(&master);
  return true;
}

bool terminal_hand_over(void) {
  if (state.slave < 0) return true;
  /* It leads its own session, because a terminal belongs to a session. */
  if (setsid() < 0 || ioctl(state.slave, TIOCSCTTY, 0) != 0) return false;
  for (int fd = 0; fd <= ERROR_FD; fd++)
    if (dup2(state.slave, fd) < 0) return false;
  return true;
}

void terminal_start(void) {
  if (state.slave >= 0) (void)close(state.slave);
  state.slave = -1;
}

/* ---- output ---- */

/* How much the file may still grow. */
static uint64_t room(void) {
  const uint64_t limit = shim.request->max_output;
  return limit == 0 ? UINT64_MAX : state.written < limit ? limit - state.written : 0;
}

/* Writes to the file, and returns how much it took. */
static size_t keep(const char *bytes, size_t length) {
  size_t done = 0;
  int interrupted = 0;
  while (done < length) {
    const ssize_t put = write(OUTPUT_FD, bytes + done, length - done);
    if (put < 0 && is_interrupted(&interrupted)) continue;
    if (put <= 0) break;
    done += (size_t)put;
  }
  return done;
}

static void spread(const char *bytes, size_t length) {
  const uint64_t left = room();
  const size_t most = left < length ? (size_t)left : length;
  const size_t kept = keep(bytes, most);
  state.beyond += length - most;
  state.dropped += most - kept;
  clients_output(state.written, bytes, kept);
  state.written += kept;
  /* Clients see this output, although it is in no file. */
  clients_output(CLIENTS_UNKEPT, bytes + kept, length - kept);
}

static void close_master(void) {
  state.is_over = true;
  state.resize_at = state.look_at = never;
  (void)close(master.fd);
  master.fd = -1;
}

/* Copies the waiting output, up to a bound. */
static void drain(void) {
  static char bytes[CHUNK_BYTES];
  for (int chunk = 0, interrupted = 0; master.fd >= 0 && chunk < CHUNKS_AT_ONCE; chunk++) {
    const ssize_t got = read(master.fd, bytes, sizeof bytes);
    if (got > 0) {
      spread(bytes, (size_t)got);
      continue;
    }
    if (got < 0 && is_interrupted(&interrupted)) continue;
    if (got < 0 && errno == EAGAIN) return;
    /* EIO: no process has the other side open. While the command runs, it may open it again. */
    if (shim.ended) return close_master();
    master.reads = false;
    state.look_at = clock_ms() + LOOK_MS;
    return;
  }
}

/* On macOS poll does not work on terminals. */
static void await_more(int milliseconds) {
#ifdef __APPLE__
  (void)milliseconds;
  (void)poll(NULL, 0, 1);
#else
  struct pollfd source = {master.fd, POLLIN, 0};
  (void)poll(&source, 1, milliseconds);
#endif
}

uint64_t terminal_ended(uint64_t size) {
  if (!terminal_is_there()) return size;
  const uint64_t until = clock_ms() + ENDS_WITHIN_MS;
  for (;;) {
    drain();
    if (state.is_over || clock_ms() >= until) break;
    await_more(ENDS_WITHIN_MS);
  }
  if (!state.is_over) state.drain_ends_at = clock_ms() + DRAIN_MS;
  return size > state.written ? size : state.written;
}

bool terminal_drains(uint64_t now) {
  if (state.drain_ends_at == never) return false;
  if (!state.is_over && now < state.drain_ends_at) return true;
  state.drain_ends_at = never;
  return false;
}

uint64_t terminal_dropped(void) { return state.dropped; }

uint64_t terminal_beyond(void) { return state.beyond; }

uint64_t terminal_written(void) { return state.written; }

/* ---- its size ---- */

static void put(unsigned char *to, uint64_t number, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) to[i] = (unsigned char)(number >> (8 * i));
}

/* How many sizes are dropped when the file is full. A replay begins with the first size that is left. */
static bool forget_oldest(void) {
  unsigned char records[64 * SIZE_BYTES];
  const uint32_t gone = MOST_SIZES / 2;
  for (uint32_t from = gone; from < state.size_count; from += 64) {
    const off_t at = (off_t)(from + 1) * SIZE_BYTES, to = (off_t)(from - gone + 1) * SIZE_BYTES;
    if (pread(state.sizes, records, sizeof records, at) != (ssize_t)sizeof records) return false;
    if (pwrite(state.sizes, records, sizeof records, to) != (ssize_t)sizeof records) return false;
  }
  state.size_count -= gone;
  return ftruncate(state.sizes, (off_t)(state.size_count + 1) * SIZE_BYTES) == 0;
}

/*
 * Records the size from an offset of the output on, in a file beside the output. It has a header of 16 bytes and
 * records of 16 bytes: an offset (8), columns (2), rows (2), and 4 zeros, all little-endian.
 */
static bool note(struct window window) {
  static const unsigned char header[SIZE_BYTES] = {'o', 'u', 't', 'l', 'i', 'v', 'e', ' ', 's', 'i', 'z', 'e', 's', 0, 0, 1};
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  if (state.sizes < 0) {
    state.sizes = openat(state.folder, state.name, flags, S_IRUSR | S_IWUSR);
    if (state.sizes < 0 || pwrite(state.sizes, header, sizeof header, 0) != (ssize_t)sizeof header) return false;
  }
  if (state.size_count >= MOST_SIZES && !forget_oldest()) return false;
  unsigned char record[SIZE_BYTES] = {0};
  put(record, state.written, 8);
  put(record + 8, window.columns, 2);
  put(record + 10, window.rows, 2);
  return pwrite(state.sizes, record, sizeof record, (off_t)(++state.size_count) * SIZE_BYTES) == (ssize_t)sizeof record;
}

static void resize(uint64_t now) {
  state.resize_at = never;
  state.resized_at = now;
  /* Output that the program wrote before the change belongs to the old size. */
  drain();
  if (master.fd < 0) return;
  /* Before the kernel tells the program: output for the new size must come after the record of it. */
  if (!state.sizes_failed && !note(state.wanted)) state.sizes_failed = true;
  (void)set_window(state.wanted);
  clients_resized();
}

bool terminal_resize(struct window window) {
  if (master.fd < 0) return false;
  state.wanted = window;
  const bool is_same = window.columns == state.window.columns && window.rows == state.window.rows;
  const uint64_t soon = state.resized_at == 0 ? 0 : state.resized_at + RESIZE_PAUSE_MS;
  state.resize_at = is_same ? never : soon;
  if (!is_same && clock_ms() >= soon) resize(clock_ms());
  return true;
}

struct window terminal_window(void) { return state.window; }

/* ---- typing ---- */

struct modes terminal_modes(void) {
  struct modes found = {0};
  struct termios modes;
  if (master.fd < 0 || tcgetattr(master.fd, &modes) != 0) return found;
  found.is_canonical = (modes.c_lflag & ICANON) != 0;
  found.echoes = (modes.c_lflag & ECHO) != 0;
  found.eof = modes.c_cc[VEOF];
  const pid_t group = tcgetpgrp(master.fd);
  found.foreground = group > 0 ? group : 0;
  return found;
}

int terminal_typed(void) { return master.fd; }

void terminal_wants_to_type(bool wants) { master.writes = wants; }

/* ---- the loop ---- */

void terminal_tend(uint64_t now) {
  if (master.fd < 0) return;
  if (now >= state.look_at) {
    state.look_at = never;
    master.reads = true;
    drain();
  } else if (master.is_ready) {
    drain();
  }
  if (now >= state.resize_at) resize(now);
}

uint64_t terminal_due(void) {
  const uint64_t due = state.resize_at < state.look_at ? state.resize_at : state.look_at;
  return state.drain_ends_at < due ? state.drain_ends_at : due;
}

void terminal_close(void) {
  drain();
  terminal_let_go();
}

void terminal_let_go(void) {
  if (master.fd >= 0) close_master();
}
