#include "shim.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* The variable with the request. The command does not get it. */
static const char request_name[] = "OUTLIVE_REQUEST=";
/*
 * An entry with this prefix holds an environment variable, in which `%` and each byte that is not ASCII are written
 * as %xx. The spawner knows the bytes of variables that are not UTF-8, but cannot pass them on unchanged.
 */
static const char escaped_name[] = "OUTLIVE_REQUEST_";
/* The variable that shows which task this process belongs to. Only this one stays visible. */
static const char cookie_name[] = "OUTLIVE_TASK=";

/* Where the kernel shows the environment of this process. */
static char *block;
static size_t block_length;
static char *request_text;
static size_t request_length;

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes the variable in an entry, in place: it never gets longer. */
static char *unescape(char *entry) {
  char *const variable = entry + strcspn(entry, "=") + 1;
  char *to = variable;
  for (const char *from = variable; *from != '\0'; from++) {
    const bool is_escape = from[0] == '%' && digit(from[1]) >= 0 && digit(from[2]) >= 0;
    *to++ = is_escape ? (char)(digit(from[1]) * 16 + digit(from[2])) : from[0];
    if (is_escape) from += 2;
  }
  *to = '\0';
  return variable;
}

/* Takes the request out of the environment. NULL when there is none. */
static char *take_request(void) {
  char *found = NULL;
  size_t kept = 0;
  for (size_t i = 0; environ[i] != NULL; i++) {
    char *const entry = environ[i];
    /* The entries follow each other in memory, as the kernel has placed them. */
    if (block == NULL) block = entry;
    block_length = (size_t)(entry + strlen(entry) + 1 - block);
    if (strncmp(entry, request_name, sizeof request_name - 1) == 0) found = entry + sizeof request_name - 1;
    else environ[kept++] = entry;
  }
  environ[kept] = NULL;
  /* Only now, because the block's length is computed from its last entry. */
  for (size_t i = 0; i < kept; i++) {
    const bool is_escaped = strncmp(environ[i], escaped_name, sizeof escaped_name - 1) == 0;
    if (is_escaped && strchr(environ[i], '=') != NULL) environ[i] = unescape(environ[i]);
  }
  return found;
}

/*
 * The environment may hold secrets, and the request holds the proofs. Neither stays in the memory of a process that
 * lives as long as its task. The command, which has the environment, is another process by now.
 */
static void wipe(const char *cookie, bool environment) {
  size_t kept = 0;
  const size_t length = sizeof cookie_name - 1 + strlen(cookie) + 1;
  /*
   * The cookie comes first, and the rest is wiped after it: at every moment other processes can see whose process
   * this is.
   */
  const bool fits = environment || (strncmp(block, cookie_name, sizeof cookie_name - 1) == 0 && strlen(block) + 1 == length);
  if (fits && length <= block_length) {
    memcpy(block, cookie_name, sizeof cookie_name - 1);
    memcpy(block + sizeof cookie_name - 1, cookie, strlen(cookie) + 1);
    kept = length;
  }
  if (environment) memset(block + kept, 0, block_length - kept);
  else memset(request_text, 0, request_length);
}

/* The first word of the command line, which `ps` shows. */
static char *shown_name;

void show_as_pump(void) {
  static const char is[] = "outlive-shim", becomes[] = "outlive-pump";
  _Static_assert(sizeof is == sizeof becomes, "one name takes the place of the other");
  if (shown_name != NULL && strcmp(shown_name, is) == 0) memcpy(shown_name, becomes, sizeof becomes);
}

static bool has_descriptors(const struct request *request) {
  const int count = request->bell ? BELL_FD : LOG_FD;
  for (int fd = 0; fd <= count; fd++) {
    if (fcntl(fd, F_GETFD) < 0 || (fd >= LOG_FD && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)) return false;
  }
  return true;
}

/*
 * Leaves a child that ends as soon as this process has, and prints its pid. The caller checks whether the child is
 * reaped.
 */
static int leave_orphan(void) {
  const pid_t parent = getpid();
  const pid_t orphan = fork();
  if (orphan == 0) {
    for (int fd = 0; fd < 3; fd++) (void)close(fd);
    const struct timespec pause = {0, 1000000};
    for (int round = 0; round < 2000 && getppid() == parent; round++) (void)nanosleep(&pause, NULL);
    _exit(0);
  }
  char line[32];
  struct text text = {line, 0, sizeof line, false};
  text_number(&text, orphan < 0 ? 0 : (uint64_t)orphan);
  text_add(&text, "\n");
  return write(1, line, text.length) == (ssize_t)text.length ? 0 : 1;
}

/* Whether the shim of a log lives, for processes that cannot see it. */
static int tell_held(const char *log) {
  const int file = open(log, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  return file < 0 ? UNTOLD : system_is_held(file);
}

/* A shim that is suspended has not answered by then, and counts as launched. */
enum { ANSWERS_WITHIN_MS = 1000 };

/* Waits until the shim has its place, and returns its answer. A shim that has died gives none. */
static int answer_of(int shim) {
  struct pollfd source = {shim, POLLIN, 0};
  unsigned char word = LAUNCHED;
  int ready, interrupted = 0;
  do {
    ready = poll(&source, 1, ANSWERS_WITHIN_MS);
  } while (ready < 0 && is_interrupted(&interrupted));
  return ready == 1 && read(shim, &word, 1) == 1 ? word : LAUNCHED;
}

/* Where locks cannot pass to a child, the shim takes them, and its launcher waits for that. */
static void fork_and_enter(struct request *request) {
  int ends[2];
  if (pipe(ends) != 0) _exit(NO_DESCRIPTORS);
  const pid_t shim = fork();
  if (shim < 0) _exit(NO_PROCESS);
  if (shim > 0) {
    (void)close(ends[1]);
    _exit(answer_of(ends[0]));
  }
  const unsigned char word = queue_enter(request) ? LAUNCHED : NO_PLACE;
  const ssize_t told = write(ends[1], &word, 1);
  for (int i = 0; i < 2; i++) (void)close(ends[i]);
  if (word != LAUNCHED) _exit(told == 1 ? 0 : 1);
}

/*
 * Leaves the shim and exits; returns in the shim. The spawner waits for this exit. Then the shim is not a child of
 * the spawner, so an agent that ends all its descendants spares it. The shim also has its place by then, so the next
 * spawn counts it.
 */
static void fork_away(struct request *request) {
  if (!queue_enter(request)) _exit(NO_PLACE);
  const pid_t shim = system_fork_with_locks();
  if (shim > 0) _exit(LAUNCHED);
  if (shim < 0) {
    queue_close();
    fork_and_enter(request);
  }
  (void)setsid();
}

int main(int count, char **words) {
  const mode_t mask = umask(0);
  /* A doorbell is a FIFO, which Node cannot make. */
  if (count == 3 && strcmp(words[1], "doorbell") == 0) return mkfifo(words[2], S_IRUSR | S_IWUSR) == 0 ? 0 : 1;
  if (count == 2 && strcmp(words[1], "orphan") == 0) return leave_orphan();
  if (count > 2 && strcmp(words[1], "pump") == 0) return pump_rescue(count - 2, words + 2);
  if (count == 3 && strcmp(words[1], "held") == 0) return tell_held(words[2]);
  if (count == 2 && strcmp(words[1], "locks") == 0) return queue_is_possible(LOG_FD) ? 0 : 1;
  if (count == 2 && strcmp(words[1], "reader") == 0) return wait_for_no_reader();
  if (count == 2 && strcmp(words[1], "serve") == 0) return serve_forks(mask);
  system_reset_signals();
  shown_name = count > 0 ? words[0] : NULL;
  static struct request request;
  request.mask = mask;
  char *const text = take_request();
  if (text == NULL) return BAD_REQUEST;
  request_text = text;
  request_length = strlen(text);
  if (!request_parse(text, request_length, &request)) return BAD_REQUEST;
  if (!has_descriptors(&request)) return NO_DESCRIPTORS;
  system_close_foreign(request.bell ? BELL_FD + 1 : BELL_FD);
  system_hold(LOG_FD);
  if (!input_take(&request)) return NO_INPUT;
  if (!request.stays) fork_away(&request);
  /* Its spawner already has its answer. */
  else (void)queue_enter(&request);
  return supervise(&request, wipe);
}
