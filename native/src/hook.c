/*
 * The hook (`--on-exit`): a command that the user wants to run when the task has ended, in whatever way.
 *
 * The shim forks a hook runner for it, once; no other process ever does. The hook runner records that the hook is about to run,
 * runs it, enforces its time limit, ends its tree, and records how it ended. So a hook never runs twice. If it did
 * not run, the record and the live processes show why.
 *
 * The hook is no part of the task, although it descends from the shim. To every process that lists processes, the
 * hook runner looks like the shim of another task with its own cookie. It lives on when the shim has exited.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum {
  /* People read its output to find out what went wrong. */
  HOOK_OUTPUT_BYTES = 16 * 1024 * 1024,
  OUTPUT_LOOK_MS = 100,
  LEFT_LOOK_MS = 200,
  /* The pause between two tries to record that the hook is about to run, and to read how the task has ended. */
  AGAIN_MS = 1000,
  STATUS_LOOK_MS = 100,
  /* How long the hook runner may take to show its own cookie. */
  NAMED_WITHIN_MS = 1000,
  /* How many environment variables the hook gets at most. */
  MOST_VARIABLES = 8192,
  CAUSE_BYTES = 24,
};

/* How the command ended. By then the log has the proof that the exit is the shim's. */
static struct {
  bool is_told, ran;
  int status;
  char proof[PROOF_BYTES];
} end;

static bool begun;
/* A pipe from the hook runner, open until the record says that the hook is about to run; -1: no runner, or it is closed. */
static int runner_fd = -1;

void hook_hear(const struct request *request, const struct ending *ending) {
  if (request->hook[0] == '\0') return;
  end.is_told = true;
  end.ran = ending->refusal == NULL;
  end.status = ending->status;
  memcpy(end.proof, request->exit_proof, sizeof end.proof);
}

/* ---- what it is told ---- */

/* What the record has before the end: the first stop counts, and an outcome before any start. */
struct before {
  bool is_over, has_outcome;
  char cause[CAUSE_BYTES];
};

static bool begins_with(const char *line, const char *words) { return strncmp(line, words, strlen(words)) == 0; }

static void take(const char *line, void *what) {
  struct before *const before = what;
  static const char *const causes[] = {"kill",  "replaced", "timeout",   "output_limit",     "shutdown",
                                       "stale", "bound",    "leftovers", "dependency_failed"};
  if (before->is_over || before->cause[0] != '\0') return;
  if (begins_with(line, "{\"fact\":\"exit\"")) before->is_over = end.is_told && strstr(line, end.proof) != NULL;
  if (begins_with(line, "{\"fact\":\"outcome\"")) before->has_outcome = true;
  /* An outcome is the end of a task that never ran. A stop after it is a stop of an ended task. */
  if (!begins_with(line, "{\"fact\":\"stop\",") || (before->has_outcome && !end.ran)) return;
  const char *const cause = text_value(line, "cause");
  for (size_t i = 0; cause != NULL && i < sizeof causes / sizeof causes[0]; i++) {
    const size_t length = strlen(causes[i]);
    if (*cause == '"' && begins_with(cause + 1, causes[i]) && cause[length + 1] == '"' && length < CAUSE_BYTES)
      memcpy(before->cause, causes[i], length + 1);
  }
}

/* As src/model/decide.ts decides. The code: -1 when there is none. NULL, with errno, when the record cannot be read. */
static const char *status_of_task(int *code) {
  struct before before = {0};
  struct position position = {shim.request->log_offset, false};
  *code = -1;
  if (!record_read(&position, take, &before)) return NULL;
  if (end.is_told && end.ran) *code = WIFEXITED(end.status) ? WEXITSTATUS(end.status) : 128 + WTERMSIG(end.status);
  if (strcmp(before.cause, "timeout") == 0) {
    if (*code >= 0) *code = 124;
    return "timed_out";
  }
  if (!end.ran && strcmp(before.cause, "dependency_failed") == 0) return "failed";
  return before.cause[0] != '\0' ? "killed" : *code == 0 ? "completed" : "failed";
}

/* The environment of the command, and the variables for the hook: the status of the task, and a code or -1. */
static char **environment(const char *word, int exit_code) {
  static char *variables[MOST_VARIABLES + 5];
  static char cookie[COOKIE_BYTES + 16], id[NAME_BYTES + 32], status[64], code[64];
  const struct {
    char *entry;
    size_t room;
    const char *name, *value;
  } own[] = {{cookie, sizeof cookie, "OUTLIVE_TASK=", shim.request->cookie},
             {id, sizeof id, "OUTLIVE_TASK_ID=", shim.request->task},
             {status, sizeof status, "OUTLIVE_STATUS=", NULL},
             {code, sizeof code, "OUTLIVE_EXIT_CODE=", NULL}};
  enum { OWN = sizeof own / sizeof own[0] };
  size_t count = 0;
  for (size_t i = 0; i < OWN; i++) {
    struct text text = {own[i].entry, 0, own[i].room - 1, false};
    text_add(&text, own[i].name);
    if (own[i].value != NULL) text_add(&text, own[i].value);
    else if (own[i].entry == status) text_add(&text, word);
    else if (exit_code >= 0) text_number(&text, (uint64_t)exit_code);
    own[i].entry[text.length] = '\0';
    variables[count++] = own[i].entry;
  }
  for (char **entry = environ; *entry != NULL && count < MOST_VARIABLES + OWN; entry++) {
    bool is_own = false;
    for (size_t i = 0; i < OWN; i++) is_own = is_own || begins_with(*entry, own[i].name);
    if (!is_own) variables[count++] = *entry;
  }
  return variables;
}

/* ---- the hook runner ---- */

static _Noreturn void become(const char *word, int exit_code) {
  (void)setpgid(0, 0);
  /* If that folder is gone, in the root folder. */
  if (chdir(shim.request->hook_folder) != 0) errno = 0;
  char **const variables = environment(word, exit_code);
  (void)umask(shim.request->mask);
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  char *const words[] = {"sh", "-c", shim.request->hook, "sh", NULL};
  (void)execve("/bin/sh", words, variables);
  _exit(errno == ENOENT ? 127 : 126);
}

static bool open_output(void) {
  const int file =
      open(shim.request->hook_output, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return false;
  const bool is_there = dup2(file, OUTPUT_FD) >= 0 && dup2(file, ERROR_FD) >= 0;
  (void)close(file);
  return is_there;
}

/* The reason that ends the hook before it ends by itself; NULL: none. */
static const char *await_end(pid_t hook, uint64_t end_at, int *status) {
  for (;;) {
    struct stat output;
    if (waitpid(hook, status, WNOHANG) == hook) return NULL;
    const uint64_t now = clock_ms();
    if (now >= end_at) return "timeout";
    if (fstat(OUTPUT_FD, &output) == 0 && output.st_size > HOOK_OUTPUT_BYTES) return "output_limit";
    (void)wake_wait(end_at - now < OUTPUT_LOOK_MS ? end_at - now : OUTPUT_LOOK_MS, 0);
  }
}

/* Replaces the task's cookie, where other processes read it, by another one of the same form and length. */
static void take_own_cookie(struct request *request, wiper wipe) {
  static const char digits[] = "0123456789abcdef";
  char *const secret = strchr(request->cookie, '.');
  for (size_t i = 1; secret != NULL && i <= 4 && secret[i] != '\0'; i++) {
    const char *const digit = strchr(digits, secret[i]);
    if (digit != NULL) secret[i] = digits[15 - (digit - digits)];
  }
  wipe(request->cookie, false);
}

/* Records that the hook is about to run. False when the record is gone: then nothing runs. */
static bool announce(void) {
  const uint64_t start = system_start(shim.self);
  while (!record_hook(shim.self, start)) {
    if (record_is_removed()) return false;
    (void)wake_wait(AGAIN_MS, AGAIN_MS / 8);
  }
  return !record_is_removed();
}

/* The status of the task, once it can be read. NULL, with errno, when that takes longer than the hook may run. */
static const char *await_status(uint64_t end_at, int *code) {
  for (;;) {
    const char *const word = status_of_task(code);
    if (word != NULL || clock_ms() >= end_at) return word;
    (void)wake_wait(STATUS_LOOK_MS, 0);
  }
}

static _Noreturn void keep(int shim_fd, wiper wipe) {
  struct request *const request = shim.request;
  take_own_cookie(request, wipe);
  const ssize_t ignored = write(shim_fd, "", 1);
  (void)ignored;
  /* A new state: nothing in it belongs to the task's command, or to leftovers in its cgroup. */
  shim = (struct life){.request = request, .self = getpid(), .ended = true, .subreaper = system_become_reaper()};
  request->cgroup[0] = '\0';
  if (request->bell) (void)close(BELL_FD);
  /* The shim serves the terminal and the socket. Here their events would only wake this process. */
  wake_open();
  terminal_let_go();
  input_tend();
  const bool runs = announce();
  /* Where orphans stay zombies, the shim stays until this process has exited. */
  if (!request->stays) (void)close(shim_fd);
  if (!runs) _exit(0);
  const uint64_t end_at = clock_ms() + request->hook_ms;
  int code = -1;
  const char *const word = await_status(end_at, &code);
  const pid_t hook = word != NULL && open_output() ? fork() : -1;
  if (hook == 0) become(word, code);
  const int error = errno;
  wipe(request->cookie, true);
  if (hook < 0) {
    record_hook_refused(error);
    _exit(until_recorded());
  }
  (void)setpgid(hook, hook);
  shim.command = hook;
  static struct tree tree;
  int status = 0;
  const char *const cause = await_end(hook, end_at, &status);
  if (cause != NULL) end_by_force(&tree);
  record_hook_ended(status, cause);
  /* Processes that the hook has left may use the rest of its time. */
  while (!is_empty(&tree) && clock_ms() < end_at) (void)wake_wait(LEFT_LOOK_MS, LEFT_LOOK_MS / 2);
  if (!is_empty(&tree)) end_by_force(&tree);
  _exit(until_recorded());
}

/* ---- the shim ---- */

void hook_run(wiper wipe) {
  if (begun || shim.request->hook[0] == '\0' || record_is_removed()) return;
  begun = true;
  int ends[2] = {-1, -1};
  const bool is_piped = pipe(ends) == 0;
  for (int i = 0; is_piped && i < 2; i++) (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
  const pid_t runner = is_piped ? fork() : -1;
  if (runner == 0) {
    (void)close(ends[0]);
    keep(ends[1], wipe);
  }
  if (runner < 0) record_hook_refused(errno);
  wipe(shim.request->cookie, true);
  if (!is_piped) return;
  (void)close(ends[1]);
  runner_fd = ends[0];
  (void)fcntl(runner_fd, F_SETFL, O_NONBLOCK);
  /* Until the hook runner shows its own cookie, it would count as a leftover of the task. */
  struct pollfd named = {runner_fd, POLLIN, 0};
  (void)poll(&named, 1, NAMED_WITHIN_MS);
}

bool hook_needs_shim(void) {
  if (runner_fd < 0) return false;
  char byte;
  ssize_t got;
  while ((got = read(runner_fd, &byte, 1)) > 0) continue;
  if (got < 0 && errno == EAGAIN) return true;
  (void)close(runner_fd);
  runner_fd = -1;
  return false;
}
