/*
 * The life of a task, as its shim sees it. The shim waits for its turn, starts the command, records its end at once,
 * enforces limits, performs stops, and stays until no process of the task is left.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
  /* The longest pause before a failed append is tried again. */
  LONGEST_RETRY_MS = 10000,
  /* Without a subreaper nothing reports the end of a descendant. During a stop, how often to check for it. */
  TREE_LOOK_MS = 100,
  /* How often to check whether the hook runner works alone. */
  HOOK_LOOK_MS = 100,
};

struct life shim;

static bool could_not_start(int error) {
  const struct ending ending = {.refusal = &error, .at = clock_now()};
  shim.childless = true;
  queue_leave();
  record_exit(shim.request, &ending);
  return false;
}

static bool start_command(wiper wipe) {
  const struct request *const request = shim.request;
  if (!output_open(request) || !terminal_open(request, output_folder(), output_name()) || !input_open(request))
    return could_not_start(errno);
  clients_open(request, output_folder(), request->task);
  /* Before the pipe is made: the pump would keep an end of it open, and the shim must see when the child closes it. */
  pump_begin(wipe);
  int ends[2];
  if (pipe(ends) != 0) return could_not_start(errno);
  for (int i = 0; i < 2; i++) (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
  const pid_t pid = fork();
  if (pid == 0)
    command_become(shim.request, shim.self, shim.self_start, shim.begin, shim.subreaper, ends[1]);
  const int error = errno;
  (void)close(ends[1]);
  if (pid < 0) return could_not_start(error);
  shim.report = ends[0];
  /* A command with a terminal leads a session. A leader of a group cannot become that. */
  if (!terminal_is_there()) (void)setpgid(pid, pid);
  shim.command = pid;
  return true;
}

static uint64_t earlier(uint64_t one, uint64_t other) { return one < other ? one : other; }

/* Records the leftovers, when that is due. */
static void look_at_leftovers(uint64_t now) {
  if (!shim.ended || now < shim.left_at) return;
  const bool kills = shim.request->leftovers == KILL && shim.pending;
  /* If the exit did not end the task, the fact with the leftovers also says that the task has ended. */
  shim.left_at = shim.drains && !kills ? earlier(pump_due(now), terminal_due()) : never;
  if (shim.left_at != never) return;
  struct tree tree;
  shim.empty = is_empty_or_seen(&tree);
  if (shim.empty) return;
  if (kills) {
    shim.announced = false;
    stop(SIGTERM, shim.request->grace_ms);
  } else {
    const bool ends = shim.pending;
    shim.pending = false;
    if (ends) queue_leave();
    record_left(&tree, ends ? shim.request->gone_proof : NULL, dropped_bytes());
    if (ends) queue_tell_followers();
    system_forget_tree();
  }
}

void carry(void) {
  const uint64_t now = clock_ms();
  terminal_tend(now);
  input_tend();
  clients_tend(now);
}

/* Whether nothing is left to do. */
static bool is_over(uint64_t now) {
  if (!shim.ended) return false;
  const bool waits = shim.subreaper || shim.stopping || shim.pending;
  if (waits) look_for_emptiness(now);
  if (shim.drains || (shim.empty && pump_lingers(now)) || hook_needs_shim()) return false;
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

static void sleep_until_something(void) {
  uint64_t at = earlier(earlier(shim.timeout_at, shim.grace_ends_at), shim.left_at);
  if (!shim.bound_over) at = earlier(at, shim.bound_at);
  const uint64_t now = clock_ms();
  if (!record_is_complete()) at = earlier(at, shim.retry_at);
  if (hook_needs_shim()) at = earlier(at, now + HOOK_LOOK_MS);
  const bool looks = shim.subreaper ? shim.reaped_any : shim.pending && !shim.stopping;
  if (shim.ended && looks && !shim.empty) at = earlier(at, shim.empty_look_at);
  if (shim.stopping && !shim.subreaper) at = earlier(at, now + TREE_LOOK_MS);
  /* A thousand quiet tasks should wake together; a flood must be noticed in time. */
  const bool is_quiet = shim.output_at < at && shim.output_pause >= 1000;
  at = earlier(earlier(earlier(at, shim.output_at), shim.hangup_at), earlier(pump_due(now), terminal_due()));
  at = earlier(at, clients_due());
  const bool gone = wake_wait(at == never ? never : at > now ? at - now : 0, is_quiet ? shim.output_pause / 4 : 0);
  if (gone) bound_ended();
}

int until_recorded(void) {
  while (!record_is_complete() && !record_is_removed()) {
    (void)wake_wait(RETRY_MS, 0);
    carry();
    record_retry();
  }
  return 0;
}

/* The task has ended, and everything is recorded. */
static int leave(wiper wipe) {
  terminal_close();
  (void)until_recorded();
  clients_end();
  queue_tell_followers();
  hook_run(wipe);
  while (hook_needs_shim()) {
    (void)wake_wait(HOOK_LOOK_MS, 0);
    carry();
  }
  return until_recorded();
}

int supervise(struct request *request, wiper wipe) {
  shim.request = request;
  shim.self = getpid();
  system_show_name();
  shim.subreaper = system_become_reaper();
  shim.self_start = system_start(shim.self);
  shim.log = (struct position){request->log_offset, false};
  shim.timeout_at = shim.output_at = shim.left_at = shim.grace_ends_at = shim.bound_at = shim.hangup_at = never;
  wake_open();
  if (!await_turn()) return leave(wipe);
  /* This process may be suspended at any moment. The timeout still counts from the start of the command. */
  const bool started = start_command(wipe);
  wipe(request->cookie, request->hook[0] == '\0');
  memset(request->words, 0, sizeof request->words);
  pump_let_go(started);
  terminal_start();
  input_start();
  /* There it does not keep a folder busy that a person wants to unmount. */
  if (chdir("/") != 0) errno = 0;
  if (!started) return leave(wipe);
  if (request->timeout_ms > 0) shim.timeout_at = shim.begin.ms + request->timeout_ms;
  shim.output_at = clock_ms();
  shim.bound_over = request->bound_pid == 0;
  if (!request->queued) watch_bound();
  for (;;) {
    reap();
    (void)record_read(&shim.log, take_line, NULL);
    const uint64_t now = clock_ms();
    retry(now);
    pump_tend(now);
    carry();
    if (shim.drains) shim.drains = pump_drains(now) || terminal_drains(now);
    hold_limits(now);
    if (now >= shim.hangup_at) hang_up();
    if (shim.stopping && now >= shim.grace_ends_at) {
      finish_stop();
      /* That takes time. Events meanwhile have not woken this process, so check again. */
      continue;
    }
    look_at_leftovers(now);
    if (shim.ended && !shim.drains && record_is_complete()) {
      clients_end();
      if (!shim.pending) hook_run(wipe);
    }
    if (is_over(now)) break;
    sleep_until_something();
  }
  queue_leave();
  /*
   * With `left: 0` the exit has said it, unless it was pending or an earlier fact listed processes. Without a
   * subreaper it is unknown.
   */
  if ((shim.left != 0 || shim.pending || shim.left_early) && shim.subreaper) record_gone(shim.request->gone_proof, dropped_bytes());
  return leave(wipe);
}
