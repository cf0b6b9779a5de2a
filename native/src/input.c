/*
 * The input of the command: nothing, data that came with the request, an inherited descriptor, or what clients send
 * while it runs. Of the last, the shim holds the writing end: of a pipe, or of the terminal. It records nothing of
 * the input.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  /* How much unread input is kept here, besides what the kernel keeps. */
  MOST_WAITING = 65536,
  /* An inherited pipe with data has some by then. Otherwise its writer probably only left it open. */
  SILENT_MS = 100,
  CHUNK_BYTES = 4096,
  PAGE_BYTES = 4096,
};

static _Alignas(PAGE_BYTES) char waiting[MOST_WAITING];
static size_t waiting_length;
static bool waited_long; /* More than a page of the buffer was in use. */

static int reading = -1; /* The command's end, until the command has it. */
static struct waker writing = {.fd = -1, .writes = true};
static struct waker source = {.fd = -1, .reads = true}; /* Piped into a task whose input stays open. */
static bool is_open; /* Clients can send more. */
static bool ends;    /* It ends when the command has taken all that waits. */

/* ---- before there is a shim ---- */

static bool put_whole(int file, const char *bytes, size_t length) {
  int interrupted = 0;
  for (size_t done = 0; done < length;) {
    const ssize_t put = write(file, bytes + done, length - done);
    if (put < 0 && is_interrupted(&interrupted)) continue;
    if (put <= 0) return false;
    done += (size_t)put;
  }
  return true;
}

/* An unnamed file, which is gone with its last descriptor. */
static int nameless_file(const char *output) {
#ifdef __linux__
  const int file = memfd_create("outlive-input", MFD_CLOEXEC);
  if (file >= 0 || errno != ENOSYS) return file;
#endif
  char path[PATH_BYTES + 8];
  struct text text = {path, 0, sizeof path - 1, false};
  text_add(&text, output);
  /* `ID.in` beside `ID.out`. */
  if (text.length > 4) text.length -= 4;
  text_add(&text, ".in");
  path[text.length] = '\0';
  const int named = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (named >= 0 && unlink(path) == 0) return named;
  if (named >= 0) (void)close(named);
  return -1;
}

/* Takes all of the data, or fails the task. */
static bool take_data(const struct request *request) {
  const int file = nameless_file(request->out);
  if (file < 0) return false;
  uint64_t got_all = 0;
  int interrupted = 0;
  while (got_all < request->data_bytes) {
    char bytes[CHUNK_BYTES * 4];
    const uint64_t left = request->data_bytes - got_all;
    const ssize_t got = read(0, bytes, left < sizeof bytes ? (size_t)left : sizeof bytes);
    if (got < 0 && is_interrupted(&interrupted)) continue;
    if (got <= 0 || !put_whole(file, bytes, (size_t)got)) return false;
    got_all += (uint64_t)got;
  }
  const bool is_there = lseek(file, 0, SEEK_SET) == 0 && dup2(file, 0) >= 0;
  (void)close(file);
  return is_there;
}

bool input_take_nothing(void) {
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool is_there = nothing >= 0 && dup2(nothing, 0) >= 0;
  if (nothing > 0) (void)close(nothing);
  return is_there;
}

/* Whether descriptor 0 is a pipe whose writer sends nothing. */
static bool is_silent(void) {
  struct stat found;
  if (fstat(0, &found) != 0 || !(S_ISFIFO(found.st_mode) || S_ISSOCK(found.st_mode))) return false;
  struct pollfd pipe_in = {0, POLLIN, 0};
  int ready, interrupted = 0;
  do {
    ready = poll(&pipe_in, 1, SILENT_MS);
  } while (ready < 0 && is_interrupted(&interrupted));
  return ready == 0;
}

bool input_take(struct request *request) {
  if (request->input == INPUT_DATA) return take_data(request);
  if (request->input != INPUT_HANDED || !is_silent()) return true;
  request->input = INPUT_SILENT;
  return input_take_nothing();
}

/* ---- the life of the task ---- */

/*
 * Other processes may read from the same pipe, and take what poll has reported, so a read must not block. O_NONBLOCK
 * on the descriptor itself would change it for everyone who has it. So this opens the pipe again; read_now() has
 * another way for a socket.
 */
static int open_source(void) {
#ifdef __linux__
  struct stat found;
  if (fstat(0, &found) == 0 && S_ISFIFO(found.st_mode)) {
    const int own = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0) return own;
  }
#endif
  return fcntl(0, F_DUPFD_CLOEXEC, BELL_FD + 1);
}

static ssize_t read_now(int file, char *bytes, size_t room) {
  const ssize_t got = recv(file, bytes, room, MSG_DONTWAIT);
  return got >= 0 || errno != ENOTSOCK ? got : read(file, bytes, room);
}

bool input_open(const struct request *request) {
  if (request->input != INPUT_OPEN) return true;
  is_open = true;
  if (request->piped) {
    source.fd = open_source();
    if (source.fd < 0) return false;
    wake_also(&source);
  }
  if (terminal_is_there()) return true;
  int ends_of_pipe[2];
  if (pipe(ends_of_pipe) != 0) return false;
  for (int i = 0; i < 2; i++) (void)fcntl(ends_of_pipe[i], F_SETFD, FD_CLOEXEC);
  reading = ends_of_pipe[0];
  writing.fd = ends_of_pipe[1];
  writing.writes = false;
  wake_also(&writing);
  return fcntl(writing.fd, F_SETFL, O_NONBLOCK) == 0;
}

bool input_hand_over(void) { return reading < 0 || dup2(reading, 0) >= 0; }

void input_start(void) {
  if (reading >= 0) (void)close(reading);
  reading = -1;
  /* The shim must not keep the command's stdin open: its writer has to see when no process reads any more. */
  (void)input_take_nothing();
}

static void close_source(void) {
  if (source.fd >= 0) (void)close(source.fd);
  source.fd = -1;
}

static void close_input(void) {
  is_open = false;
  memset(waiting, 0, waiting_length);
  waiting_length = 0;
  close_source();
  if (writing.fd >= 0) (void)close(writing.fd);
  writing.fd = -1;
}

/*
 * A large paste is rare, and each page of a shim counts. Memory that the system cannot take back stays, and is
 * zeroed.
 */
static void give_back(void) {
  waited_long = false;
#ifdef __linux__
  (void)madvise(waiting, sizeof waiting, MADV_DONTNEED);
#endif
}

/* Writes to the command what it takes. */
static void flush(void) {
  const int to = terminal_is_there() ? terminal_typed() : writing.fd;
  size_t done = 0;
  int interrupted = 0;
  while (to >= 0 && done < waiting_length) {
    const ssize_t put = write(to, waiting + done, waiting_length - done);
    if (put < 0 && is_interrupted(&interrupted)) continue;
    if (put < 0 && errno == EAGAIN) break;
    /* No process can read it any more. */
    if (put <= 0) return close_input();
    done += (size_t)put;
  }
  /* No input stays in the memory of this process: it may be a password. */
  memmove(waiting, waiting + done, waiting_length - done);
  memset(waiting + waiting_length - done, 0, done);
  waiting_length -= done;
  if (waiting_length > PAGE_BYTES) waited_long = true;
  else if (waiting_length == 0 && waited_long) give_back();
  if (terminal_is_there()) terminal_wants_to_type(waiting_length > 0);
  writing.writes = waiting_length > 0;
  if (waiting_length == 0 && ends && !terminal_is_there()) close_input();
}

size_t input_send(const char *bytes, size_t length) {
  const size_t room = sizeof waiting - waiting_length, taken = length < room ? length : room;
  memcpy(waiting + waiting_length, bytes, taken);
  waiting_length += taken;
  flush();
  return taken;
}

bool input_is_open(void) { return is_open && !ends && !shim.ended; }

size_t input_room(void) { return sizeof waiting - waiting_length; }

size_t input_waiting(void) { return waiting_length; }

bool input_end(void) {
  if (terminal_is_there()) {
    const char eof = (char)terminal_modes().eof;
    return input_room() > 0 && input_send(&eof, 1) == 1;
  }
  ends = true;
  flush();
  return true;
}

/* Reads what was piped into a task whose input stays open, as far as there is room. */
static void read_source(void) {
  char bytes[CHUNK_BYTES];
  const size_t room = input_room();
  source.reads = room > 0;
  if (room == 0 || !source.is_ready) return;
  int interrupted = 0;
  ssize_t got;
  do {
    got = read_now(source.fd, bytes, room < sizeof bytes ? room : sizeof bytes);
  } while (got < 0 && is_interrupted(&interrupted));
  if (got > 0) (void)input_send(bytes, (size_t)got);
  else if (got == 0 || errno != EAGAIN) close_source();
  memset(bytes, 0, sizeof bytes);
}

void input_tend(void) {
  if (!is_open) return;
  if (shim.ended) return close_input();
  if (waiting_length > 0) flush();
  if (source.fd >= 0) read_source();
}
