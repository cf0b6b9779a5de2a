/*
 * The end of the command, and of what it has left.
 *
 * Two secrets, of which the spec has the seal, tell the shim's facts from those of others: `exit` shows the first, and
 * what ends a task whose end was pending (`left` after a stop, `gone`) shows the second. Who reads the first in the log
 * cannot make up the second.
 */
#include "life.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  /* Processes that end with their command have ended this long after it. */
  ENDS_SOON_MS = 30,
  /* Between two looks at all processes, at first; and at last, where they cannot be looked at. */
  EMPTY_LOOK_MS = 250,
  LONGEST_EMPTY_LOOK_MS = 4000,
  /* So many looks see nobody of a task that is not over, until that counts as not known. */
  SEEN_ROUNDS = 50,
  /* Without subreaper nothing tells of the end of a descendant: they are looked for this often, in a stop and else. */
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
  /* No look is of one moment: what hands on to a child and ends may be in none of several, but has to be lucky. */
  for (int looks = shim.subreaper ? 1 : UNSEEN_LOOKS; looks > 0; looks--) {
    system_tree(tree, shim.command, shim.request->cookie);
    /* What could not be seen may have been nobody, and then no end of anybody would have it looked at again. */
    if (tree->unknown && tree->count == 0) shim.reaped_any = true;
    if (tree->unknown || tree->count > 0) return false;
  }
  reap();
  if (shim.childless && shim.subreaper) return true;
  /* Nested tasks go on by themselves. Who was reaped meanwhile may have left a child that was not seen. */
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
  int error = 0, interrupted = 0;
  ssize_t told;
  do {
    told = read(shim.report, &error, sizeof error);
  } while (told < 0 && is_interrupted(&interrupted));
  /* That it has not run takes the child's word, or its silence. Where neither can be had, what it ended with is all there is. */
  const bool refused = told >= 0 && (told != (ssize_t)sizeof error || error != ITS_OWN_END);
  (void)close(shim.report);
  const int left = shim.left = refused ? 0 : count_left();
  const uint64_t bytes = terminal_ended(pump_written(output_end()));
  /* Then the task ends later. Without a subreaper the supervisors look for what is left otherwise. */
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
      .dropped = pump_dropped() + terminal_dropped(),
      .at = clock_now(),
  };
  /* After the time was read and before anybody reads it: what starts in its place starts later, and finds a place. */
  if (!shim.pending) queue_leave();
  record_exit(shim.request, &ending);
  /* After the record: the kernel may take milliseconds. */
  notice_end();
  if (!shim.pending) queue_tell_followers();
  if (goes_on) return;
  /* A server that a task happened to start is not shot when the task's time is over. */
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
    /* Its pid may be another's, of a process that was adopted since. */
    if (pid != shim.command || shim.ended) continue;
    command_status = status;
    command_usage = usage;
    ended = true;
  }
  if (ended) command_ended(command_status, &command_usage);
}

/*
 * Looks whether the last process of the task is gone. It was a child of this process, so nothing is looked at before one
 * has ended; and while another child is there that is no nested task, nothing else needs to be looked at: a daemon may
 * end thousands of children.
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
