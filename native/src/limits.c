/* The limits that the shim enforces: time, output, and the life of the process that the task is bound to. */
#include "life.h"

#include <signal.h>

enum {
  /* The shortest and the longest pause between two reads of the output size. */
  SHORTEST_OUTPUT_MS = 20,
  LONGEST_OUTPUT_MS = 4000,
  /* While the output grows, marks are a second apart. */
  GROWING_OUTPUT_MS = 1000,
};

static void stop_for(const char *cause) {
  record_own_stop(cause, shim.request->grace_ms);
  stop(SIGTERM, shim.request->grace_ms);
}

static void look_at_output(uint64_t now) {
  const uint64_t limit = shim.request->max_output == 0 ? never : shim.request->max_output;
  const uint64_t size = output_look() + pump_beyond() + terminal_beyond();
  if (size > limit) {
    if (!shim.stopping) stop_for("output_limit");
    /* The task goes on writing during the stop: the grace is not for that. */
    else if (size > limit + limit / 20) stop(SIGKILL, 0);
    shim.output_at = now + SHORTEST_OUTPUT_MS;
    return;
  }
  uint64_t pause = (limit - size) / BYTES_A_MS;
  if (pause < SHORTEST_OUTPUT_MS) pause = SHORTEST_OUTPUT_MS;
  if (pause > GROWING_OUTPUT_MS) pause = GROWING_OUTPUT_MS;
  if (size == shim.output_bytes && shim.output_pause * 2 > pause) pause = shim.output_pause * 2;
  if (pause > LONGEST_OUTPUT_MS) pause = LONGEST_OUTPUT_MS;
  shim.output_bytes = size;
  shim.output_pause = pause;
  shim.output_at = now + pause;
}

bool bound_is_gone(void) {
  return shim.bound_ended || system_is_gone(shim.request->bound_pid, shim.request->bound_start);
}

/* This also counts while the process is a zombie, and its pid is still taken. */
void bound_ended(void) {
  shim.bound_ended = true;
  shim.bound_at = 0;
}

void watch_bound(void) {
  if (shim.request->bound_pid == 0) return;
  const bool watched = wake_watch(shim.request->bound_pid, shim.request->bound_start);
  shim.bound_at = watched ? never : clock_ms();
}

void hold_limits(uint64_t now) {
  if (!shim.bound_over && now >= shim.bound_at) {
    shim.bound_over = bound_is_gone();
    shim.bound_at = now + BOUND_LOOK_MS;
    if (shim.bound_over && !shim.stopping) stop_for("bound");
  }
  if (now >= shim.timeout_at) {
    shim.timeout_at = never;
    if (!shim.stopping) stop_for("timeout");
  }
  /* Even when no limit is left: an event that is not read wakes this process again and again. */
  output_notice();
  if (shim.output_at == never) return;
  if (now >= shim.output_at || pump_beyond() + terminal_beyond() > 0) look_at_output(now);
}
