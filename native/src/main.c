#include "shim.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* The variable that brings the request; the command does not get it. */
static const char request_name[] = "OUTLIVE_REQUEST=";
/* The variable that tells whose process this is, and the only one that stays in sight. */
static const char cookie_name[] = "OUTLIVE_TASK=";

/* Where the kernel shows the environment of this process. */
static char *block;
static size_t block_length;

/* Takes the request out of the environment. NULL when there is none. */
static char *take_request(void) {
  char *found = NULL;
  size_t kept = 0;
  for (size_t i = 0; environ[i] != NULL; i++) {
    char *const entry = environ[i];
    /* The entries lie one after the other, as the kernel has put them. */
    if (block == NULL) block = entry;
    block_length = (size_t)(entry + strlen(entry) + 1 - block);
    if (strncmp(entry, request_name, sizeof request_name - 1) == 0) found = entry + sizeof request_name - 1;
    else environ[kept++] = entry;
  }
  environ[kept] = NULL;
  return found;
}

/*
 * The environment may hold secrets, and the request holds the proofs: neither stays in the memory of a process
 * that lives as long as its task. The command, which has them, is another process by now.
 */
static void wipe(const char *cookie) {
  size_t kept = 0;
  const size_t length = sizeof cookie_name - 1 + strlen(cookie) + 1;
  /* There is no moment in which it cannot be told whose process this is: that comes first, and the rest goes after it. */
  if (length <= block_length) {
    memcpy(block, cookie_name, sizeof cookie_name - 1);
    memcpy(block + sizeof cookie_name - 1, cookie, strlen(cookie) + 1);
    kept = length;
  }
  memset(block + kept, 0, block_length - kept);
}

/* What is ignored or handled here is not for the command, and SIGCHLD must not be ignored. */
static void reset_signals(void) {
  struct sigaction usual;
  memset(&usual, 0, sizeof usual);
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &usual, NULL);
  sigset_t all;
  (void)sigfillset(&all);
  (void)sigprocmask(SIG_SETMASK, &all, NULL);
}

static bool has_descriptors(const struct request *request) {
  const int count = request->bell ? BELL_FD : LOG_FD;
  for (int fd = 0; fd <= count; fd++) {
    if (fcntl(fd, F_GETFD) < 0 || (fd >= LOG_FD && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)) return false;
  }
  return true;
}

/* Leaves a child that ends as soon as this process has, and prints its pid: somebody looks whether it is reaped. */
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

int main(int count, char **words) {
  /* A doorbell is a FIFO, which Node has no call for. */
  if (count == 3 && strcmp(words[1], "doorbell") == 0) return mkfifo(words[2], S_IRUSR | S_IWUSR) == 0 ? 0 : 1;
  if (count == 2 && strcmp(words[1], "orphan") == 0) return leave_orphan();
  reset_signals();
  static struct request request;
  char *const text = take_request();
  if (text == NULL || !request_parse(text, strlen(text), &request)) return BAD_REQUEST;
  if (!has_descriptors(&request)) return NO_DESCRIPTORS;
  system_close_foreign(request.bell ? BELL_FD + 1 : BELL_FD);
  if (!request.stays) {
    const pid_t shim = fork();
    if (shim < 0) return NO_PROCESS;
    /* The spawner waits for this end, and then the shim is nobody's child: who ends all its descendants spares it. */
    if (shim > 0) _exit(LAUNCHED);
    (void)setsid();
  }
  return supervise(&request, wipe);
}
