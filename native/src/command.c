#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static bool say(int report, int word) {
  ssize_t written;
  int interrupted = 0;
  do {
    written = write(report, &word, sizeof word);
  } while (written < 0 && is_interrupted(&interrupted));
  return written == (ssize_t)sizeof word;
}

/*
 * Writes into the command's output why it does not run, and exits with the code of a shell that cannot run a command.
 */
static _Noreturn void fail(const char *what, const char *name, int code) {
  char line[PATH_BYTES + 256];
  struct text text = {line, 0, sizeof line, false};
  text_add(&text, "outlive: expected to ");
  text_add(&text, what);
  text_add(&text, name);
  text_add(&text, code == 127 ? "; there is no such file\n" : "; the system refused, and the command was not run\n");
  const ssize_t ignored = write(ERROR_FD, line, text.length);
  (void)ignored;
  _exit(code);
}

/* Tells the shim that nothing has run, so that it does not take this exit for the command's. */
static _Noreturn void refuse(int report, int error) {
  (void)say(report, error);
  _exit(126);
}

static bool enter_cgroup(const char *dir) {
  char path[PATH_BYTES + 32];
  struct text text = {path, 0, sizeof path - 1, false};
  text_add(&text, dir);
  text_add(&text, "/cgroup.procs");
  path[text.length] = '\0';
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  /* 0 means the writer itself, in whatever pid namespace it is. */
  const bool entered = write(file, "0\n", 2) == 2;
  (void)close(file);
  return entered;
}

/* A limit that is already as low counts as set. */
static bool limit(int resource, uint64_t soft, uint64_t hard) {
  struct rlimit now;
  if (getrlimit(resource, &now) != 0) return false;
  const struct rlimit wanted = {
      .rlim_cur = soft < now.rlim_max ? (rlim_t)soft : now.rlim_max,
      .rlim_max = hard < now.rlim_max ? (rlim_t)hard : now.rlim_max,
  };
  return setrlimit(resource, &wanted) == 0;
}

/*
 * Sets the limits that the kernel enforces. Returns what it refuses, with the path of a cgroup in `name`; NULL:
 * nothing.
 */
static const char *hold_limits(const struct request *request, const char **name) {
  *name = "";
  if (request->cgroup[0] != '\0' && !enter_cgroup(request->cgroup)) {
    *name = request->cgroup;
    return "limit it by the cgroup ";
  }
  if (request->memory_bytes > 0 && !limit(RLIMIT_AS, request->memory_bytes, request->memory_bytes))
    return "limit memory";
  /* At the soft limit the process gets SIGXCPU, which shows the reason; a second later, at the hard limit, SIGKILL. */
  if (request->cpu_seconds > 0 && !limit(RLIMIT_CPU, request->cpu_seconds, request->cpu_seconds + 1))
    return "limit CPU time";
  if (request->processes > 0 && !limit(RLIMIT_NPROC, request->processes, request->processes))
    return "limit processes";
  /* When this user may not raise the priority this far, the kernel sets what it allows. That is no missing limit. */
  errno = 0;
  const int nice_value = getpriority(PRIO_PROCESS, 0);
  if (request->nicer != 0 && errno == 0) (void)setpriority(PRIO_PROCESS, 0, nice_value + request->nicer);
  return NULL;
}

/* What the command reads, and where its socket is. */
static void add_input(struct text *text, const struct request *request) {
  if (request->input == INPUT_SILENT) text_add(text, ",\"stdin\":\"silent\"");
  const char *const socket = clients_socket();
  if (request->input != INPUT_OPEN || socket == NULL) return;
  text_add(text, ",\"socket\":");
  text_string(text, socket, strlen(socket), PATH_BYTES);
}

static bool record_started(const struct request *request, pid_t shim, uint64_t shim_start, struct moment begin, bool subreaper) {
  char fact[1024];
  struct text text = {fact, 0, sizeof fact, false};
  const pid_t self = getpid();
  const uint64_t start = system_start(self);
  text_add(&text, "\n{\"fact\":\"started\",\"pid\":");
  text_number(&text, (uint64_t)self);
  text_add(&text, ",\"start\":");
  if (start == 0) text_add(&text, "null");
  else text_number(&text, start);
  text_add(&text, ",\"shimPid\":");
  text_number(&text, (uint64_t)shim);
  text_add(&text, ",\"shimStart\":");
  if (shim_start == 0) text_add(&text, "null");
  else text_number(&text, shim_start);
  text_add(&text, ",\"at\":");
  text_number(&text, begin.epoch_ms);
  text_add(&text, ",\"monoMs\":");
  text_number(&text, begin.ms);
  text_add(&text, subreaper ? ",\"subreaper\":true" : ",\"subreaper\":false");
  add_input(&text, request);
  text_add(&text, "}\n");
  return record_now(fact, text.length);
}

void command_become(struct request *request, pid_t shim, uint64_t shim_start, struct moment begin, bool subreaper,
                    int report) {
  /* The command must not start without a shim: this process dies with it, even while it is suspended. */
  system_die_with_parent(SIGKILL);
  if (getppid() != shim) _exit(126);
  /* Before setpgid: a leader of a group could not lead a session. */
  if (!terminal_hand_over()) refuse(report, errno);
  (void)setpgid(0, 0);
  char **const words = request_command(request);
  if (words == NULL) refuse(report, errno);
  if (!pump_hand_over() || !input_hand_over()) refuse(report, errno);
  const char *name;
  const char *const refused = hold_limits(request, &name);
  if (!record_started(request, shim, shim_start, begin, subreaper)) refuse(report, errno == 0 ? EIO : errno);
  /* After the append. So all processes agree on which came first in the log: a start, a stop or an outcome. */
  if (record_forbids((struct position){request->log_offset, false})) refuse(report, 0);
  /* Ends like a command that cannot be executed: it is recorded, and a stop forbids it in the same way. */
  if (refused != NULL) {
    (void)say(report, ITS_OWN_END);
    fail(refused, name, 126);
  }
  pipes_ask(request);
  (void)umask(request->mask);
  system_die_with_parent(0);
  if (getppid() != shim) _exit(126);
  sigset_t none;
  (void)sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  /*
   * The shim must not take the end of this process, before the exec, for the command's. So without this message
   * nothing runs.
   */
  if (!say(report, ITS_OWN_END)) _exit(126);
  (void)execvp(words[0], words);
  fail("start ", words[0], errno == ENOENT ? 127 : 126);
}
