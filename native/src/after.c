/*
 * A task that starts when another one has completed. Its shim waits for the end of the other shim, or until that shim
 * wakes it. Then it reads in the other log how that task ended. It concludes the same as a supervisor, by the same
 * proofs.
 */
#include "life.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  /* How often this checks the other shim when it cannot be watched. */
  OTHER_LOOK_MS = 1000,
  /* A shim that has recorded nothing for this long, and holds no lock, never will. */
  SAYS_WITHIN_MS = 2000,
};

static struct {
  int log;
  struct position at;
  bool has_started, is_stopped, has_exit, is_pending, completes, has_ended;
  pid_t pid; /* The other shim, once its pid is known; 0: not known. */
  uint64_t start;
  pid_t watched;
  uint64_t silent_at; /* Since when it holds no lock and has recorded nothing. */
  bool is_followed, is_over;
} other = {.log = -1};

/* Whether a line shows the secret that belongs to the known seal. `times`: how often the secret has to be hashed. */
static bool is_proven(const char *line, int times) {
  const char *const value = text_value(line, "proof");
  char proof[PROOF_BYTES];
  size_t length = 0;
  if (value == NULL || *value != '"') return false;
  for (; value[length + 1] != '"'; length++) {
    if (value[length + 1] == '\0' || length + 1 >= sizeof proof) return false;
    proof[length] = value[length + 1];
  }
  proof[length] = '\0';
  for (; times > 0; times--) seal_of(proof, proof);
  return strcmp(proof, shim.request->after_seal) == 0;
}

static bool is_true(const char *line, const char *key) {
  const char *const value = text_value(line, key);
  return value != NULL && strncmp(value, "true", 4) == 0;
}

static bool is_fact(const char *line, const char *name) {
  static const char begin[] = "{\"fact\":\"";
  if (strncmp(line, begin, sizeof begin - 1) != 0) return false;
  line += sizeof begin - 1;
  return strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == '"';
}

static void take_shim(const char *line, const char *pid, const char *start) {
  const uint64_t number = text_integer(line, pid, 0);
  if (number <= INT_MAX) other.pid = (pid_t)number;
  other.start = text_integer(line, start, 0);
}

static void take_exit(const char *line) {
  if (other.has_exit || !is_proven(line, 1)) return;
  other.has_exit = true;
  other.is_pending = is_true(line, "pending");
  /* Without a number, a signal ended the command, or it has not run. */
  other.completes = text_integer(line, "code", 1) == 0 && !other.is_stopped;
  if (!other.is_pending) other.has_ended = true;
}

static void take(const char *line, void *what) {
  (void)what;
  if (is_fact(line, "started") && !other.has_started) {
    other.has_started = true;
    take_shim(line, "shimPid", "shimStart");
  } else if (is_fact(line, "waiting") && other.pid == 0) {
    take_shim(line, "pid", "start");
  } else if (is_fact(line, "stop") || is_fact(line, "outcome")) {
    /* A stop or an outcome before the start forbids the start. */
    if (!other.has_started) other.has_ended = true;
    if (is_fact(line, "stop")) other.is_stopped = true;
  } else if (is_fact(line, "exit")) {
    take_exit(line);
  } else if ((is_fact(line, "left") || is_fact(line, "gone")) && is_proven(line, 2)) {
    other.has_ended = true;
  }
}

enum { LOG_FLAGS = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC };

/*
 * Opens a file by its name in one of the subfolders of a folder. -1 with errno, which is ENOENT only when certainly
 * none has it.
 */
static int open_in_folders_of(DIR *folders, const char *name) {
  errno = 0;
  for (const struct dirent *entry; (entry = readdir(folders)) != NULL; errno = 0) {
    if (entry->d_name[0] == '.') continue;
    const int folder =
        openat(dirfd(folders), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const int file = folder < 0 ? -1 : openat(folder, name, LOG_FLAGS);
    const int error = errno;
    if (folder >= 0) (void)close(folder);
    errno = error;
    if (file >= 0 || (error != ENOENT && error != ENOTDIR && error != ELOOP)) return file;
  }
  if (errno == 0) errno = ENOENT;
  return -1;
}

/*
 * Opens the log of the other task in the folder where logs of done tasks go: SESSION/tasks/NAME becomes
 * SESSION/done/DAY/NAME. -1 with errno.
 */
static int open_done(const char *path) {
  static const char folder[] = "/done";
  char done[PATH_MAX];
  const char *const name = strrchr(path, '/');
  errno = ENOENT;
  if (name == NULL) return -1;
  const char *end = name;
  while (end > path && end[-1] != '/') end--;
  const size_t length = end > path ? (size_t)(end - 1 - path) : 0;
  if (length == 0 || length + sizeof folder > sizeof done) return -1;
  (void)memcpy(done, path, length);
  (void)memcpy(done + length, folder, sizeof folder);
  DIR *const folders = opendir(done);
  if (folders == NULL) return -1;
  const int file = open_in_folders_of(folders, name + 1);
  const int error = errno;
  (void)closedir(folders);
  errno = error;
  return file;
}

/* True when it could be opened; false with errno. */
static bool open_log(void) {
  if (other.log >= 0) return true;
  int file = open(shim.request->after_log, LOG_FLAGS);
  if (file < 0 && errno == ENOENT) file = open_done(shim.request->after_log);
  if (file < 0) return false;
  struct stat stat;
  const int error = fstat(file, &stat) != 0 ? errno : S_ISREG(stat.st_mode) ? 0 : ENOENT;
  if (error == 0) other.log = file;
  else (void)close(file);
  errno = error;
  return error == 0;
}

/* The other shim holds no lock. Whether it is certainly gone, and has written its last fact. */
static bool has_gone(void) {
  if (other.pid > 1) return system_is_gone(other.pid, other.start);
  const uint64_t now = clock_ms();
  if (other.silent_at == 0) other.silent_at = now;
  return now - other.silent_at >= SAYS_WITHIN_MS;
}

/*
 * How long this shim may sleep: until it is woken, if the kernel reports the end of the other shim. A task with
 * `bindTo` already uses its one watch.
 */
static uint64_t watch_other(pid_t holder) {
  if (shim.request->bound_pid != 0 || holder == 0) return OTHER_LOOK_MS;
  if (other.watched == holder) return never;
  pid_t again = 0;
  /* The process that held the lock before and after it was opened is the right one. */
  if (!wake_watch(holder, 0) || queue_has_died(shim.request->after, &again) || again != holder) return OTHER_LOOK_MS;
  other.watched = holder;
  return never;
}

static enum after look(uint64_t *pause_ms) {
  if (!open_log()) {
    *pause_ms = OTHER_LOOK_MS;
    return errno == ENOENT ? AFTER_FAILED : AFTER_WAITS;
  }
  if (!other.is_followed) queue_follow(shim.request->after);
  other.is_followed = true;
  pid_t holder = 0;
  const bool has_died = queue_has_died(shim.request->after, &holder);
  /* First the check, then the read: so the read sees all that a dead shim wrote. */
  const bool is_read = record_read_from(other.log, &other.at, take, NULL);
  if (other.has_ended) return other.completes ? AFTER_COMPLETED : AFTER_FAILED;
  if (!has_died || !is_read) {
    const uint64_t pause = has_died ? OTHER_LOOK_MS : watch_other(holder);
    if (pause < *pause_ms) *pause_ms = pause;
    return AFTER_WAITS;
  }
  *pause_ms = OTHER_LOOK_MS;
  if (!has_gone()) return AFTER_WAITS;
  return other.has_exit && other.completes ? AFTER_COMPLETED : AFTER_FAILED;
}

enum after after_look(uint64_t *pause_ms) {
  if (shim.request->after[0] == '\0' || other.is_over) return AFTER_COMPLETED;
  const enum after found = look(pause_ms);
  if (found == AFTER_WAITS) return found;
  other.is_over = found == AFTER_COMPLETED;
  if (other.is_followed) queue_unfollow(shim.request->after);
  other.is_followed = false;
  if (other.log >= 0) (void)close(other.log);
  other.log = -1;
  return found;
}
