/*
 * Notices that a process has opened the output anew, for example by `echo x > /dev/stderr`, which erases what was
 * there.
 *
 * inotify reports it at once. But a user has only 128 instances, and a task that takes the last one breaks the user's
 * editor. So at most 16 shims of a store watch at a time. Each holds the lock of one byte of a file, which the kernel
 * frees when the shim ends, in whatever way.
 */
#include "life.h"

#ifdef __linux__

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOTS = 16, STREAMS = 2, EVENTS_AT_ONCE = 16 };

static int events = -1, slots = -1;
static struct waker waker = {.fd = -1, .reads = true};

static struct watched {
  int file;
  int number;       /* The number that inotify uses. */
  bool is_written;  /* The first write was noticed. */
  bool is_settled;  /* And checked since. From here on the content of the file is known, and only the closing by others is watched. */
  struct noticed noticed;
} watched[STREAMS];

static size_t watched_count;

static bool take_slot(const char *path) {
  slots = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (slots < 0) return false;
  for (off_t slot = 0; slot < SLOTS; slot++) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot, .l_len = 1};
    if (fcntl(slots, F_SETLK, &lock) == 0) return true;
  }
  return false;
}

/* By its descriptor, because the file may have another name by now, or none. */
static int watch(int file, uint32_t what) {
  char path[32];
  struct text text = {path, 0, sizeof path - 1, false};
  text_add(&text, "/proc/self/fd/");
  text_number(&text, (uint64_t)file);
  path[text.length] = '\0';
  return inotify_add_watch(events, path, what);
}

void notice_begin(const char *path, const int *files, size_t count) {
  if (path == NULL || !take_slot(path)) return notice_end();
  events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (events < 0) return notice_end();
  for (watched_count = 0; watched_count < count && watched_count < STREAMS; watched_count++) {
    const int file = files[watched_count];
    watched[watched_count] = (struct watched){.file = file, .number = watch(file, IN_CLOSE_WRITE | IN_OPEN | IN_MODIFY)};
  }
  waker.fd = events;
  wake_also(&waker);
}

void notice_end(void) {
  waker.fd = -1;
  if (events >= 0) (void)close(events);
  if (slots >= 0) (void)close(slots);
  events = slots = -1;
}

static void take(struct watched *file, uint32_t what) {
  if ((what & IN_MODIFY) != 0) file->is_written = true;
  if ((what & IN_OPEN) != 0 && file->is_written) file->noticed.is_unsure = true;
  if ((what & IN_CLOSE_WRITE) != 0) file->noticed.reopened++;
}

/* When the same event is repeated without another in between, inotify reports it once. */
static bool read_events(void) {
  struct inotify_event found[EVENTS_AT_ONCE];
  bool any = false;
  for (ssize_t got; events >= 0 && (got = read(events, found, sizeof found)) > 0; any = true) {
    for (size_t event = 0; event < (size_t)got / sizeof found[0]; event++) {
      for (size_t i = 0; i < watched_count; i++)
        if (found[event].wd == watched[i].number) take(&watched[i], found[event].mask);
    }
  }
  return any;
}

bool notice_take(struct noticed *noticed) {
  bool any = read_events();
  for (size_t i = 0; i < watched_count; i++) {
    noticed[i] = watched[i].noticed;
    if (noticed[i].reopened > 0) any = true;
    watched[i].noticed.reopened = 0;
    /* Reported once, when the process that has opened the file closes it. */
    if (noticed[i].reopened > 0) watched[i].noticed.is_unsure = false;
  }
  return any;
}

void notice_looked(void) {
  /* Events before or during the check come before those that are watched from here on. */
  (void)read_events();
  for (size_t i = 0; i < watched_count; i++) {
    if (!watched[i].is_written || watched[i].is_settled) continue;
    watched[i].is_settled = true;
    (void)watch(watched[i].file, IN_CLOSE_WRITE);
  }
}

uint64_t notice_position(int file) {
  char path[40], line[64];
  struct text text = {path, 0, sizeof path - 1, false};
  text_add(&text, "/proc/self/fdinfo/");
  text_number(&text, (uint64_t)file);
  path[text.length] = '\0';
  const int info = open(path, O_RDONLY | O_CLOEXEC);
  if (info < 0) return 0;
  const ssize_t length = read(info, line, sizeof line - 1);
  (void)close(info);
  if (length < 5 || memcmp(line, "pos:", 4) != 0) return 0;
  line[length] = '\0';
  return strtoull(line + 4, NULL, 10);
}

#else

/* On other systems /dev/stderr duplicates the open descriptor, and erases nothing. */
void notice_begin(const char *path, const int *files, size_t count) {
  (void)path;
  (void)files;
  (void)count;
}

void notice_end(void) {}

bool notice_take(struct noticed *noticed) {
  (void)noticed;
  return false;
}

void notice_looked(void) {}

uint64_t notice_position(int file) {
  (void)file;
  return 0;
}

#endif
