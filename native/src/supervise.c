/*
 * The life of a task, as its shim sees it: it waits for its turn, starts the command, records its end at once, holds
 * limits, performs stops, and stays until no process of the task is left.
 *
 * Two secrets, of which the spec has the seal, tell the shim's facts from those of others: `exit` shows the first, and
 * what ends a task whose end was pending (`left` after a stop, `gone`) shows the second. Who reads the first in the log
 * cannot make up the second.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t never = UINT64_MAX;

enum {
  /* Processes that end with their command have ended this long after it. */
  ENDS_SOON_MS = 30,
  /* A queued shim looks this often whether its record is still there. */
  QUEUED_LOOK_MS = 10000,
  /* Between two looks at a process that cannot be watched. */
  BOUND_LOOK_MS = 1000,
  /* Between two tries of what the disk did not take: at first, and at last. */
  RETRY_MS = 250,
  LONGEST_RETRY_MS = 10000,
  /* Where the list of children cannot be read, all processes are looked at no more often than this. */
  EMPTY_LOOK_MS = 250,
  /* The size of the output is read this often at most, and at least. */
  SHORTEST_OUTPUT_MS = 20,
  LONGEST_OUTPUT_MS = 4000,
  /* No writer is taken to be faster: 1 GB/s. */
  BYTES_A_MS = 1000000,
  /* How long SIGKILL may take. A process in an uninterruptible call dies later, and is reported. */
  KILL_TAKES_MS = 2000,
  /* On a busy machine a look takes long: after so many at least a process counts as a survivor. */
  FEWEST_LOOKS = 10,
  /* A tree that forks faster than it is frozen is killed after so many rounds all the same. */
  FREEZE_ROUNDS = 300,
  /* So many looks see nobody of a task that is not over, until that counts as not known. */
  SEEN_ROUNDS = 50,
  /* So many looks in a row must find nothing new before everything counts as frozen. */
  QUIET_ROUNDS = 2,
  /* Without subreaper nothing tells of the end of a descendant: they are looked for this often, in a stop and else. */
  TREE_LOOK_MS = 100,
  UNSEEN_LOOK_MS = 1000,
  UNSEEN_LOOKS = 4,
  MAX_CHILDREN = 256,
  ID_BYTES = 64,
};

static struct {
  struct request *request;
  pid_t self;
  uint64_t self_start;
  bool subreaper;
  struct position log;

  pid_t command;
  int report;      /* Where the child says whether the command has run. */
  bool reaped_any; /* Since the last look at the tree. */
  bool childless;
  bool ended;      /* The command; its exit is recorded. */
  bool pending;    /* The task ends later than its command. */
  int left;        /* Processes that were left when the command ended; -1: not known. */
  uint64_t left_at;
  bool empty;      /* No process of the task is left. */
  uint64_t empty_look_at;
  uint64_t retry_at, retry_pause;

  struct moment begin;
  uint64_t timeout_at;
  uint64_t output_at, output_pause, output_bytes;
  bool bound_ended, bound_over;
  uint64_t bound_at;

  bool stopping;
  bool announced;    /* A fact asked for this stop, and is answered. */
  char stop_id[ID_BYTES];
  uint64_t grace_ends_at;
  uint64_t signalled; /* A bit for each signal that was sent. */

  bool turn, stop_in_queue;
} shim;

/* ---- the end ---- */

static void reap(void);

/* Whether no process of the task is left, for certain. */
static bool is_empty(struct tree *tree) {
  reap();
  if (shim.childless && shim.subreaper) {
    *tree = (struct tree){0};
    return true;
  }
  shim.reaped_any = false;
  /* No look is of one moment: what hands on to a child and ends may be in none of several, but has to be lucky. */
  for (int looks = shim.subreaper ? 1 : UNSEEN_LOOKS; looks > 0; looks--) {
    system_tree(tree, shim.command, shim.request->cookie);
    if (tree->unknown || tree->count > 0) return false;
  }
  reap();
  if (shim.childless && shim.subreaper) return true;
  /* Nested tasks go on by themselves. Who was reaped meanwhile may have left a child that was not seen. */
  return !shim.reaped_any && (!shim.subreaper || tree->nested > 0);
}

/* The same, until somebody is seen: what hands on to a child and ends, again and again, may escape many looks. */
static bool is_empty_or_seen(struct tree *tree) {
  for (int round = 0; round < SEEN_ROUNDS; round++) {
    if (is_empty(tree)) return true;
    if (tree->unknown || tree->count > 0) return false;
  }
  tree->unknown = true;
  return false;
}

/* How many processes of the task are left besides the command; -1 when that cannot be told. */
static int count_left(void) {
  /* Without a subreaper others may be left when there are no children. */
  if (!shim.subreaper) return -1;
  if (shim.childless) return 0;
  pid_t children[MAX_CHILDREN];
  const int count = system_children(children, MAX_CHILDREN, shim.request->cookie);
  if (count > 0) return count;
  struct tree tree;
  if (is_empty_or_seen(&tree)) return 0;
  return tree.unknown ? -1 : (int)tree.count;
}

static void command_ended(int status, const struct rusage *usage) {
  shim.ended = true;
  int error = 0;
  const bool is_told = read(shim.report, &error, sizeof error) == (ssize_t)sizeof error;
  const bool refused = !is_told || error != ITS_OWN_END;
  (void)close(shim.report);
  const int left = shim.left = refused ? 0 : count_left();
  /* Then the task ends later. Without a subreaper the supervisors look for what is left otherwise. */
  shim.pending = left != 0 && (shim.stopping || shim.request->leftovers != REPORT);
  shim.left_at = shim.stopping || shim.request->leftovers == WAIT ? never : clock_ms() + ENDS_SOON_MS;
  const struct ending ending = {status, *usage, refused ? &error : NULL, left, shim.pending};
  record_exit(shim.request, &ending);
  if (shim.pending) return;
  /* A server that a task happened to start is not shot when the task's time is over. */
  shim.timeout_at = shim.output_at = never;
  shim.bound_over = true;
}

static void reap(void) {
  struct rusage command_usage = {0};
  int command_status = 0;
  bool ended = false;
  for (;;) {
    int status = 0;
    struct rusage usage;
    const pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid <= 0) {
      shim.childless = pid < 0 && errno == ECHILD;
      break;
    }
    shim.reaped_any = true;
    /* Its pid may be another's, of a process that was adopted since. */
    if (pid != shim.command || shim.ended) continue;
    command_status = status;
    command_usage = usage;
    ended = true;
  }
  if (ended) command_ended(command_status, &command_usage);
}

/* ---- the stop ---- */

static void signal_all(int number) {
  const bool as_group = !shim.ended;
  struct tree tree;
  /* Without a subreaper a parent may be all that tells whose a process is, and is about to end. */
  if (!shim.subreaper) system_tree(&tree, shim.command, shim.request->cookie);
  if (as_group) (void)kill(-shim.command, number);
  system_tree(&tree, shim.command, shim.request->cookie);
  for (size_t i = 0; i < tree.count; i++) {
    if (!as_group || tree.members[i].group != shim.command) (void)system_signal(&tree.members[i], number);
  }
  /* A stopped process acts on a signal only when it is continued. */
  if (number == SIGSTOP || number == SIGCONT) return;
  if (as_group) (void)kill(-shim.command, SIGCONT);
  for (size_t i = 0; i < tree.count; i++) {
    if (!as_group || tree.members[i].group != shim.command) (void)system_signal(&tree.members[i], SIGCONT);
  }
}

/* What is stopped cannot fork away: everything is, until looks find nothing that runs. */
static void freeze(void) {
  if (!shim.ended) (void)kill(-shim.command, SIGSTOP);
  for (int round = 0, quiet = 0; round < FREEZE_ROUNDS && quiet < QUIET_ROUNDS; round++) {
    /* What re-forks all the time has this process for its parent each time, and is caught soonest here. */
    pid_t children[MAX_CHILDREN];
    const int count = shim.subreaper ? system_children(children, MAX_CHILDREN, shim.request->cookie) : 0;
    for (int i = 0; i < count; i++) (void)kill(children[i], SIGSTOP);
    struct tree tree;
    system_tree(&tree, shim.command, shim.request->cookie);
    bool fresh = false;
    for (size_t i = 0; i < tree.count; i++) {
      if (!tree.members[i].stopped && system_signal(&tree.members[i], SIGSTOP)) fresh = true;
    }
    quiet = fresh ? 0 : quiet + 1;
    reap();
    if (shim.childless && shim.subreaper) return;
  }
}

/* Ends every process. What is alive after it is in `tree`. */
static void end_by_force(struct tree *tree) {
  uint64_t end = never;
  int looks = 0;
  for (;;) {
    freeze();
    system_tree(tree, shim.command, shim.request->cookie);
    if (shim.request->cgroup[0] != '\0' && tree->nested == 0 && !tree->unknown)
      system_kill_cgroup(shim.request->cgroup);
    if (!shim.ended) (void)kill(-shim.command, SIGKILL);
    for (size_t i = 0; i < tree->count; i++) (void)system_signal(&tree->members[i], SIGKILL);
    if (end == never) end = clock_ms() + KILL_TAKES_MS;
    for (uint64_t pause = 1;; pause = pause < 32 ? pause * 2 : pause) {
      if (is_empty(tree)) return;
      looks++;
      if (looks >= FEWEST_LOOKS && clock_ms() >= end) return;
      if (tree->unknown && tree->count == 0 && shim.ended) return;
      (void)wake_wait(pause, 0);
      if (pause >= 32) break;
    }
  }
}

static void finish_stop(void) {
  static struct tree tree;
  end_by_force(&tree);
  shim.stopping = false;
  shim.grace_ends_at = never;
  if (tree.count == 0 && !tree.unknown) return;
  /* The task has ended as far as it can be ended; these are reported. */
  if (!shim.ended || shim.pending) {
    shim.pending = false;
    shim.timeout_at = shim.output_at = never;
    shim.bound_over = true;
    record_left(&tree, shim.request->gone_proof);
  }
  /* Where processes cannot be looked at others have to: they do when no answer comes. */
  if (shim.announced && !tree.unknown) record_stopped(shim.stop_id, &tree);
  system_forget_tree();
}

/* Begins a stop, or hurries one that is on its way: the earliest end of grace counts, and each signal is sent once. */
static void stop(int number, uint64_t grace_ms) {
  const uint64_t now = clock_ms();
  const uint64_t end = grace_ms > never - now ? never - 1 : now + grace_ms;
  if (!shim.stopping || end < shim.grace_ends_at) shim.grace_ends_at = number == SIGKILL ? now : end;
  if (number == SIGKILL) shim.grace_ends_at = now;
  if (!shim.stopping) shim.signalled = 0;
  shim.stopping = true;
  if (shim.ended && shim.left_at != never) shim.left_at = never;
  const uint64_t bit = number < 64 ? 1ull << number : 0;
  if (number == SIGKILL || (shim.signalled & bit) != 0) return;
  shim.signalled |= bit;
  signal_all(number);
}

static void copy_id(const char *value) {
  size_t length = 0;
  if (value != NULL && *value == '"') {
    for (value++; value[length] != '"' && length < ID_BYTES - 1; length++) {
      const char c = value[length];
      if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'))) break;
    }
    memcpy(shim.stop_id, value, length);
  }
  shim.stop_id[length] = '\0';
}

/* The number that stands for a key in a line, or `otherwise`. */
static uint64_t number_in(const char *line, const char *key, uint64_t otherwise) {
  const char *digits = text_value(line, key);
  if (digits == NULL || *digits < '0' || *digits > '9') return otherwise;
  uint64_t number = 0;
  for (; *digits >= '0' && *digits <= '9' && number < INT64_MAX / 20; digits++)
    number = number * 10u + (uint64_t)(*digits - '0');
  return number;
}

static void take_line(const char *line, void *what) {
  (void)what;
  static const char stop_fact[] = "{\"fact\":\"stop\",", turn_fact[] = "{\"fact\":\"turn\",";
  static const char outcome_fact[] = "{\"fact\":\"outcome\",";
  if (shim.command == 0) {
    if (strncmp(line, turn_fact, sizeof turn_fact - 1) == 0) shim.turn = true;
    if (strncmp(line, stop_fact, sizeof stop_fact - 1) == 0) shim.stop_in_queue = true;
    if (strncmp(line, outcome_fact, sizeof outcome_fact - 1) == 0) shim.stop_in_queue = true;
    return;
  }
  if (strncmp(line, stop_fact, sizeof stop_fact - 1) != 0) return;
  /* This process's own is carried out when it is written. */
  const char *const id = text_value(line, "id");
  if (id != NULL && strncmp(id, "\"shim\"", 6) == 0) return;
  int number = SIGTERM;
  const char *const name = text_value(line, "killSignal");
  if (name != NULL && *name == '"') {
    const size_t length = strcspn(name + 1, "\"");
    const int found = signal_number(name + 1, length);
    if (found != 0) number = found;
  }
  const uint64_t grace = number_in(line, "graceMs", shim.request->grace_ms);
  copy_id(id);
  shim.announced = true;
  record_stopping(shim.stop_id);
  stop(number, grace);
}

/* ---- limits ---- */

static void stop_for(const char *cause) {
  record_own_stop(cause, shim.request->grace_ms);
  stop(SIGTERM, shim.request->grace_ms);
}

static uint64_t output_size(void) {
  struct stat out = {0}, err = {0};
  if (fstat(OUTPUT_FD, &out) != 0 || out.st_size < 0) out.st_size = 0;
  if (shim.request->separate && (fstat(ERROR_FD, &err) != 0 || err.st_size < 0)) err.st_size = 0;
  return (uint64_t)out.st_size + (uint64_t)err.st_size;
}

static void look_at_output(uint64_t now) {
  const uint64_t limit = shim.request->max_output;
  const uint64_t size = output_size();
  if (size > limit) {
    if (!shim.stopping) stop_for("output_limit");
    /* It is being stopped and goes on writing all the same: the grace is not for that. */
    else if (size > limit + limit / 20) stop(SIGKILL, 0);
    shim.output_at = now + SHORTEST_OUTPUT_MS;
    return;
  }
  uint64_t pause = (limit - size) / BYTES_A_MS;
  if (pause < SHORTEST_OUTPUT_MS) pause = SHORTEST_OUTPUT_MS;
  if (size == shim.output_bytes && shim.output_pause * 2 > pause) pause = shim.output_pause * 2;
  if (pause > LONGEST_OUTPUT_MS) pause = LONGEST_OUTPUT_MS;
  shim.output_bytes = size;
  shim.output_pause = pause;
  shim.output_at = now + pause;
}

static bool bound_is_gone(void) {
  return shim.bound_ended || system_is_gone(shim.request->bound_pid, shim.request->bound_start);
}

/* Who watches has its word, also while the process is a zombie and its pid is taken. */
static void bound_ended(void) {
  shim.bound_ended = true;
  shim.bound_at = 0;
}

static void watch_bound(void) {
  if (shim.request->bound_pid == 0) return;
  const bool watched = wake_watch(shim.request->bound_pid, shim.request->bound_start);
  shim.bound_at = watched ? never : clock_ms();
}

static void hold_limits(uint64_t now) {
  if (!shim.bound_over && now >= shim.bound_at) {
    shim.bound_over = bound_is_gone();
    shim.bound_at = now + BOUND_LOOK_MS;
    if (shim.bound_over && !shim.stopping) stop_for("bound");
  }
  if (now >= shim.timeout_at) {
    shim.timeout_at = never;
    if (!shim.stopping) stop_for("timeout");
  }
  if (now >= shim.output_at) look_at_output(now);
}

/* ---- life ---- */

static bool await_turn(void) {
  record_waiting(shim.self, shim.self_start);
  shim.bound_over = shim.request->bound_pid == 0;
  watch_bound();
  for (;;) {
    (void)record_read(&shim.log, take_line, NULL);
    record_retry();
    if (shim.stop_in_queue || record_is_removed()) return false;
    if (shim.turn) return true;
    const uint64_t now = clock_ms();
    if (!shim.bound_over && now >= shim.bound_at) {
      shim.bound_over = bound_is_gone();
      shim.bound_at = now + BOUND_LOOK_MS;
      if (shim.bound_over) record_own_stop("bound", shim.request->grace_ms);
      if (shim.bound_over && record_is_complete()) return false;
    }
    const uint64_t left = shim.bound_over || shim.bound_at == never ? QUEUED_LOOK_MS : BOUND_LOOK_MS;
    if (wake_wait(record_is_complete() ? left : RETRY_MS, left / 8)) bound_ended();
  }
}

static bool could_not_start(int error) {
  const struct ending ending = {.refusal = &error};
  shim.childless = true;
  record_exit(shim.request, &ending);
  return false;
}

static bool start_command(void) {
  int ends[2];
  if (pipe(ends) != 0) return could_not_start(errno);
  for (int i = 0; i < 2; i++) (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
  /* By the one reading both the timeout and the duration count: what timed out has run for that long. */
  shim.begin = (struct moment){clock_ms(), clock_epoch_ms()};
  const pid_t pid = fork();
  if (pid == 0)
    command_become(shim.request, shim.self, shim.self_start, shim.begin, shim.subreaper, ends[1]);
  const int error = errno;
  (void)close(ends[1]);
  if (pid < 0) return could_not_start(error);
  shim.report = ends[0];
  (void)setpgid(pid, pid);
  shim.command = pid;
  return true;
}

static void do_what_is_due(uint64_t now) {
  if (shim.stopping && now >= shim.grace_ends_at) finish_stop();
  if (!shim.ended || now < shim.left_at) return;
  shim.left_at = never;
  struct tree tree;
  shim.empty = is_empty_or_seen(&tree);
  if (shim.empty) return;
  if (shim.request->leftovers == KILL && shim.pending) {
    shim.announced = false;
    stop(SIGTERM, shim.request->grace_ms);
  } else {
    record_left(&tree, NULL);
    system_forget_tree();
  }
}

/*
 * Looks whether the last process of the task is gone. It was a child of this process, so nothing is looked at before one
 * has ended; and while another child is there that is no nested task, nothing else needs to be looked at: a daemon may
 * end thousands of children.
 */
static void look_for_emptiness(uint64_t now) {
  struct tree tree;
  if (shim.empty || (shim.subreaper && !shim.childless && !shim.reaped_any)) return;
  if (!shim.subreaper && !shim.stopping) {
    if (now < shim.empty_look_at) return;
    shim.empty_look_at = now + UNSEEN_LOOK_MS;
  }
  if (shim.subreaper && !shim.childless) {
    pid_t one[1];
    const int count = system_children(one, 1, shim.request->cookie);
    if (count > 0) shim.reaped_any = false;
    if (count > 0 || (count < 0 && now < shim.empty_look_at)) return;
    shim.empty_look_at = now + EMPTY_LOOK_MS;
  }
  shim.empty = is_empty(&tree);
}

/* Whether there is nothing left to do. */
static bool is_over(uint64_t now) {
  if (!shim.ended) return false;
  const bool waits = shim.subreaper || shim.stopping || shim.pending;
  if (waits) look_for_emptiness(now);
  return (shim.empty || !waits) && (record_is_complete() || record_is_removed());
}

/* Tries again what the disk did not take, less and less often. */
static void retry(uint64_t now) {
  if (record_is_complete() || now < shim.retry_at) return;
  record_retry();
  shim.retry_pause = record_is_complete() ? 0 : shim.retry_pause == 0 ? RETRY_MS : shim.retry_pause * 2;
  if (shim.retry_pause > LONGEST_RETRY_MS) shim.retry_pause = LONGEST_RETRY_MS;
  shim.retry_at = now + shim.retry_pause;
}

static uint64_t earlier(uint64_t one, uint64_t other) { return one < other ? one : other; }

static void sleep_until_something(void) {
  uint64_t at = earlier(earlier(shim.timeout_at, shim.grace_ends_at), shim.left_at);
  if (!shim.bound_over) at = earlier(at, shim.bound_at);
  const uint64_t now = clock_ms();
  if (!record_is_complete()) at = earlier(at, shim.retry_at);
  const bool looks = shim.subreaper ? shim.reaped_any : shim.pending && !shim.stopping;
  if (shim.ended && looks && !shim.empty) at = earlier(at, shim.empty_look_at);
  if (shim.stopping && !shim.subreaper) at = earlier(at, now + TREE_LOOK_MS);
  /* A thousand quiet tasks are to wake together; a flood is to be seen in time. */
  const bool is_quiet = shim.output_at < at && shim.output_pause >= 1000;
  at = earlier(at, shim.output_at);
  const bool gone = wake_wait(at == never ? never : at > now ? at - now : 0, is_quiet ? shim.output_pause / 4 : 0);
  if (gone) bound_ended();
}

/* The last word has to be on the disk, which may be full. */
static int until_recorded(void) {
  while (!record_is_complete() && !record_is_removed()) {
    (void)wake_wait(RETRY_MS, 0);
    record_retry();
  }
  return 0;
}

int supervise(struct request *request, void (*wipe)(const char *cookie)) {
  shim.request = request;
  shim.self = getpid();
  shim.subreaper = system_become_reaper();
  shim.self_start = system_start(shim.self);
  shim.log = (struct position){request->log_offset, false};
  shim.timeout_at = shim.output_at = shim.left_at = shim.grace_ends_at = shim.bound_at = never;
  wake_open();
  if (request->queued && !await_turn()) return 0;
  /* This process may be stopped at any moment; a timeout counts from the start of the command all the same. */
  const bool started = start_command();
  wipe(request->cookie);
  memset(request->words, 0, sizeof request->words);
  /* It is in nobody's way in a folder that somebody wants to unmount. */
  if (chdir("/") != 0) errno = 0;
  if (!started) return until_recorded();
  if (request->timeout_ms > 0) shim.timeout_at = shim.begin.ms + request->timeout_ms;
  if (request->max_output > 0) shim.output_at = clock_ms();
  shim.bound_over = request->bound_pid == 0;
  if (!request->queued) watch_bound();
  for (;;) {
    reap();
    (void)record_read(&shim.log, take_line, NULL);
    const uint64_t now = clock_ms();
    retry(now);
    hold_limits(now);
    do_what_is_due(now);
    if (is_over(now)) break;
    sleep_until_something();
  }
  /* With `left: 0` the exit has said it already. Without a subreaper nobody knows. */
  if (shim.left != 0 && shim.subreaper) record_gone(shim.request->gone_proof);
  return until_recorded();
}
