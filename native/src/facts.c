/* The facts that the shim appends, each as one line of JSON. Text from outside is escaped, or was checked. */
#include "shim.h"

#include <string.h>
#include <sys/wait.h>

/* How many processes a fact lists at most. */
enum { MAX_NAMED = 64 };

static void begin(struct text *text, char *bytes, size_t room, const char *words) {
  *text = (struct text){bytes, 0, room, false};
  text_add(text, words);
}

static void add_times(struct text *text, struct moment at) {
  text_add(text, ",\"at\":");
  text_number(text, at.epoch_ms);
  text_add(text, ",\"monoMs\":");
  text_number(text, at.ms);
}

static void add_pair(struct text *text, const char *key, const char *value) {
  text_add(text, ",\"");
  text_add(text, key);
  text_add(text, "\":\"");
  text_add(text, value);
  text_add(text, "\"");
}

/* How a process ended, as wait4 reports it. */
static void add_status(struct text *text, int status) {
  if (WIFSIGNALED(status)) {
    text_add(text, ",\"code\":null,\"exitSignal\":\"");
    signal_name(WTERMSIG(status), text);
    text_add(text, "\"");
    return;
  }
  text_add(text, ",\"code\":");
  text_number(text, (uint64_t)WEXITSTATUS(status));
  text_add(text, ",\"exitSignal\":null");
}

static void finish(struct text *text) {
  text_add(text, "}\n");
  /* Every fact has room for what the shim itself adds. A text that does not fit is not recorded. */
  if (!text->overflow) record(text->bytes, text->length);
}

void record_waiting(pid_t self, uint64_t start, bool has_locks) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"waiting\",\"pid\":");
  text_number(&text, (uint64_t)self);
  text_add(&text, ",\"start\":");
  if (start == 0) text_add(&text, "null");
  else text_number(&text, start);
  text_add(&text, has_locks ? ",\"locks\":true" : ",\"locks\":false");
  finish(&text);
}

/* The reason for the shim's own stop is not in the log yet. The exit alone would give a wrong one. */
static bool stop_is_untold;

void record_own_stop(const char *cause, uint64_t grace_ms) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"stop\"");
  add_pair(&text, "cause", cause);
  text_add(&text, ",\"id\":\"shim\",\"graceMs\":");
  text_number(&text, grace_ms);
  text_add(&text, ",\"killSignal\":\"SIGTERM\",\"by\":null,\"at\":");
  text_number(&text, clock_epoch_ms());
  finish(&text);
  stop_is_untold = !record_is_complete();
}

void record_stopping(const char *id) {
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

/* Room for 64 command lines of 200 characters, each of which may take six bytes. */
static char members_fact[96 * 1024];

/* What the disk did not take after the exit was recorded, too. */
static void add_dropped(struct text *text, uint64_t dropped) {
  if (dropped == 0) return;
  text_add(text, ",\"dropped\":");
  text_number(text, dropped);
}

void record_left(const struct tree *tree, const char *proof, uint64_t dropped) {
  struct text text;
  begin(&text, members_fact, sizeof members_fact, "\n{\"fact\":\"left\"");
  /* At the beginning, where a reader of only the beginning of a long line finds it. */
  if (proof != NULL) add_pair(&text, "proof", proof);
  add_dropped(&text, dropped);
  if (tree->unknown) {
    text_add(&text, ",\"count\":null,\"processes\":null");
  } else {
    text_add(&text, ",\"count\":");
    text_number(&text, tree->count);
    text_add(&text, ",\"processes\":");
    add_members(&text, tree);
  }
  finish(&text);
}

void record_stopped(const char *id, const struct tree *tree) {
  struct text text;
  begin(&text, members_fact, sizeof members_fact, "\n{\"fact\":\"stopped\"");
  add_pair(&text, "id", id);
  text_add(&text, ",\"survivors\":");
  add_members(&text, tree);
  finish(&text);
}

void record_gone(const char *proof, uint64_t dropped) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"gone\"");
  add_pair(&text, "proof", proof);
  add_dropped(&text, dropped);
  finish(&text);
}

void record_erased(const char *stream, uint64_t erased) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"erased\"");
  add_pair(&text, "stream", stream);
  text_add(&text, ",\"bytes\":");
  text_number(&text, erased);
  text_add(&text, ",\"at\":");
  text_number(&text, clock_epoch_ms());
  finish(&text);
}

void record_attached(pid_t pid, bool is_attached) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, is_attached ? "\n{\"fact\":\"attached\",\"pid\":" : "\n{\"fact\":\"detached\",\"pid\":");
  text_number(&text, (uint64_t)pid);
  text_add(&text, ",\"at\":");
  text_number(&text, clock_epoch_ms());
  finish(&text);
}

bool record_hook(pid_t self, uint64_t start) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"hook\",\"pid\":");
  text_number(&text, (uint64_t)self);
  text_add(&text, ",\"start\":");
  if (start == 0) text_add(&text, "null");
  else text_number(&text, start);
  add_times(&text, clock_now());
  text_add(&text, "}\n");
  return record_now(text.bytes, text.length);
}

void record_hook_ended(int status, const char *cause) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"hooked\"");
  if (cause == NULL) add_status(&text, status);
  else add_pair(&text, "cause", cause);
  add_times(&text, clock_now());
  finish(&text);
}

void record_hook_refused(int error) {
  char bytes[256];
  struct text text;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"hooked\",\"code\":null,\"exitSignal\":null,\"errno\":");
  text_number(&text, (uint64_t)error);
  add_times(&text, clock_now());
  finish(&text);
}

void record_exit(struct request *request, const struct ending *ending) {
  char bytes[512];
  struct text text;
  const struct rusage *const usage = &ending->usage;
  begin(&text, bytes, sizeof bytes, "\n{\"fact\":\"exit\"");
  if (ending->refusal != NULL) {
    text_add(&text, ",\"code\":null,\"exitSignal\":null,\"ran\":false,\"errno\":");
    text_number(&text, (uint64_t)*ending->refusal);
  } else {
    add_status(&text, ending->status);
    if (WIFSIGNALED(ending->status)) text_add(&text, WCOREDUMP(ending->status) ? ",\"core\":true" : ",\"core\":false");
  }
  add_times(&text, ending->at);
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
  if (ending->left < 0) text_add(&text, "null");
  else text_number(&text, (uint64_t)ending->left);
  text_add(&text, ending->pending ? ",\"pending\":true" : ",\"pending\":false");
  pipes_tell(request, &text);
  text_add(&text, ",\"bytes\":");
  text_number(&text, ending->bytes);
  if (request->pumped || request->window.columns > 0) {
    text_add(&text, ",\"dropped\":");
    text_number(&text, ending->dropped);
  }
  add_pair(&text, "proof", request->exit_proof);
  finish(&text);
  /* Without the leading line break. */
  if (request->bell && !(stop_is_untold && !record_is_complete())) ring(request->task, bytes + 1, text.length - 2);
  hook_hear(request, ending);
  memset(request->exit_proof, 0, sizeof request->exit_proof);
}
