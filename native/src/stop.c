/* The stop of a task, whole: everybody is asked to end, then frozen and killed. */
#include "life.h"

#include <signal.h>
#include <string.h>

enum {
  /* How long SIGKILL may take. A process in an uninterruptible call dies later, and is reported. */
  KILL_TAKES_MS = 2000,
  /* On a busy machine a look takes long: after so many at least a process counts as a survivor. */
  FEWEST_LOOKS = 10,
  /* A tree that forks faster than it is frozen is killed after so many rounds all the same. */
  FREEZE_ROUNDS = 300,
  /* An interactive shell ignores SIGTERM, and ends by SIGHUP. Earlier it would keep others from cleaning up. */
  HANGS_UP_AFTER_MS = 200,
  /* So many looks in a row must find nothing new before everything counts as frozen. */
  QUIET_ROUNDS = 2,
};

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
    /* The looks here have seen who was reaped, and shims of others may be left, of which nobody is: it is looked once more. */
    shim.reaped_any = true;
    return;
  }
  /* The task has ended as far as it can be ended; these are reported. */
  if (!shim.ended || shim.pending) {
    shim.pending = false;
    if (!shim.ended) shim.left_early = true;
    shim.timeout_at = shim.output_at = never;
    shim.bound_over = true;
    queue_leave();
    record_left(&tree, shim.request->gone_proof);
    queue_tell_followers();
  }
  /* Where processes cannot be looked at others have to: they do when no answer comes. */
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
  const uint64_t grace = text_integer(line, "graceMs", shim.request->grace_ms);
  copy_id(id);
  shim.announced = true;
  record_stopping(shim.stop_id);
  stop(number, grace);
}
