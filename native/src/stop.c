/* The stop of a task. The shim asks all its processes to end, later freezes them, and kills them. */
#include "life.h"

#include <signal.h>
#include <string.h>

enum {
  /* How long SIGKILL may take. A process in an uninterruptible call dies later, and counts as a survivor. */
  KILL_TAKES_MS = 2000,
  /* On a busy machine a check takes long. A process counts as a survivor only after this many. */
  FEWEST_LOOKS = 10,
  /* A tree that forks faster than it can be frozen is killed after this many rounds. */
  FREEZE_ROUNDS = 300,
  /*
   * An interactive shell ignores SIGTERM and ends by SIGHUP. An earlier SIGHUP would keep other processes from
   * cleaning up.
   */
  HANGS_UP_AFTER_MS = 200,
  /* How many checks in a row must find no new process until all count as frozen. */
  QUIET_ROUNDS = 2,
};

static void signal_all(int number) {
  const bool as_group = !shim.ended;
  struct tree tree;
  /* Without a subreaper the parent may be the only sign of whose a process is, and the parent is about to end. */
  if (!shim.subreaper) system_tree(&tree, shim.command, shim.request->cookie);
  if (as_group) (void)kill(-shim.command, number);
  system_tree(&tree, shim.command, shim.request->cookie);
  for (size_t i = 0; i < tree.count; i++) {
    if (!as_group || tree.members[i].group != shim.command) (void)system_signal(&tree.members[i], number);
  }
  /* A suspended process acts on a signal only after SIGCONT. */
  if (number == SIGSTOP || number == SIGCONT) return;
  if (as_group) (void)kill(-shim.command, SIGCONT);
  for (size_t i = 0; i < tree.count; i++) {
    if (!as_group || tree.members[i].group != shim.command) (void)system_signal(&tree.members[i], SIGCONT);
  }
}

/* Suspends all processes, until checks find none that runs. A suspended process cannot escape by a fork. */
static void freeze(void) {
  if (!shim.ended) (void)kill(-shim.command, SIGSTOP);
  for (int round = 0, quiet = 0; round < FREEZE_ROUNDS && quiet < QUIET_ROUNDS; round++) {
    /* A process that re-forks all the time becomes a child of this process each time. Here it is caught soonest. */
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

void end_by_force(struct tree *tree) {
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
      carry();
      looks++;
      if (looks >= FEWEST_LOOKS && clock_ms() >= end) return;
      if (tree->unknown && tree->count == 0 && shim.ended) return;
      (void)wake_wait(pause, 0);
      if (pause >= 32) break;
    }
  }
}

void finish_stop(void) {
  static struct tree tree;
  end_by_force(&tree);
  shim.stopping = false;
  shim.grace_ends_at = never;
  if (tree.count == 0 && !tree.unknown) {
    /*
     * These checks have consumed the news of reaped children, and shims of nested tasks may be left. So ask for one
     * more check.
     */
    shim.reaped_any = true;
    return;
  }
  /* The task has ended as far as possible. The survivors are recorded. */
  if (!shim.ended || shim.pending) {
    shim.pending = false;
    if (!shim.ended) shim.left_early = true;
    shim.timeout_at = shim.output_at = never;
    shim.bound_over = true;
    queue_leave();
    record_left(&tree, shim.request->gone_proof, dropped_bytes());
    queue_tell_followers();
  }
  /* When processes cannot be read, another process must end them. It does when no answer comes. */
  if (shim.announced && !tree.unknown) record_stopped(shim.stop_id, &tree);
  system_forget_tree();
}

void stop(int number, uint64_t grace_ms) {
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
  if (terminal_is_there() && !shim.ended && number == SIGTERM) shim.hangup_at = now + HANGS_UP_AFTER_MS;
}

void hang_up(void) {
  shim.hangup_at = never;
  if (shim.ended) return;
  (void)kill(shim.command, SIGHUP);
  (void)kill(shim.command, SIGCONT);
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

void take_line(const char *line, void *what) {
  (void)what;
  static const char stop_fact[] = "{\"fact\":\"stop\",";
  if (strncmp(line, stop_fact, sizeof stop_fact - 1) != 0) return;
  /* The shim acts on its own stop when it writes it. */
  const char *const id = text_value(line, "id");
  if (id != NULL && strncmp(id, "\"shim\"", 6) == 0) return;
  int number = SIGTERM;
  const char *const name = text_value(line, "killSignal");
  if (name != NULL && *name == '"') {
    const size_t length = strcspn(name + 1, "\"");
    const int found = signal_number(name + 1, length);
    if (found != 0) number = found;
  }
  const uint64_t grace = text_integer(line, "graceMs", shim.request->grace_ms);
  copy_id(id);
  shim.announced = true;
  record_stopping(shim.stop_id);
  stop(number, grace);
}
