/*
 * macOS: processes by sysctl, wake-ups by kqueue.
 *
 * There is no subreaper. Three signs show that a process belongs to the task: the process group of the command, the
 * cookie in the environment, and a parent that belongs to it. Programs that the system protects show no environment.
 */
#include "shim.h"

#ifdef __APPLE__

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/event.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sysctl.h>
#include <time.h>
#include <unistd.h>

static const char name_of_shims[] = "outlive-shim";
static const char cookie_variable[] = "OUTLIVE_TASK=";

enum {
  /* How many processes of the machine one check covers. With more, the result is marked as incomplete. */
  MAX_PROCESSES = 8192,
  /* All pids are smaller. */
  MAX_PID = 100000,
  /* How many descriptors one call lists. */
  MAX_LISTED = 1024,
  /* Without a kqueue a signal may go unnoticed for this long. */
  BLIND_MS = 20,
};

/* ---- this process ---- */

/* `ps` shows the first argument, which the spawner has set. */
void system_show_name(void) {}

void system_reset_signals(void) {
  struct sigaction usual;
  memset(&usual, 0, sizeof usual);
  usual.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; number++) (void)sigaction(number, &usual, NULL);
  sigset_t all;
  (void)sigfillset(&all);
  (void)sigprocmask(SIG_SETMASK, &all, NULL);
}

/* There are no containers, and every process sees all others. */
void system_hold(int fd) { (void)fd; }
int system_is_held(int fd) {
  (void)fd;
  return UNTOLD;
}

/* An orphan does not become a child of the shim. */
bool system_become_reaper(void) { return false; }

/* A lock belongs to one process. */
pid_t system_fork_with_locks(void) { return -1; }

/* The child checks its parent itself, just before it becomes the command. */
void system_die_with_parent(int number) { (void)number; }

/* The shim has only its own children here, and one more does not matter. */
pid_t system_fork_aside(bool *is_child) {
  *is_child = true;
  return fork();
}

static pid_t spared;

void system_spare(pid_t pid) { spared = pid; }

/* There are no cgroups. */
void system_kill_cgroup(const char *dir) { (void)dir; }

/* ---- one process ---- */

/* Start times are whole seconds of the epoch, as in `ps -o lstart`: supervisors compare the two. */
static uint64_t start_of(const struct kinfo_proc *info) { return (uint64_t)info->kp_proc.p_starttime.tv_sec; }

static bool is_dead(const struct kinfo_proc *info) { return info->kp_proc.p_stat == SZOMB; }

static bool look_at(pid_t pid, struct kinfo_proc *found) {
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  size_t size = sizeof *found;
  /* For an unused pid the kernel returns an empty answer and no error. */
  return sysctl(name, 4, found, &size, NULL, 0) == 0 && size == sizeof *found && found->kp_proc.p_pid == pid;
}

uint64_t system_start(pid_t pid) {
  struct kinfo_proc found;
  return look_at(pid, &found) && !is_dead(&found) ? start_of(&found) : 0;
}

bool system_is_gone(pid_t pid, uint64_t start) {
  if (kill(pid, 0) != 0 && errno == ESRCH) return true;
  struct kinfo_proc found;
  return look_at(pid, &found) && (is_dead(&found) || (start != 0 && start_of(&found) != start));
}

bool system_may_be_stopped(pid_t pid) {
  struct kinfo_proc found;
  return look_at(pid, &found) && found.kp_proc.p_stat == SSTOP;
}

/*
 * The arguments and the environment of a process, as the kernel returns them: the number of arguments, the path of
 * the program, zeros, the arguments, the environment. Into a smaller buffer the kernel would write only the end.
 */
static union {
  int argument_count;
  char bytes[sizeof(int) + ARG_MAX];
} block;

/* Where the strings after the path of the program begin and end. False when the process shows nothing. */
static bool read_block(pid_t pid, size_t *begin, size_t *end) {
  int name[] = {CTL_KERN, KERN_PROCARGS2, pid};
  size_t size = sizeof block;
  if (sysctl(name, 3, &block, &size, NULL, 0) != 0 || size <= sizeof(int) || size > sizeof block) return false;
  size_t at = sizeof(int);
  while (at < size && block.bytes[at] != '\0') at++;
  while (at < size && block.bytes[at] == '\0') at++;
  *begin = at;
  *end = size;
  return at < size;
}

/* The length of the string at `at`, without its zero, which may be missing at the end of the block. */
static size_t string_at(size_t at, size_t end) {
  const char *const zero = memchr(block.bytes + at, '\0', end - at);
  return zero == NULL ? end - at : (size_t)(zero - (block.bytes + at));
}

void system_command_line(pid_t pid, struct text *text) {
  enum { CHARACTERS = 200 };
  size_t begin = 0, end = 0;
  if (read_block(pid, &begin, &end) && block.argument_count > 0) {
    size_t after = begin;
    for (int i = 0; i < block.argument_count && after < end; i++) {
      after += string_at(after, end) + 1;
      if (after <= end) block.bytes[after - 1] = ' ';
    }
    if (after > end) after = end;
    while (after > begin && block.bytes[after - 1] == ' ') after--;
    if (after > begin) {
      text_string(text, block.bytes + begin, after - begin, CHARACTERS);
      return;
    }
  }
  /* It does not show its arguments: use its name, in brackets. */
  struct kinfo_proc found;
  char line[MAXCOMLEN + 3] = "[";
  size_t length = 0;
  if (look_at(pid, &found)) {
    length = strnlen(found.kp_proc.p_comm, MAXCOMLEN);
    memcpy(line + 1, found.kp_proc.p_comm, length);
  }
  line[length + 1] = ']';
  text_string(text, line, length + 2, CHARACTERS);
}

/* ---- the tree ---- */

/* Whose a process is, by its environment. */
enum mark { UNREAD, NOBODYS, OURS, OTHER_SHIM };

static struct kinfo_proc table[MAX_PROCESSES];
static unsigned char marks[MAX_PROCESSES];
/* What the last check has found. */
static struct process members[MAX_PROCESSES];
static size_t member_count;
/* A bit for each pid: whether the process is known to belong to the task. */
static unsigned char known[MAX_PID / 8];

static bool is_known(pid_t pid) { return pid > 0 && pid < MAX_PID && ((known[pid / 8] >> (pid % 8)) & 1) != 0; }

static void know(pid_t pid) {
  if (pid > 0 && pid < MAX_PID) known[pid / 8] |= (unsigned char)(1u << (pid % 8));
}

/* A process that belonged to the task still does: its parent, perhaps the only other sign, may be gone. */
static void remember_members(size_t count) {
  memset(known, 0, sizeof known);
  for (size_t i = 0; i < member_count; i++) know(members[i].pid);
  for (size_t i = 0; i < count; i++) {
    marks[i] = UNREAD;
    if (!is_known(table[i].kp_proc.p_pid)) continue;
    for (size_t j = 0; j < member_count; j++) {
      if (members[j].pid == table[i].kp_proc.p_pid && members[j].start == start_of(&table[i])) marks[i] = OURS;
    }
  }
}

static enum mark read_mark(pid_t pid, const char *cookie) {
  size_t at = 0, end = 0;
  if (!read_block(pid, &at, &end)) return NOBODYS;
  const bool is_shim = strncmp(block.bytes + at, name_of_shims, end - at) == 0;
  for (int i = 0; i < block.argument_count && at < end; i++) at += string_at(at, end) + 1;
  static const size_t name = sizeof cookie_variable - 1;
  while (at < end) {
    const size_t length = string_at(at, end);
    if (length >= name && memcmp(block.bytes + at, cookie_variable, name) == 0) {
      const char *const value = block.bytes + at + name;
      const size_t size = length - name;
      if (size == strlen(cookie) && memcmp(value, cookie, size) == 0) return OURS;
      /* A process that only has the name of a shim counts like others. */
      return is_shim && size > 4 && memcmp(value, "bgb-", 4) == 0 ? OTHER_SHIM : NOBODYS;
    }
    at += length + 1;
  }
  return NOBODYS;
}

/* Whether a process of the list belongs to the task, as far as is known by now, and is not counted yet. */
static bool is_member(size_t i, pid_t group, uint64_t since, const char *cookie) {
  const struct kinfo_proc *const info = &table[i];
  const pid_t pid = info->kp_proc.p_pid;
  if (pid == getpid() || pid == spared || is_dead(info) || is_known(pid)) return false;
  const bool reached =
      marks[i] == OURS || is_known(info->kp_eproc.e_ppid) || (group != 0 && info->kp_eproc.e_pgid == group);
  /*
   * It would take long to read the environments of all processes. A process older than this one cannot have its
   * cookie.
   */
  if (!reached && start_of(info) < since) return false;
  if (marks[i] == UNREAD) marks[i] = (unsigned char)read_mark(pid, cookie);
  /* The shim of another task does not; its descendants belong to that shim. */
  return marks[i] == OURS || (reached && marks[i] == NOBODYS);
}

/*
 * The kernel does not reuse the number of a process group while one of its members lives. So until the first check
 * that finds no member, the group is the command's. After the command has ended, checks follow each other quickly.
 */
static bool group_is_ours(pid_t group, size_t count) {
  static pid_t ended;
  if (group == ended) return false;
  for (size_t i = 0; i < count; i++) {
    if (table[i].kp_eproc.e_pgid == group) return true;
  }
  ended = group;
  return false;
}

void system_tree(struct tree *tree, pid_t group, const char *cookie) {
  *tree = (struct tree){members, 0, 0, false};
  int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_ALL};
  size_t size = sizeof table;
  /* When not all processes fit, the kernel returns ENOMEM, and does not say which are missing. */
  if (sysctl(name, 3, table, &size, NULL, 0) != 0) {
    tree->unknown = true;
    return;
  }
  const size_t count = size / sizeof table[0];
  const pid_t self = getpid();
  const uint64_t since = system_start(self);
  if (!group_is_ours(group, count)) group = 0;
  remember_members(count);
  memset(known, 0, sizeof known);
  know(self);
  member_count = 0;
  /* Repeats until a round finds nothing new: a child may be before its parent. */
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < count; i++) {
      if (!is_member(i, group, since, cookie)) continue;
      const struct kinfo_proc *const info = &table[i];
      know(info->kp_proc.p_pid);
      members[member_count++] = (struct process){
          .pid = info->kp_proc.p_pid,
          .parent = info->kp_eproc.e_ppid,
          .group = info->kp_eproc.e_pgid,
          .start = start_of(info),
          .stopped = info->kp_proc.p_stat == SSTOP,
      };
      again = true;
    }
  }
  tree->count = member_count;
  for (size_t i = 0; i < count; i++) {
    if (marks[i] == OTHER_SHIM && is_known(table[i].kp_eproc.e_ppid)) tree->nested++;
  }
}

void system_forget_tree(void) {
  member_count = 0;
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const struct {
    void *begin;
    size_t size;
  } parts[] = {{table, sizeof table}, {members, sizeof members}, {&block, sizeof block}};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    const uintptr_t begin = ((uintptr_t)parts[i].begin + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)parts[i].begin + parts[i].size) / page * page;
    if (end > begin) (void)madvise((void *)begin, end - begin, MADV_FREE);
  }
}

/* Orphans get another parent, so the children of this process are not the tree. */
int system_children(pid_t *pids, int room, const char *cookie) {
  (void)pids;
  (void)room;
  (void)cookie;
  return -1;
}

/* ---- signals ---- */

static bool is_same(const struct process *process) { return system_start(process->pid) == process->start; }

bool system_signal(const struct process *process, int number) {
  if (!is_same(process) || kill(process->pid, number) != 0) return false;
  /* The pid may belong to another process since the check. If that one was sent SIGSTOP, it is continued. */
  if (number == SIGSTOP && !is_same(process)) {
    (void)kill(process->pid, SIGCONT);
    return false;
  }
  return true;
}

/* ---- descriptors ---- */

/* Closes the listed descriptors. Returns how many, or -1 when there is no list. */
static int close_listed(int first) {
  static struct proc_fdinfo listed[MAX_LISTED];
  const int size = proc_pidinfo(getpid(), PROC_PIDLISTFDS, 0, listed, (int)sizeof listed);
  if (size <= 0) return -1;
  int closed = 0;
  for (size_t i = 0; i < (size_t)size / sizeof listed[0]; i++) {
    if (listed[i].proc_fd >= first && close(listed[i].proc_fd) == 0) closed++;
  }
  return closed;
}

void system_close_foreign(int first) {
  int closed = close_listed(first);
  /* The list is cut at the end of the buffer, so the next one may have more. */
  while (closed > 0) closed = close_listed(first);
  if (closed == 0) return;
  struct rlimit most;
  const bool usual = getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < 65536;
  for (int fd = first; fd < (usual ? (int)most.rlim_cur : 65536); fd++) (void)close(fd);
}

/* The only function that allocates: programs may not use the system call for this. */
bool system_names(int folder, bool (*each)(const char *name, void *what), void *what) {
  const int copy = dup(folder);
  DIR *const names = copy < 0 ? NULL : fdopendir(copy);
  if (names == NULL) {
    if (copy >= 0) (void)close(copy);
    return false;
  }
  bool more = true;
  errno = 0;
  for (const struct dirent *entry; more && (entry = readdir(names)) != NULL; errno = 0)
    more = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || each(entry->d_name, what);
  const bool is_whole = !more || errno == 0;
  (void)closedir(names);
  return is_whole;
}

/* ---- waking up ---- */

static int queue = -1;
static struct waker *also[MOST_WAKERS];
static size_t also_count;
static bool has_continued;

/*
 * From here on, the filter counts each signal that is sent to this process until kevent reports it, even a blocked or
 * an ignored one. So no signal is lost between a check and a sleep. A blocked SIGCHLD would not do: the kernel drops
 * it when its action is the default.
 */
static void open_queue(void) {
  queue = kqueue();
  if (queue < 0) return;
  (void)fcntl(queue, F_SETFD, FD_CLOEXEC);
  for (int number = 1; number < NSIG; number++) {
    struct kevent change;
    EV_SET(&change, (uintptr_t)number, EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
    if (number != SIGKILL && number != SIGSTOP) (void)kevent(queue, &change, 1, NULL, 0, NULL);
  }
}

void wake_open(void) {
  also_count = 0;
  /* A child does not inherit the queue of its parent. */
  open_queue();
}

bool wake_watch(pid_t pid, uint64_t start) {
  struct kevent change;
  EV_SET(&change, (uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, NULL);
  if (queue < 0 || kevent(queue, &change, 1, NULL, 0, NULL) != 0) return false;
  /* The filter refers to one process. It is the right one if the start time matches after the filter was added. */
  if (start == 0 || system_start(pid) == start) return true;
  change.flags = EV_DELETE;
  (void)kevent(queue, &change, 1, NULL, 0, NULL);
  return false;
}

void wake_also(struct waker *waker) {
  if (also_count < MOST_WAKERS) also[also_count++] = waker;
}

bool wake_continued(void) {
  const bool has = has_continued;
  has_continued = false;
  return has;
}

/*
 * Uses select, because poll does not work on terminals here. A kqueue is readable when it has an event. The time is
 * limited, because a descriptor that is no longer valid would wake this process again and again.
 */
static void await_descriptors(uint64_t milliseconds) {
  fd_set reads, writes;
  FD_ZERO(&reads);
  FD_ZERO(&writes);
  FD_SET(queue, &reads);
  int most = queue;
  for (size_t i = 0; i < also_count; i++) {
    also[i]->is_ready = false;
    if (also[i]->fd < 0 || also[i]->fd >= FD_SETSIZE) continue;
    if (also[i]->reads) FD_SET(also[i]->fd, &reads);
    if (also[i]->writes) FD_SET(also[i]->fd, &writes);
    if (also[i]->fd > most) most = also[i]->fd;
  }
  struct timeval time = {(time_t)(milliseconds / 1000), (suseconds_t)(milliseconds % 1000) * 1000};
  if (select(most + 1, &reads, &writes, NULL, &time) <= 0) return;
  for (size_t i = 0; i < also_count; i++) {
    const int fd = also[i]->fd;
    also[i]->is_ready = fd >= 0 && fd < FD_SETSIZE && (FD_ISSET(fd, &reads) || FD_ISSET(fd, &writes));
  }
}

static struct timespec duration(uint64_t milliseconds) {
  return (struct timespec){(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
}

bool wake_wait(uint64_t milliseconds, uint64_t slack_ms) {
  /* The kernel combines timers by itself. */
  (void)slack_ms;
  if (queue < 0) {
    /* There are no descriptors left. Signals until now are not counted, so the caller checks. */
    const struct timespec pause = duration(milliseconds < BLIND_MS ? milliseconds : BLIND_MS);
    open_queue();
    if (queue < 0) (void)nanosleep(&pause, NULL);
    return false;
  }
  await_descriptors(milliseconds < 3600000 ? milliseconds : 3600000);
  const struct timespec none = {0};
  struct kevent events[16];
  const int count = kevent(queue, NULL, 0, events, 16, &none);
  if (count < 0) {
    /* Never exit: whatever the kernel's error is, the command still needs its shim. */
    const struct timespec pause = duration(10);
    (void)nanosleep(&pause, NULL);
    return false;
  }
  bool has_ended = false;
  for (int i = 0; i < count; i++) {
    if (events[i].filter == EVFILT_PROC && (events[i].fflags & NOTE_EXIT) != 0) has_ended = true;
    if (events[i].filter == EVFILT_SIGNAL && events[i].ident == SIGCONT) has_continued = true;
  }
  return has_ended;
}

#endif
