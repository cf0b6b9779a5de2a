/*
 * The queue of a session: record locks in one empty file, through which all its shims agree without another process.
 *
 * Each lock is on one byte, and says something about the task whose shim holds it. The kernel lets only one process
 * lock a byte, and frees the locks of a dead process. A running task holds one lock. A task that waits for its turn
 * holds another, at an offset that is its position in the queue. So the locks show which task is first, and how many
 * run.
 *
 * A process loses its locks when it closes any descriptor of the file. So it opens the file once, after its last fork
 * that matters, and never closes it. A child has no locks, and its descriptor closes when it becomes the command.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  /*
   * A SIGKILLed shim tells no other that a place is free. So the first in the queue checks this often; those after it
   * check the first.
   */
  FIRST_LOOKS_MS = 500,
  NEXT_LOOK_MS = 1000,
  /* How many shims at the front of the queue are woken when it moves, and check by themselves. */
  FRONT = 3,
  /* How often the first in the queue continues suspended shims that have places. */
  CONTINUED_MS = 5000,
  /* How many places are tried at random before all are tried in order. */
  CHANCES = 8,
  MOST_TRIES = 5,
  /* Tasks of the same microsecond get the next free byte. */
  MOST_OF_A_MOMENT = 64,
};

/* What a lock says about its task, and what the number of the byte is. */
enum kind {
  LIVES,   /* Its shim lives. The task's id. */
  RUNS,    /* It runs, and takes a place. Any free number below its limit. */
  WAITS,   /* It waits for its turn. The time of its spawn: the lower comes first. */
  FOLLOWS, /* It waits for the end of another task. The id of that one; several shims may share it. */
};

/* Where the places begin of tasks that run although none was free: beyond all limits. */
static const uint64_t beyond = 1ull << 56;

enum answer { NO, YES, UNKNOWN };

static struct {
  int file;
  bool runs, waits;
  off_t lives_byte, run_byte, wait_byte;
  uint64_t continue_at;
  bool is_far; /* FRONT or more shims were in front of it. */
} queue = {.file = -1};

static off_t byte_of(enum kind kind, uint64_t index) { return (off_t)((uint64_t)kind << 60 | index); }

static uint64_t number_of(const char *task) {
  uint64_t number = 0;
  for (const char *at = task; *at != '\0'; at++) {
    if (*at >= '0' && *at <= '9') number = number << 4 | (uint64_t)(*at - '0');
    if (*at >= 'a' && *at <= 'f') number = number << 4 | (uint64_t)(*at - 'a' + 10);
  }
  return number & ((1ull << 48) - 1);
}

static bool set(short type, off_t at) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
  int done, interrupted = 0;
  do {
    done = fcntl(queue.file, F_SETLK, &lock);
  } while (done != 0 && is_interrupted(&interrupted));
  return done == 0;
}

/* Locks a byte. NO: another process has it. */
static enum answer take(off_t at) {
  if (set(F_WRLCK, at)) return YES;
  return errno == EAGAIN || errno == EACCES ? NO : UNKNOWN;
}

/* Locks the first free byte from one on. */
static bool take_next(off_t first, off_t *at) {
  for (*at = first; *at < first + MOST_OF_A_MOMENT; (*at)++) {
    const enum answer answer = take(*at);
    if (answer != NO) return answer == YES;
  }
  return false;
}

/* Looks for any lock of another process in [from, to). */
static enum answer find(off_t from, off_t to, struct flock *found) {
  *found = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = to - from};
  int done, interrupted = 0;
  do {
    done = fcntl(queue.file, F_GETLK, found);
  } while (done != 0 && is_interrupted(&interrupted));
  return done != 0 ? UNKNOWN : found->l_type == F_UNLCK ? NO : YES;
}

/*
 * Looks for the lowest lock. In the queue the kernel mostly returns it at once, because older locks come first in its
 * list.
 */
static enum answer find_lowest(off_t from, off_t to, struct flock *lowest) {
  enum answer any = NO;
  while (from < to) {
    struct flock found;
    const enum answer answer = find(from, to, &found);
    if (answer == UNKNOWN) return UNKNOWN;
    if (answer == NO) break;
    *lowest = found;
    any = YES;
    to = found.l_start;
  }
  return any;
}

/* The byte after a lock. Our locks have one byte. A lock of another program may have any length; 0 means to the end. */
static off_t end_of(const struct flock *lock, off_t all) {
  return lock->l_len <= 0 || lock->l_len > all - lock->l_start ? all : lock->l_start + lock->l_len;
}

/* How many locks others hold in [from, to), at most `most`. False when the kernel did not say. */
static bool count(off_t from, off_t to, uint64_t most, uint64_t *total) {
  for (*total = 0; *total < most; (*total)++) {
    struct flock lowest;
    const enum answer answer = find_lowest(from, to, &lowest);
    if (answer != YES) return answer == NO;
    from = end_of(&lowest, to);
  }
  return true;
}

/* Wakes a shim, so that it checks. The pid is a hint: the kernel gives no pid of another namespace. */
static void wake(const struct flock *lock) {
  if (lock->l_pid > 1) (void)kill(lock->l_pid, SIGCONT);
}

/* The same for a suspended shim only: others check by themselves. */
static void wake_if_stopped(const struct flock *lock) {
  if (lock->l_pid > 1 && system_may_be_stopped(lock->l_pid)) wake(lock);
}

/* Does this for the first holders of a lock of a kind. */
static void for_first(enum kind kind, uint64_t most, void (*act)(const struct flock *lock)) {
  off_t from = byte_of(kind, 0);
  const off_t to = byte_of(kind + 1, 0);
  for (uint64_t done = 0; done < most; done++) {
    struct flock lowest;
    if (find_lowest(from, to, &lowest) != YES) return;
    act(&lowest);
    from = end_of(&lowest, to);
  }
}

/* The queue has moved, or a place is free. */
static void wake_front(void) { for_first(WAITS, FRONT, wake); }

/* Opens the file and takes the first lock, which says that the task's shim lives. */
static bool begin_with(int file, uint64_t task) {
  if (file < 0) return false;
  queue.file = file;
  struct stat stat;
  queue.lives_byte = byte_of(LIVES, task);
  if (fstat(file, &stat) == 0 && S_ISREG(stat.st_mode) && set(F_WRLCK, queue.lives_byte)) return true;
  queue_close();
  return false;
}

bool queue_open(void) {
  if (queue.file >= 0) return true;
  const char *const path = shim.request->queue_file;
  if (path == NULL) return false;
  const int file = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, S_IRUSR | S_IWUSR);
  return begin_with(file, number_of(shim.request->task));
}

bool queue_is_possible(int file) {
  if (!begin_with(file, 1)) return false;
  const pid_t other = fork();
  struct flock seen;
  if (other == 0) _exit(find(queue.lives_byte, queue.lives_byte + 1, &seen) == YES ? 0 : 1);
  int status = 1;
  return other > 0 && waitpid(other, &status, 0) == other && status == 0;
}

void queue_close(void) {
  if (queue.file >= 0) (void)close(queue.file);
  queue.file = -1;
  queue.runs = queue.waits = false;
}

void queue_take_place(void) {
  if (!queue.runs) queue.runs = take_next(byte_of(RUNS, beyond + shim.request->order), &queue.run_byte);
}

static void give_back(void) {
  if (queue.runs) (void)set(F_UNLCK, queue.run_byte);
  queue.runs = false;
}

/* Takes any place below the limit. NO: all are taken. */
static enum answer take_place(void) {
  const uint64_t limit = shim.request->limit;
  uint64_t chance = shim.request->order;
  enum answer answer = NO;
  for (uint64_t i = 0; answer == NO && limit > CHANCES && i < CHANCES; i++) {
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    queue.run_byte = byte_of(RUNS, (chance >> 16) % limit);
    answer = take(queue.run_byte);
  }
  for (uint64_t i = 0; answer == NO && i < limit; i++) {
    queue.run_byte = byte_of(RUNS, i);
    answer = take(queue.run_byte);
  }
  queue.runs = answer == YES;
  return answer;
}

/* Whether so many others run that no place is free. */
static enum answer is_full(void) {
  uint64_t others = 0;
  const bool is_told = count(byte_of(RUNS, 0), byte_of(WAITS, 0), shim.request->limit, &others);
  return !is_told ? UNKNOWN : others < shim.request->limit ? NO : YES;
}

/*
 * A shim with a place below its limit may run if no shim has a place above it: then fewer others run than the limit
 * says. Where limits differ, the shim counts the others before and after it takes a place. Of several shims that try
 * at the same moment, the one that takes its place last sees all the others. So never more than the limit keep
 * theirs. But two may see each other, and both give way. They try again, each after its own pause.
 */
static enum answer try_place(void) {
  const off_t end = byte_of(WAITS, 0);
  struct flock any;
  for (long tries = 1; tries <= MOST_TRIES; tries++) {
    enum answer above = find(byte_of(RUNS, shim.request->limit), end, &any);
    if (above == YES && is_full() == YES) return NO;
    const enum answer taken = above == UNKNOWN ? UNKNOWN : take_place();
    if (taken != YES) return taken;
    above = find(byte_of(RUNS, shim.request->limit), end, &any);
    if (above == NO || (above == YES && is_full() == NO)) return YES;
    give_back();
    if (above == UNKNOWN) return UNKNOWN;
    const struct timespec pause = {0, tries * (long)(shim.request->order % 7 + 1) * 50000};
    (void)nanosleep(&pause, NULL);
  }
  return NO;
}

static void stand_in_line(void) {
  if (!queue.waits) queue.waits = take_next(byte_of(WAITS, shim.request->order), &queue.wait_byte);
}

bool queue_enter(struct request *request) {
  shim.request = request;
  if (!queue_open()) return true;
  /* A task that follows another one joins the queue when that one has ended. */
  if (request->queued) {
    if (request->after[0] == '\0') stand_in_line();
    return true;
  }
  const bool is_refused = try_place() == NO && !request->stays;
  if (is_refused) queue_close();
  else queue_take_place();
  return !is_refused;
}

/*
 * A second lock of the same byte updates its pid only if its kind changes as well. No other process holds either
 * kind.
 */
void queue_renew(void) {
  if (queue.file < 0) return;
  (void)set(F_RDLCK, queue.lives_byte);
  if (queue.runs) (void)set(F_RDLCK, queue.run_byte);
  if (queue.waits) (void)set(F_RDLCK, queue.wait_byte);
}

void queue_leave_line(void) {
  if (!queue.waits) return;
  queue.waits = false;
  (void)set(F_UNLCK, queue.wait_byte);
  wake_front();
}

void queue_leave(void) {
  const bool had_place = queue.runs;
  give_back();
  if (queue.waits) queue_leave_line();
  else if (had_place) wake_front();
}

/* A suspended shim keeps its place, although its command may have ended. */
static void continue_runners(void) {
  const uint64_t now = clock_ms();
  if (now < queue.continue_at) return;
  queue.continue_at = now + CONTINUED_MS;
  for_first(RUNS, shim.request->limit, wake_if_stopped);
}

/* How many are in front in the queue, at most FRONT. False when the kernel did not say. */
static bool count_in_front(uint64_t *others) { return count(byte_of(WAITS, 0), queue.wait_byte, FRONT, others); }

static bool try_first(bool is_due) {
  if (try_place() == YES) return true;
  /* A shim that has come in front may have seen this try, and given way. */
  uint64_t others;
  if (!count_in_front(&others) || others > 0) wake_front();
  if (is_due) continue_runners();
  return false;
}

bool queue_try(bool is_due, uint64_t *pause_ms) {
  stand_in_line();
  *pause_ms = NEXT_LOOK_MS;
  if (!queue.waits) return false;
  struct flock any;
  /* A shim further back checks one in front of it, mostly the first, which costs almost nothing. */
  if (is_due && queue.is_far && find(byte_of(WAITS, 0), queue.wait_byte, &any) == YES) {
    wake_if_stopped(&any);
    *pause_ms = never;
    return false;
  }
  uint64_t others;
  /* Perhaps no process will wake this one, so it checks again soon. */
  if (!count_in_front(&others)) return false;
  queue.is_far = others >= FRONT;
  if (others == 0) {
    *pause_ms = FIRST_LOOKS_MS;
    return try_first(is_due);
  }
  if (queue.is_far) *pause_ms = never;
  if (is_due) for_first(WAITS, 1, wake_if_stopped);
  return false;
}

/* ---- those that start after another task ---- */

void queue_follow(const char *task) { (void)set(F_RDLCK, byte_of(FOLLOWS, number_of(task))); }

/* Each shim that is woken wakes the next, because the kernel names only one holder of a shared lock. */
void queue_unfollow(const char *task) {
  struct flock next;
  const off_t at = byte_of(FOLLOWS, number_of(task));
  (void)set(F_UNLCK, at);
  if (find(at, at + 1, &next) == YES) wake(&next);
}

void queue_tell_followers(void) {
  struct flock one;
  const off_t at = byte_of(FOLLOWS, number_of(shim.request->task));
  if (queue.file >= 0 && find(at, at + 1, &one) == YES) wake(&one);
}

bool queue_has_died(const char *task, pid_t *pid) {
  struct flock holder;
  const off_t at = byte_of(LIVES, number_of(task));
  const enum answer lives = find(at, at + 1, &holder);
  *pid = lives == YES && holder.l_pid > 1 ? holder.l_pid : 0;
  return lives == NO;
}
