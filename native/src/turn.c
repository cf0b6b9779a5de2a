/* A task takes a place to run: at once, or in its turn. */
#include "life.h"

#include <string.h>

enum {
  /* How often a waiting shim checks whether its record is still there. */
  QUEUED_LOOK_MS = 10000,
};

static bool has_turn;
static bool may_not_run; /* Another process has forbidden the start. */
static bool has_ended;   /* The shim itself has recorded an end. */

static void take(const char *line, void *what) {
  (void)what;
  static const char turn_fact[] = "{\"fact\":\"turn\",";
  static const char *const ends[] = {"{\"fact\":\"stop\",", "{\"fact\":\"outcome\","};
  if (strncmp(line, turn_fact, sizeof turn_fact - 1) == 0) has_turn = true;
  for (size_t i = 0; i < 2; i++)
    if (strncmp(line, ends[i], strlen(ends[i])) == 0) may_not_run = true;
}

/* Records the shim's own stop of the task, after which the shim exits. */
static void end_for(const char *cause) {
  record_own_stop(cause, shim.request->grace_ms);
  has_ended = true;
}

static void look_at_bound(void) {
  const uint64_t now = clock_ms();
  if (shim.bound_over || now < shim.bound_at) return;
  shim.bound_over = bound_is_gone();
  shim.bound_at = now + BOUND_LOOK_MS;
  if (shim.bound_over && !has_ended) end_for("bound");
}

/* Whether the task may start. Otherwise, how long the shim may sleep. */
static bool is_its_turn(bool is_due, uint64_t *pause_ms) {
  *pause_ms = QUEUED_LOOK_MS;
  if (has_turn) {
    if (queue_open()) queue_take_place();
    return true;
  }
  /* Without locks a supervisor gives the turn. */
  if (!queue_open()) return false;
  switch (after_look(pause_ms)) {
  case AFTER_WAITS:
    return false;
  case AFTER_FAILED:
    end_for("dependency_failed");
    return false;
  case AFTER_COMPLETED:
    break;
  }
  uint64_t pause = never;
  const bool may_start = queue_try(is_due, &pause);
  if (pause < *pause_ms) *pause_ms = pause;
  return may_start;
}

static bool wait_in_line(void) {
  shim.bound_over = shim.request->bound_pid == 0;
  watch_bound();
  bool is_due = false, has_said = false;
  for (;;) {
    (void)record_read(&shim.log, take, NULL);
    record_retry();
    if (may_not_run || record_is_removed()) return false;
    look_at_bound();
    uint64_t pause = QUEUED_LOOK_MS;
    if (!has_ended && is_its_turn(is_due, &pause)) return true;
    if (!has_said && !has_ended) record_waiting(shim.self, shim.self_start, queue_open());
    has_said = true;
    if (has_ended && record_is_complete()) return false;
    if (!shim.bound_over && shim.bound_at != never && pause > BOUND_LOOK_MS) pause = BOUND_LOOK_MS;
    if (!record_is_complete() && pause > RETRY_MS) pause = RETRY_MS;
    const uint64_t until = clock_ms() + pause;
    if (wake_wait(pause, pause / 8)) bound_ended();
    is_due = clock_ms() >= until;
  }
}

bool await_turn(void) {
  queue_renew();
  const bool may_start = !shim.request->queued || wait_in_line();
  /* The timeout and the duration count from this reading. The next task in the queue starts later. */
  shim.begin = clock_now();
  if (may_start) queue_leave_line();
  else queue_leave();
  return may_start;
}
