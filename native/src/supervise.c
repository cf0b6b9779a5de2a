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
#include <sys/resource.h>
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
  /* Between two tries of what the disk did not take. */
  RETRY_MS = 250,
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
  /* Without subreaper nothing tells of the end of a descendant: they are looked for this often. */
  TREE_LOOK_MS = 100,
  MAX_CHILDREN = 256,
  MAX_NAMED = 64,
  ID_BYTES = 64,
};

static struct {
  struct request *request;
  pid_t self;
  uint64_t self_start;
  bool adopts;
  struct position log;

  pid_t command;
  int report;      /* Where the child says that nothing has run. */
  bool reaped_any; /* Since the last look at the tree. */
  bool childless;
  bool ended;      /* The command; its exit is recorded. */
  bool pending;    /* The task ends later than its command. */
  int left;        /* Processes that were left when the command ended; -1: not known. */
  uint64_t left_at;
  bool empty;      /* No process of the task is left. */

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

/* ---- facts ---- */

static void begin(struct text *text, char *bytes, size_t room, const char *words) {
  *text = (struct text){bytes, 0, room, false};
  text_add(text, words);
}

static void add_times(struct text *text) {
  text_add(text, ",\"at\":");
  text_number(text, clock_epoch_ms());
  text_add(text, ",\"monoMs\":");
  text_number(text, clock_ms());
}

static void add_pair(struct text *text, const char *key, const char *value) {
  text_add(text, ",\"");
  text_add(text, key);
  text_add(text, "\":\"");
  text_add(text, value);
  text_add(text, "\"");
}

static void finish(struct text *text) {
  text_add(text, "}\n");
  /* All facts have room for what the shim itself puts in; a text that has none left is no fact. */
  if (!text->overflow) record(text->bytes, text->length);
}

static void record_waiting(void) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"waiting\",\"pid\":");
  text_number(&text, (uint64_t)shim.self);
  text_add(&text, ",\"start\":");
  if (shim.self_start == 0) text_add(&text, "null");
  else text_number(&text, shim.self_start);
  finish(&text);
}

static void record_own_stop(const char *cause) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"stop\"");
  add_pair(&text, "cause", cause);
  text_add(&text, ",\"id\":\"shim\",\"graceMs\":");
  text_number(&text, shim.request->grace_ms);
  text_add(&text, ",\"killSignal\":\"SIGTERM\",\"by\":null,\"at\":");
  text_number(&text, clock_epoch_ms());
  finish(&text);
}

static void record_stopping(const char *id) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"stopping\"");
  add_pair(&text, "id", id);
  finish(&text);
}

static void add_members(struct text *text, const struct tree *tree) {
  text_add(text, "[");
  for (size_t i = 0; i < tree->count && i < MAX_NAMED; i++) {
    text_add(text, i == 0 ? "{\"pid\":" : ",{\"pid\":");
    text_number(text, (uint64_t)tree->members[i].pid);
    text_add(text, ",\"start\":");
    text_number(text, tree->members[i].start);
    text_add(text, ",\"command\":");
    system_command_line(tree->members[i].pid, text);
    text_add(text, "}");
  }
  text_add(text, "]");
}

/* Who is alive. `proof` ends a task whose end was pending. */
static void record_left(const struct tree *tree, const char *proof) {
  /* 64 command lines of 200 characters, each of which may take six bytes. */
  static char bytes[96 * 1024];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"left\",\"count\":");
  if (tree->unknown) {
    text_add(&text, "null,\"processes\":null");
  } else {
    text_number(&text, tree->count);
    text_add(&text, ",\"processes\":");
    add_members(&text, tree);
  }
  if (proof != NULL) add_pair(&text, "proof", proof);
  finish(&text);
}

static void record_stopped(const struct tree *tree) {
  static char bytes[96 * 1024];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"stopped\"");
  add_pair(&text, "id", shim.stop_id);
  text_add(&text, ",\"survivors\":");
  add_members(&text, tree);
  finish(&text);
}

static void record_gone(void) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"gone\"");
  add_pair(&text, "proof", shim.request->gone_proof);
  finish(&text);
}

static void record_exit(int status, const struct rusage *usage, int left, const int *refusal) {
  char bytes[512];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"exit\"");
  if (refusal != NULL) {
    text_add(&text, ",\"code\":null,\"killSignal\":null,\"ran\":false,\"errno\":");
    text_number(&text, (uint64_t)*refusal);
  } else if (WIFSIGNALED(status)) {
    text_add(&text, ",\"code\":null,\"killSignal\":\"");
    signal_name(WTERMSIG(status), &text);
    text_add(&text, WCOREDUMP(status) ? "\",\"core\":true" : "\",\"core\":false");
  } else {
    text_add(&text, ",\"code\":");
    text_number(&text, (uint64_t)WEXITSTATUS(status));
    text_add(&text, ",\"killSignal\":null");
  }
  add_times(&text);
  const int64_t cpu = ((int64_t)usage->ru_utime.tv_sec + (int64_t)usage->ru_stime.tv_sec) * 1000 +
                      ((int64_t)usage->ru_utime.tv_usec + (int64_t)usage->ru_stime.tv_usec) / 1000;
  text_add(&text, ",\"cpuMs\":");
  text_number(&text, (uint64_t)cpu);
  text_add(&text, ",\"peakBytes\":");
#ifdef __APPLE__
  text_number(&text, (uint64_t)usage->ru_maxrss);
#else
  text_number(&text, (uint64_t)usage->ru_maxrss * 1024u);
#endif
  text_add(&text, ",\"left\":");
  if (left < 0) text_add(&text, "null");
  else text_number(&text, (uint64_t)left);
  text_add(&text, shim.pending ? ",\"pending\":true" : ",\"pending\":false");
  add_pair(&text, "proof", shim.request->exit_proof);
  finish(&text);
  /* Without the line break in front. */
  if (shim.request->bell) ring(shim.request->task, bytes + 1, text.length - 2);
  memset(shim.request->exit_proof, 0, sizeof shim.request->exit_proof);
}

/* ---- the end ---- */

static void reap(void);

/* Whether no process of the task is left, for certain. */
static bool is_empty(struct tree *tree) {
  reap();
  if (shim.childless && shim.adopts) {
    *tree = (struct tree){0};
    return true;
  }
  shim.reaped_any = false;
  system_tree(tree, shim.command, shim.request->cookie);
  if (tree->unknown || tree->count > 0) return false;
  reap();
  if (shim.childless && shim.adopts) return true;
  /* Nested tasks go on by themselves. Who was reaped meanwhile may have left a child that was not seen. */
  return !shim.reaped_any && (!shim.adopts || tree->nested > 0);
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
  if (shim.childless) return 0;
  if (!shim.adopts) return -1;
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
  const bool refused = read(shim.report, &error, sizeof error) == (ssize_t)sizeof error;
  (void)close(shim.report);
  const int left = shim.left = refused ? 0 : count_left();
  /* Without a subreaper the supervisors find and end what is left, except after a stop that this process performs. */
  const bool stays = shim.stopping || (shim.adopts && shim.request->leftovers != REPORT);
  shim.pending = left != 0 && stays;
  shim.left_at = shim.stopping || shim.request->leftovers == WAIT ? never : clock_ms() + ENDS_SOON_MS;
  record_exit(status, usage, left, refused ? &error : NULL);
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
  if (as_group) (void)kill(-shim.command, number);
  struct tree tree;
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
    const int count = shim.adopts ? system_children(children, MAX_CHILDREN, shim.request->cookie) : 0;
    for (int i = 0; i < count; i++) (void)kill(children[i], SIGSTOP);
    struct tree tree;
    system_tree(&tree, shim.command, shim.request->cookie);
    bool fresh = false;
    for (size_t i = 0; i < tree.count; i++) {
      if (!tree.members[i].stopped && system_signal(&tree.members[i], SIGSTOP)) fresh = true;
    }
    quiet = fresh ? 0 : quiet + 1;
    reap();
    if (shim.childless && shim.adopts) return;
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
  if (shim.announced) record_stopped(&tree);
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
  uint64_t grace = shim.request->grace_ms;
  const char *digits = text_value(line, "graceMs");
  if (digits != NULL && *digits >= '0' && *digits <= '9') {
    for (grace = 0; *digits >= '0' && *digits <= '9' && grace < INT64_MAX / 20; digits++)
      grace = grace * 10u + (uint64_t)(*digits - '0');
  }
  copy_id(id);
  shim.announced = true;
  record_stopping(shim.stop_id);
  stop(number, grace);
}

/* ---- limits ---- */

static void stop_for(const char *cause) {
  record_own_stop(cause);
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
  record_waiting();
  shim.bound_over = shim.request->bound_pid == 0;
  watch_bound();
  for (;;) {
    record_read(&shim.log, take_line, NULL);
    record_retry();
    if (shim.stop_in_queue || record_is_removed()) return false;
    if (shim.turn) return true;
    const uint64_t now = clock_ms();
    if (!shim.bound_over && now >= shim.bound_at) {
      shim.bound_over = bound_is_gone();
      shim.bound_at = now + BOUND_LOOK_MS;
      if (shim.bound_over) record_own_stop("bound");
      if (shim.bound_over && record_is_complete()) return false;
    }
    const uint64_t left = shim.bound_over || shim.bound_at == never ? QUEUED_LOOK_MS : BOUND_LOOK_MS;
    if (wake_wait(record_is_complete() ? left : RETRY_MS, left / 8)) bound_ended();
  }
}

static bool start_command(void) {
  int ends[2];
  if (pipe(ends) != 0) ends[0] = ends[1] = -1;
  for (int i = 0; i < 2; i++) (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const pid_t pid = ends[0] < 0 ? -1 : fork();
  if (pid == 0) command_become(shim.request, shim.self, shim.self_start, shim.adopts, ends[1]);
  const int error = errno;
  (void)close(ends[1]);
  shim.report = ends[0];
  if (pid > 0) {
    (void)setpgid(pid, pid);
    shim.command = pid;
    return true;
  }
  const struct rusage nothing = {0};
  shim.childless = true;
  record_exit(0, &nothing, 0, &error);
  return false;
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

/* Whether there is nothing left to do. */
static bool is_over(void) {
  if (!shim.ended || !record_is_complete()) return false;
  if (!shim.adopts && !shim.stopping) return true;
  struct tree tree;
  /* A task that has lost its last process has lost a child of this one. */
  if (!shim.empty && (shim.childless || shim.reaped_any || !shim.adopts)) shim.empty = is_empty(&tree);
  return shim.empty;
}

static uint64_t earlier(uint64_t one, uint64_t other) { return one < other ? one : other; }

static void sleep_until_something(void) {
  uint64_t at = earlier(earlier(shim.timeout_at, shim.grace_ends_at), shim.left_at);
  if (!shim.bound_over) at = earlier(at, shim.bound_at);
  const uint64_t now = clock_ms();
  if (!record_is_complete()) at = earlier(at, now + RETRY_MS);
  if (shim.stopping && !shim.adopts) at = earlier(at, now + TREE_LOOK_MS);
  /* A thousand quiet tasks are to wake together; a flood is to be seen in time. */
  const bool is_quiet = shim.output_at < at && shim.output_pause >= 1000;
  at = earlier(at, shim.output_at);
  const bool gone = wake_wait(at == never ? never : at > now ? at - now : 0, is_quiet ? shim.output_pause / 4 : 0);
  if (gone) bound_ended();
}

int supervise(struct request *request, void (*wipe)(const char *cookie)) {
  shim.request = request;
  shim.self = getpid();
  shim.adopts = system_become_reaper();
  shim.self_start = system_start(shim.self);
  shim.log = (struct position){request->log_offset, false};
  shim.timeout_at = shim.output_at = shim.left_at = shim.grace_ends_at = shim.bound_at = never;
  wake_open();
  if (request->queued && !await_turn()) return 0;
  const bool started = start_command();
  wipe(request->cookie);
  memset(request->words, 0, sizeof request->words);
  /* It is in nobody's way in a folder that somebody wants to unmount. */
  if (chdir("/") != 0) errno = 0;
  while (!started && !record_is_complete() && !record_is_removed()) {
    (void)wake_wait(RETRY_MS, 0);
    record_retry();
  }
  if (!started) return 0;
  if (request->timeout_ms > 0) shim.timeout_at = clock_ms() + request->timeout_ms;
  if (request->max_output > 0) shim.output_at = clock_ms();
  shim.bound_over = request->bound_pid == 0;
  if (!request->queued) watch_bound();
  for (;;) {
    reap();
    record_read(&shim.log, take_line, NULL);
    record_retry();
    const uint64_t now = clock_ms();
    hold_limits(now);
    do_what_is_due(now);
    if (is_over()) break;
    sleep_until_something();
  }
  /* With `left: 0` the exit has said it already. Without a subreaper nobody knows. */
  if (shim.left != 0 && shim.adopts) record_gone();
  return 0;
}
