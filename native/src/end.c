/*
 * The end of the command, and of the processes that it leaves.
 *
 * Two secrets prove that facts are the shim's. The spec has their seal. `exit` shows the first secret. A fact that
 * ends a task whose end was pending (`left` after a stop, `gone`) shows the second. A process that reads the first
 * secret in the log cannot compute the second.
 */
#include "life.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  /* Most processes that end with their command have ended after this time. */
  ENDS_SOON_MS = 30,
  /* The pause between two checks of all processes, at first; and at last, when they cannot be read. */
  EMPTY_LOOK_MS = 250,
  LONGEST_EMPTY_LOOK_MS = 4000,
  /* When this many checks find no process of a task that is not over, its processes count as unknown. */
  SEEN_ROUNDS = 50,
  /*
   * Without a subreaper nothing reports the end of a descendant: how often to check, and how many checks in a row
   * must find nothing.
   */
  UNSEEN_LOOK_MS = 1000,
  UNSEEN_LOOKS = 4,
};

bool is_empty(struct tree *tree) {
  reap();
  if (shim.childless && shim.subreaper) {
    *tree = (struct tree){0};
    return true;
  }
  shim.reaped_any = false;
  /*
   * A process list is not a snapshot. A process that re-forks may be missing from several in a row, but only by luck.
   */
  for (int looks = shim.subreaper ? 1 : UNSEEN_LOOKS; looks > 0; looks--) {
    system_tree(tree, shim.command, shim.request->cookie);
    /* If nothing could be read, there may be no process whose end would cause the next check. So ask for one. */
    if (tree->unknown && tree->count == 0) shim.reaped_any = true;
    if (tree->unknown || tree->count > 0) return false;
  }
  reap();
  if (shim.childless && shim.subreaper) return true;
  /* Nested tasks go on by themselves. A process that was reaped meanwhile may have left a child that was not seen. */
  return !shim.reaped_any && (!shim.subreaper || tree->nested > 0 || pump_is_child());
}

bool is_empty_or_seen(struct tree *tree) {
  for (int round = 0; round < SEEN_ROUNDS; round++) {
    if (is_empty(tree)) return true;
    if (tree->unknown || tree->count > 0) return false;
  }
  tree->unknown = true;
  return false;
}

/* How many processes of the task are left besides the command; -1 when that is unknown. */
static int count_left(void) {
  /* Without a subreaper processes may be left that are no children. */
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
  int error = 0, interrupted = 0;
  ssize_t told;
  do {
    told = read(shim.report, &error, sizeof error);
  } while (told < 0 && is_interrupted(&interrupted));
  /*
   * The child reports that the command has not run, or is silent. If its report cannot be read, only the exit status
   * is known.
   */
  const bool refused = told >= 0 && (told != (ssize_t)sizeof error || error != ITS_OWN_END);
  (void)close(shim.report);
  const int left = shim.left = refused ? 0 : count_left();
  const uint64_t bytes = terminal_ended(pump_written(output_end()));
  /* Then the task ends later than its command. Without a subreaper, supervisors search for leftovers otherwise. */
  const bool goes_on = left != 0 && (shim.stopping || shim.request->leftovers != REPORT);
  shim.drains = pump_drains(clock_ms()) || terminal_drains(clock_ms());
  shim.pending = goes_on || shim.drains;
  shim.left_at = shim.stopping || shim.request->leftovers == WAIT ? never : clock_ms() + ENDS_SOON_MS;
  const struct ending ending = {
      .status = status,
      .usage = *usage,
      .refusal = refused ? &error : NULL,
      .left = left,
      .pending = shim.pending,
      .bytes = bytes,
      .dropped = dropped_bytes(),
      .at = clock_now(),
  };
  /*
   * After the time was read, and before any process can read it in the log: the next task then starts later, and
   * finds a place.
   */
  if (!shim.pending) queue_leave();
  record_exit(shim.request, &ending);
  /* After the record, because the kernel may take milliseconds. */
  notice_end();
  if (!shim.pending) queue_tell_followers();
  if (goes_on) return;
  /* The timeout must not kill a server that the command left running. */
  shim.timeout_at = shim.output_at = never;
  shim.bound_over = true;
}

void reap(void) {
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
    if (pump_ended(pid, status)) continue;
    shim.reaped_any = true;
    /* The command was reaped: its pid may now belong to another process, which was adopted since. */
    if (pid != shim.command || shim.ended) continue;
    command_status = status;
    command_usage = usage;
    ended = true;
  }
  if (ended) command_ended(command_status, &command_usage);
}

/*
 * Checks whether the last process of the task is gone. That was a child of this process, so there is nothing to check
 * before a child has ended. While another child lives that is no nested task, no further check is needed: a daemon
 * may end thousands of children.
 */
void look_for_emptiness(uint64_t now) {
  struct tree tree = {0};
  if (shim.empty || (shim.subreaper && !shim.childless && !shim.reaped_any)) return;
  if (!shim.subreaper && !shim.stopping) {
    if (now < shim.empty_look_at) return;
    shim.empty_look_at = now + UNSEEN_LOOK_MS;
  }
  if (shim.subreaper && !shim.childless) {
    pid_t one[1];
    const int count = system_children(one, 1, shim.request->cookie);
    if (count > 0) shim.reaped_any = false;
    if (count > 0 || now < shim.empty_look_at) return;
  }
  shim.empty = is_empty(&tree);
  if (!shim.subreaper) return;
  shim.empty_pause = !tree.unknown || shim.empty_pause == 0 ? EMPTY_LOOK_MS : shim.empty_pause * 2;
  if (shim.empty_pause > LONGEST_EMPTY_LOOK_MS) shim.empty_pause = LONGEST_EMPTY_LOOK_MS;
  shim.empty_look_at = now + shim.empty_pause;
}
