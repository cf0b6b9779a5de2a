/* Linux: what wakes the shim. Signals arrive through a descriptor, so one call of poll waits for everything. */
#include "shim.h"

#ifdef __linux__

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Without a descriptor for signals, the end of the watched process may go unnoticed for this long. */
enum { BLIND_MS = 1000 };

static int signals_fd = -1;
static int watched_fd = -1;
static struct waker *also[MOST_WAKERS];
static size_t also_count;
static bool has_continued;

static void open_signals(void) {
  sigset_t all;
  (void)sigfillset(&all);
  signals_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
}

void wake_open(void) {
  if (signals_fd >= 0) (void)close(signals_fd);
  if (watched_fd >= 0) (void)close(watched_fd);
  watched_fd = -1;
  also_count = 0;
  open_signals();
}

void wake_also(struct waker *waker) {
  if (also_count < MOST_WAKERS) also[also_count++] = waker;
}

bool wake_continued(void) {
  const bool has = has_continued;
  has_continued = false;
  return has;
}

bool wake_watch(pid_t pid, uint64_t start) {
  const long descriptor = syscall(SYS_pidfd_open, pid, 0);
  if (descriptor < 0) return false;
  /* The descriptor refers to one process. It is the right one if the start time matches after the opening. */
  const uint64_t found = start == 0 ? 0 : system_start(pid);
  if (start != 0 && found != 0 && found != start) {
    (void)close((int)descriptor);
    return false;
  }
  if (watched_fd >= 0) (void)close(watched_fd);
  watched_fd = (int)descriptor;
  return true;
}

/* Lets the kernel delay a wake-up to combine it with others, when no process waits for the exact moment. */
static void allow_slack(uint64_t milliseconds) {
  static uint64_t now;
  if (now == milliseconds) return;
  now = milliseconds;
  /* 0 restores the default, 50 microseconds. */
  (void)prctl(PR_SET_TIMERSLACK, (unsigned long)milliseconds * 1000000ul, 0, 0, 0);
}

static void await_signal(uint64_t milliseconds) {
  sigset_t all;
  (void)sigfillset(&all);
  const struct timespec time = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
  if (sigtimedwait(&all, NULL, &time) == SIGCONT) has_continued = true;
}

bool wake_wait(uint64_t milliseconds, uint64_t slack_ms) {
  allow_slack(slack_ms);
  /* There was no descriptor at the start, or the kernel refuses it. Signals can be waited for without one. */
  if (signals_fd < 0) open_signals();
  if (signals_fd < 0) {
    await_signal(milliseconds < BLIND_MS ? milliseconds : BLIND_MS);
    milliseconds = 0;
  }
  /* poll ignores an entry with a negative number. */
  struct pollfd sources[2 + MOST_WAKERS] = {{signals_fd, POLLIN, 0}, {watched_fd, POLLIN, 0}};
  for (size_t i = 0; i < also_count; i++) {
    const short events = (short)((also[i]->reads ? POLLIN : 0) | (also[i]->writes ? POLLOUT : 0));
    /* poll reports a hang-up even when no event was asked for, again and again. */
    sources[2 + i] = (struct pollfd){events == 0 ? -1 : also[i]->fd, events, 0};
    also[i]->is_ready = false;
  }
  const int time = milliseconds > 3600000 ? 3600000 : (int)milliseconds;
  const int ready = poll(sources, (nfds_t)(2 + also_count), time);
  if (ready < 0) {
    /* Never exit: whatever the kernel's error is, the command still needs its shim. */
    const struct timespec pause = {0, 10000000};
    (void)nanosleep(&pause, NULL);
    return false;
  }
  struct signalfd_siginfo taken[16];
  if ((sources[0].revents & POLLIN) != 0) {
    for (ssize_t got; (got = read(signals_fd, taken, sizeof taken)) > 0;) {
      for (size_t i = 0; i < (size_t)got / sizeof taken[0]; i++)
        if (taken[i].ssi_signo == SIGCONT) has_continued = true;
    }
  }
  for (size_t i = 0; i < also_count; i++) also[i]->is_ready = sources[2 + i].revents != 0;
  if (watched_fd < 0 || sources[1].revents == 0) return false;
  (void)close(watched_fd);
  watched_fd = -1;
  return true;
}

#endif
