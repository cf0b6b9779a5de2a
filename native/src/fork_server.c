/*
 * The fork server: a process of a spawner that starts many shims in a burst. A fork of a large process like Node
 * takes a millisecond, in which Node does nothing else. A fork of this process takes a tenth of that. It lives as
 * long as the burst, and exits when its input ends, so also when the spawner dies.
 *
 * A launch is one netstring of netstrings: a number for the answers, the program, the task, the folder, the log with
 * its device and inode, and the environment variables. An answer is a line that begins with the number. First comes
 * `b`, before anything is started: when the server is killed, its spawner knows which launches have not begun. Then
 * comes how the launcher ended: its exit status, or `s` and a signal. Or `n` comes, when nothing was started. Then
 * the spawner starts the launcher itself, and gets the error from the system.
 */
#include "shim.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* `launches`: how many run at a time; the others wait in the pipe. */
enum { MOST_LAUNCHES = 256, INPUT_BYTES = 32 * 1024 * 1024, MOST_FIELDS = 128 * 1024, FIXED_FIELDS = 7 };

static const struct timespec *const for_ever = NULL;
/* The pause before the next try when the kernel lacks memory. */
static const struct timespec short_pause = {0, 10000000};

static struct {
  pid_t pid;
  uint64_t number;
} launches[MOST_LAUNCHES];
static size_t launch_count;

/* Input that is not taken yet, and the fields of one launch. Both are mapped, and only used pages take memory. */
static char *input;
static size_t input_length;
static char **fields;

static bool bell;

struct launch {
  uint64_t number;
  char *program, *task, *folder, *log;
  uint64_t device, inode;
  char **environment;
};

static void write_all(const char *bytes, size_t length) {
  while (length > 0) {
    const ssize_t written = write(1, bytes, length);
    if (written < 0 && errno == EINTR) continue;
    /* The spawner is gone. */
    if (written <= 0) _exit(0);
    bytes += written;
    length -= (size_t)written;
  }
}

static void say(uint64_t number, const char *words) {
  char line[64];
  struct text text = {line, 0, sizeof line, false};
  text_number(&text, number);
  text_add(&text, words);
  text_add(&text, "\n");
  write_all(line, text.length);
}

static const char begins[] = " b", has_not_started[] = " n";

/* `status`: as waitpid reports it. */
static void say_end(uint64_t number, int status) {
  char words[32];
  struct text text = {words, 0, sizeof words - 1, false};
  text_add(&text, WIFSIGNALED(status) ? " s" : " ");
  text_number(&text, (uint64_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
  words[text.length] = '\0';
  say(number, words);
}

static void reap_launches(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (size_t i = 0; i < launch_count; i++) {
      if (launches[i].pid != pid) continue;
      say_end(launches[i].number, status);
      launches[i] = launches[--launch_count];
      break;
    }
  }
}

/*
 * Opens the log of a task, if it is the file that the spawner has made. Another process may have taken the spawner
 * for dead and removed it.
 */
static int open_log(const struct launch *launch) {
  const int log = open(launch->log, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat found;
  if (log < 0) return log;
  if (fstat(log, &found) == 0 && (uint64_t)found.st_dev == launch->device && (uint64_t)found.st_ino == launch->inode)
    return log;
  (void)close(log);
  return -1;
}

/* Becomes the launcher of a shim, in the memory of the fork server. Returns only on failure. */
static void become_launcher(const struct launch *launch, int log) {
  char *const words[] = {"outlive-shim", launch->task, NULL};
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  (void)setsid();
  if (nothing < 0 || chdir(launch->folder) != 0) return;
  for (int fd = 0; fd < LOG_FD; fd++) {
    if (dup2(nothing, fd) < 0) return;
  }
  /* If the log already has this number, its close-on-exec flag must go. */
  if (dup2(log, LOG_FD) < 0 || fcntl(LOG_FD, F_SETFD, 0) != 0) return;
  if (bell && fcntl(BELL_FD, F_SETFD, 0) != 0) return;
  (void)execve(launch->program, words, launch->environment);
}

static void launch_shim(const struct launch *launch) {
  const int log = open_log(launch);
  if (log < 0) return say(launch->number, has_not_started);
  say(launch->number, begins);
  volatile bool has_failed = false;
  /* The child shares this memory, and this process goes on when the child has called exec or exited. */
  const pid_t pid = vfork();
  if (pid == 0) {
    become_launcher(launch, log);
    has_failed = true;
    _exit(0);
  }
  (void)close(log);
  if (pid < 0 || has_failed) {
    if (pid > 0) (void)waitpid(pid, NULL, 0);
    return say(launch->number, has_not_started);
  }
  launches[launch_count].pid = pid;
  launches[launch_count++].number = launch->number;
}

/* Splits a launch into its fields, and ends each with NUL. */
static bool take_fields(char *text, size_t length, size_t *count) {
  *count = 0;
  for (size_t at = 0; at < length;) {
    size_t size;
    char *field;
    if (*count == MOST_FIELDS || !request_netstring(text, length, &at, &field, &size)) return false;
    if (memchr(field, '\0', size) != NULL) return false;
    /* In place of the comma. */
    field[size] = '\0';
    fields[(*count)++] = field;
  }
  fields[*count] = NULL;
  return true;
}

static bool take_launch(char *text, size_t length) {
  size_t count;
  struct launch launch = {0};
  const bool is_whole = take_fields(text, length, &count) && count >= FIXED_FIELDS && request_number(fields[0], strlen(fields[0]), UINT64_MAX, &launch.number) &&
                        request_number(fields[5], strlen(fields[5]), UINT64_MAX, &launch.device) &&
                        request_number(fields[6], strlen(fields[6]), UINT64_MAX, &launch.inode);
  if (!is_whole) return false;
  launch.program = fields[1];
  launch.task = fields[2];
  launch.folder = fields[3];
  launch.log = fields[4];
  launch.environment = fields + FIXED_FIELDS;
  launch_shim(&launch);
  return true;
}

/* Takes the complete launches, and wipes them: the environment may hold secrets. */
static bool take_launches(void) {
  size_t taken = 0;
  while (launch_count < MOST_LAUNCHES) {
    size_t at = taken, length;
    char *text;
    if (!request_netstring(input, input_length, &at, &text, &length)) break;
    if (!take_launch(text, length)) return false;
    taken = at;
  }
  input_length -= taken;
  memmove(input, input + taken, input_length);
  /* memmove leaves a copy at the old place. */
  memset(input + input_length, 0, taken);
  return true;
}

/* False at the end of the input, and for a launch larger than the system would start. */
static bool read_more(void) {
  if (input_length == INPUT_BYTES) return false;
  const ssize_t got = read(0, input + input_length, INPUT_BYTES - input_length);
  if (got > 0) input_length += (size_t)got;
  return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

static void *map(size_t bytes) {
  void *const found = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return found == MAP_FAILED ? NULL : found;
}

static void ignore(int number) { (void)number; }

int serve_forks(mode_t mask) {
  struct sigaction child;
  sigset_t blocked, waiting;
  /* Also while this process is suspended and cannot see the end of its input. */
  system_die_with_parent(SIGKILL);
  (void)umask(mask);
  memset(&child, 0, sizeof child);
  child.sa_handler = ignore;
  (void)sigfillset(&blocked);
  (void)sigprocmask(SIG_SETMASK, &blocked, NULL);
  waiting = blocked;
  (void)sigdelset(&waiting, SIGCHLD);
  if (sigaction(SIGCHLD, &child, NULL) != 0) return NO_PROCESS;
  input = map(INPUT_BYTES);
  fields = map((MOST_FIELDS + 1) * sizeof *fields);
  if (input == NULL || fields == NULL) return NO_PROCESS;
  bell = fcntl(BELL_FD, F_GETFD) >= 0 && fcntl(BELL_FD, F_SETFD, FD_CLOEXEC) == 0;
  for (int fd = 0; fd < LOG_FD; fd++) (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  system_close_foreign(bell ? BELL_FD + 1 : BELL_FD);
  if (chdir("/") != 0) return NO_DESCRIPTORS;
  for (bool more = true;;) {
    reap_launches();
    if (!take_launches()) return BAD_REQUEST;
    /* All launches are done and answered. */
    if (!more && launch_count == 0) return 0;
    struct pollfd source = {more && launch_count < MOST_LAUNCHES ? 0 : -1, POLLIN, 0};
    const int ready = ppoll(&source, 1, for_ever, &waiting);
    if (ready > 0) more = read_more();
    else if (ready < 0 && errno != EINTR) (void)nanosleep(&short_pause, NULL);
  }
}

#else

/* Other systems have no fork server. */
int serve_forks(mode_t mask) {
  (void)mask;
  return BAD_REQUEST;
}

#endif
