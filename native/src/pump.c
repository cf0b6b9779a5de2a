/*
 * The pump: a separate process that carries output from FIFOs to files, for tasks that ask for it. A program that
 * opens a FIFO anew erases nothing, and no file grows beyond the limit.
 *
 * The command has the FIFO open for reading and for writing, so the FIFO has a reader as long as the command lives.
 * When the pump is killed, the command blocks instead of dying of SIGPIPE, and the shim starts another pump. The pump
 * moves bytes with splice. In one call that no signal divides, it takes bytes out of the FIFO and puts them into the
 * file. So a killed pump loses no byte and doubles none. When the shim is killed, the pump goes on until no process
 * can write any more. The pump starts before the command, because the content of a FIFO is gone with the last process
 * that has it open. When shim and pump are both killed, the process that settles the task starts another pump
 * (main.c). A lock of the file lets only one pump work.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  PIPES = 2,
  CHUNK_BYTES = 65536,
  COPIED_BYTES = 16384,
  /* A pump that ends sooner than that is started again after a pause, which doubles. */
  SHORT_LIFE_MS = 100,
  SHORTEST_PAUSE_MS = 10,
  LONGEST_PAUSE_MS = 100,
  /* The first descriptor of a pump after the standard ones. */
  FIRST_FD = 3,
  /* How long the end of a task waits for output that is on its way. */
  DRAIN_MS = 2000,
  DRAIN_LOOK_MS = 2,
  /* How long a shim with nothing else to do waits for the end of its pump: another program may have the FIFO open. */
  LINGER_MS = 200,
  /* The exit status of a pump that found another one at work. */
  IS_SECOND = 2,
};

struct fifo {
  int reading; /* -1: no process can write to it any more. */
  int writing; /* The command's end; the shim has it only until the command does. */
  int file;    /* The file that it goes to. */
  uint64_t end; /* The last known end of that file. */
  char name[OUTPUT_NAME_BYTES + 8];
};

/* What the pump reports to the shim, in shared memory. */
struct counts {
  _Atomic uint64_t dropped; /* Bytes that the disk did not take. */
  _Atomic uint64_t beyond;  /* Bytes over the limit. */
  _Atomic bool copies;      /* Some bytes may be only in the pump: no longer in a FIFO, and not yet in a file. */
};

static struct fifo fifos[PIPES];
static size_t fifo_count;
static struct counts *counts;
static int folder = -1;

static struct {
  pid_t pid;           /* 0: none runs. */
  bool is_child;       /* `wait4` counts it among the children. */
  bool is_done;        /* No process can write any more, and everything has been moved. */
  uint64_t begun_at, retry_at, pause;
  uint64_t wanted;     /* How much the command had written when it ended. */
  uint64_t drain_ends_at, linger_ends_at;
  bool is_awaited;     /* The shim has nothing else to do, and waits for the pump's end. */
  wiper wipe;
} state = {.retry_at = never, .drain_ends_at = never};

/* ---- in the pump ---- */

/* The end of the file. If the call fails, the last known one: nothing is overwritten. */
static uint64_t end_of(struct fifo *fifo) {
  struct stat found;
  if (fstat(fifo->file, &found) == 0) fifo->end = found.st_size > 0 ? (uint64_t)found.st_size : 0;
  return fifo->end;
}

/* How much the files may still grow, together. */
static uint64_t room(uint64_t limit) {
  if (limit == 0) return UINT64_MAX;
  uint64_t used = 0;
  for (size_t i = 0; i < fifo_count; i++) used += end_of(&fifos[i]);
  return used < limit ? limit - used : 0;
}

/* Drops what is in the FIFO. Returns like read, with errno. */
static ssize_t discard(int fifo, _Atomic uint64_t *count) {
  static char bytes[COPIED_BYTES];
  const ssize_t got = read(fifo, bytes, sizeof bytes);
  if (got > 0) (void)atomic_fetch_add(count, (uint64_t)got);
  return got;
}

/* For systems without splice. A pump that is killed between the two calls loses what the first one has read. */
static ssize_t copy(struct fifo *fifo, size_t most) {
  static char bytes[COPIED_BYTES];
  atomic_store(&counts->copies, true);
  const ssize_t got = read(fifo->reading, bytes, most < sizeof bytes ? most : sizeof bytes);
  const int failure = errno;
  int interrupted = 0;
  for (ssize_t done = 0; done < got;) {
    const ssize_t put = pwrite(fifo->file, bytes + done, (size_t)(got - done), (off_t)end_of(fifo));
    if (put < 0 && is_interrupted(&interrupted)) continue;
    if (put <= 0) {
      (void)atomic_fetch_add(&counts->dropped, (uint64_t)(got - done));
      break;
    }
    done += put;
    fifo->end += (uint64_t)put;
  }
  atomic_store(&counts->copies, false);
  errno = failure;
  return got;
}

static ssize_t move(struct fifo *fifo, uint64_t most) {
  static bool copies;
  const size_t size = most < CHUNK_BYTES ? (size_t)most : CHUNK_BYTES;
#ifdef __linux__
  int interrupted = 0;
  while (!copies) {
    loff_t at = (loff_t)end_of(fifo);
    const ssize_t moved = splice(fifo->reading, NULL, fifo->file, &at, size, SPLICE_F_NONBLOCK);
    if (moved > 0) fifo->end += (uint64_t)moved;
    if (moved >= 0) return moved;
    if (is_interrupted(&interrupted)) continue;
    /* For lack of memory this once: the bytes are still in the FIFO. */
    if (errno == ENOMEM) return copy(fifo, size);
    if (errno != EINVAL && errno != ENOSYS && errno != EPERM && errno != EINTR) return moved;
    copies = true;
  }
#else
  copies = true;
#endif
  return copies ? copy(fifo, size) : -1;
}

enum progress { MOVED, NOTHING, ENDED };

static enum progress step(struct fifo *fifo, uint64_t limit, pid_t shim_pid) {
  const uint64_t most = room(limit);
  ssize_t moved;
  if (most == 0) {
    moved = discard(fifo->reading, &counts->beyond);
    /* The shim enforces the limit. If another process has its pid, SIGURG does nothing to it. */
    if (moved > 0 && shim_pid != 0 && getppid() == shim_pid) (void)kill(shim_pid, SIGURG);
  } else {
    moved = move(fifo, most);
    /* The disk is full, or fails. The command must not block because of that. */
    if (moved < 0 && errno != EAGAIN) moved = discard(fifo->reading, &counts->dropped);
  }
  return moved > 0 ? MOVED : moved == 0 ? ENDED : NOTHING;
}

static void remove_names(void) {
  for (size_t i = 0; i < fifo_count; i++) (void)unlinkat(folder, fifos[i].name, 0);
}

/* A second pump would change the order of bytes. Without locks only the shim starts one. */
static bool is_only_one(void) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(fifos[0].file, F_SETLK, &lock) == 0 || (errno != EACCES && errno != EAGAIN);
}

/* Runs until no process can write any more. */
static _Noreturn void run(uint64_t limit, pid_t shim_pid) {
  if (!is_only_one()) _exit(IS_SECOND);
  for (;;) {
    struct pollfd sources[PIPES];
    nfds_t open_count = 0;
    bool moved = false;
    for (size_t i = 0; i < fifo_count; i++) {
      if (fifos[i].reading < 0) continue;
      const enum progress progress = step(&fifos[i], limit, shim_pid);
      if (progress == ENDED) {
        (void)close(fifos[i].reading);
        fifos[i].reading = -1;
        continue;
      }
      if (progress == MOVED) moved = true;
      sources[open_count++] = (struct pollfd){fifos[i].reading, POLLIN, 0};
    }
    if (open_count == 0) break;
    if (!moved) (void)poll(sources, open_count, -1);
  }
  remove_names();
  _exit(0);
}

/*
 * Closes all descriptors but these, which get the numbers from FIRST_FD on. That needs no other free number: the
 * lowest of them moves first, and never to a number that another one has.
 */
static void keep_only(int *kept[], size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = i + 1; j < count; j++) {
      if (*kept[j] >= *kept[i]) continue;
      int *const lower = kept[j];
      kept[j] = kept[i];
      kept[i] = lower;
    }
    const int number = FIRST_FD + (int)i;
    /*
     * A pump that cannot work must end as if it had been killed. A normal end would say that no process can write any
     * more.
     */
    if (*kept[i] != number && dup2(*kept[i], number) < 0) _exit(NO_DESCRIPTORS);
    *kept[i] = number;
  }
  system_close_foreign(FIRST_FD + (int)count);
}

/* The pump keeps nothing of the shim but what it moves: it may outlive the task, and must hold no secret. */
static _Noreturn void become_pump(void) {
  char cookie[COOKIE_BYTES + 8];
  struct text text = {cookie, 0, sizeof cookie - 1, false};
  text_add(&text, shim.request->cookie);
  /* With another cookie, no check takes it for a process of the task, and no stop ends it. */
  text_add(&text, ".pump");
  cookie[text.length] = '\0';
  state.wipe(cookie, true);
#ifndef __APPLE__
  show_as_pump();
#endif
  memset(shim.request->exit_proof, 0, sizeof shim.request->exit_proof);
  memset(shim.request->gone_proof, 0, sizeof shim.request->gone_proof);
  int *kept[PIPES + 1] = {&folder};
  for (size_t i = 0; i < fifo_count; i++) kept[i + 1] = &fifos[i].reading;
  keep_only(kept, fifo_count + 1);
  /*
   * It starts before the command, so it still has the command's stdin and folder. The writer to that stdin must see
   * when no process reads it.
   */
  (void)input_take_nothing();
  if (chdir("/") != 0) errno = 0;
  run(shim.request->max_output, shim.self);
}

/* ---- in the shim ---- */

bool pump_open(int in_folder, const char *output, int file) {
  struct fifo *const fifo = &fifos[fifo_count];
  folder = in_folder;
  if (counts == NULL) {
    void *const page = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return false;
    counts = page;
  }
  struct text text = {fifo->name, 0, sizeof fifo->name - 1, false};
  text_add(&text, output);
  text_add(&text, ".fifo");
  if (mkfifoat(folder, fifo->name, S_IRUSR | S_IWUSR) != 0) return false;
  fifo_count++;
  fifo->file = file;
  fifo->reading = openat(folder, fifo->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  fifo->writing = openat(folder, fifo->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
  return fifo->reading >= 0 && fifo->writing >= 0;
}

bool pump_hand_over(void) {
  if (fifo_count == 0) return true;
  return dup2(fifos[0].writing, OUTPUT_FD) >= 0 && dup2(fifos[fifo_count - 1].writing, ERROR_FD) >= 0;
}

static void start(uint64_t now) {
  state.begun_at = now;
  state.retry_at = never;
  atomic_store(&counts->copies, false);
  const pid_t pid = system_fork_aside(&state.is_child);
  if (pid == 0) become_pump();
  if (pid > 0) state.pid = pid;
  else state.retry_at = now + RETRY_MS;
  system_spare(pid > 0 ? pid : 0);
}

void pump_begin(wiper wipe) {
  if (fifo_count == 0) return;
  state.wipe = wipe;
  start(clock_ms());
}

void pump_let_go(bool has_command) {
  if (fifo_count == 0) return;
  for (size_t i = 0; i < fifo_count; i++) (void)close(fifos[i].writing);
  if (!has_command) remove_names();
}

static void finish(void) {
  state.is_done = true;
  state.retry_at = never;
  for (size_t i = 0; i < fifo_count; i++) (void)close(fifos[i].reading);
  remove_names();
}

bool pump_ended(pid_t pid, int status) {
  if (pid != state.pid || pid == 0) return false;
  const uint64_t now = clock_ms();
  state.pid = 0;
  system_spare(0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    finish();
    return true;
  }
  const bool was_short = now - state.begun_at < SHORT_LIFE_MS;
  state.pause = !was_short ? 0 : state.pause == 0 ? SHORTEST_PAUSE_MS : state.pause * 2;
  if (state.pause > LONGEST_PAUSE_MS) state.pause = LONGEST_PAUSE_MS;
  state.retry_at = now + state.pause;
  return true;
}

void pump_tend(uint64_t now) {
  if (fifo_count == 0) return;
#ifdef __linux__
  int status = 0;
  const int apart = (int)((unsigned)WNOHANG | __WCLONE);
  if (state.pid != 0 && !state.is_child && waitpid(state.pid, &status, apart) == state.pid)
    (void)pump_ended(state.pid, status);
#endif
  if (state.pid == 0 && !state.is_done && now >= state.retry_at) start(now);
}

bool pump_is_child(void) { return state.pid != 0 && state.is_child; }

uint64_t pump_beyond(void) { return counts == NULL ? 0 : atomic_load(&counts->beyond); }

uint64_t dropped_bytes(void) { return pump_dropped() + terminal_dropped(); }

uint64_t pump_dropped(void) { return counts == NULL ? 0 : atomic_load(&counts->dropped); }

static uint64_t waiting_bytes(void) {
  uint64_t waiting = 0;
  for (size_t i = 0; i < fifo_count; i++) {
    int bytes = 0;
    if (ioctl(fifos[i].reading, FIONREAD, &bytes) == 0 && bytes > 0) waiting += (uint64_t)bytes;
  }
  return waiting;
}

static uint64_t moved_bytes(void) { return output_size() + pump_beyond() + pump_dropped(); }

/* Whether a live pump holds bytes itself; continues one that was suspended meanwhile. What a dead pump held is lost. */
static bool pump_copies(void) {
  if (state.pid == 0 || !atomic_load(&counts->copies)) return false;
  (void)kill(state.pid, SIGCONT);
  return true;
}

uint64_t pump_written(uint64_t size) {
  enum { TRIES = 100 };
  if (fifo_count == 0 || state.is_done) return size;
  /* A consistent count: the pump moved nothing during both reads, and holds nothing itself. */
  uint64_t moved = moved_bytes(), waiting = 0;
  for (int i = 0; i < TRIES; i++) {
    const uint64_t before = moved;
    const bool copies = pump_copies();
    waiting = waiting_bytes();
    size = output_size();
    moved = moved_bytes();
    if (moved == before && !copies && !pump_copies()) break;
    if (copies) (void)poll(NULL, 0, DRAIN_LOOK_MS);
  }
  if (waiting == 0) return size;
  state.wanted = moved + waiting;
  state.drain_ends_at = clock_ms() + DRAIN_MS;
  /* A pump that a program has suspended must go on now. */
  if (state.pid != 0) (void)kill(state.pid, SIGCONT);
  return size + waiting;
}

bool pump_lingers(uint64_t now) {
  /*
   * No pump could be started yet, for example at the user's limit of processes. No other process moves what is there.
   */
  if (state.pid == 0) return !state.is_done && state.retry_at != never && waiting_bytes() > 0;
  if (state.linger_ends_at == 0) state.linger_ends_at = now + LINGER_MS;
  state.is_awaited = now < state.linger_ends_at;
  return state.is_awaited;
}

bool pump_drains(uint64_t now) {
  if (state.drain_ends_at == never) return false;
  if (now < state.drain_ends_at && !state.is_done && moved_bytes() < state.wanted) return true;
  state.drain_ends_at = never;
  return false;
}

uint64_t pump_due(uint64_t now) {
  if (state.drain_ends_at != never) return now + DRAIN_LOOK_MS;
  if (state.pid == 0) return state.is_done ? never : state.retry_at;
  return state.is_awaited ? state.linger_ends_at : never;
}

/* ---- instead of a shim ---- */

static bool open_again(const char *output) {
  struct fifo *const fifo = &fifos[fifo_count];
  struct text text = {fifo->name, 0, sizeof fifo->name - 1, false};
  text_add(&text, output);
  text_add(&text, ".fifo");
  if (text.overflow || strchr(output, '/') != NULL) return false;
  fifo->reading = openat(folder, fifo->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  fifo->file = openat(folder, output, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat found;
  if (fifo->reading < 0 || fifo->file < 0 || fstat(fifo->reading, &found) != 0 || !S_ISFIFO(found.st_mode)) return false;
  fifo_count++;
  return fstat(fifo->file, &found) == 0 && S_ISREG(found.st_mode);
}

int pump_rescue(int count, char **words) {
  static struct counts own_counts;
  uint64_t limit = 0;
  counts = &own_counts;
  for (const char *digit = words[0]; *digit >= '0' && *digit <= '9' && limit < INT64_MAX / 20; digit++)
    limit = limit * 10u + (uint64_t)(*digit - '0');
  if (count > 2) folder = open(words[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (count < 3 || count > 2 + PIPES || folder < 0) return BAD_REQUEST;
  for (int i = 2; i < count; i++)
    if (!open_again(words[i])) return BAD_REQUEST;
  system_reset_signals();
  int *kept[2 * PIPES + 1] = {&folder};
  for (size_t i = 0; i < fifo_count; i++) {
    kept[2 * i + 1] = &fifos[i].reading;
    kept[2 * i + 2] = &fifos[i].file;
  }
  keep_only(kept, 2 * fifo_count + 1);
  const pid_t pid = fork();
  if (pid < 0) return NO_PROCESS;
  if (pid > 0) _exit(LAUNCHED);
  (void)setsid();
  system_show_name();
  if (chdir("/") != 0) errno = 0;
  run(limit, 0);
}
