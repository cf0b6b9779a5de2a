/*
 * Linux: the processes of the machine, as /proc shows them, and which of them belong to the task. Files are read
 * without the allocations of stdio.
 */
#include "shim.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char name_of_shims[] = "outlive-shim";

/* How many processes one check covers on the whole machine. With more, the result is marked as incomplete. */
enum { MAX_PROCESSES = 32768, MAX_PID = 1 << 22 };

/* Whether /proc is there and shows this pid namespace. Otherwise it shows other processes. */
static bool proc_is_ours;

/* Whether a descendant that loses its parent becomes a child of this process. */
static bool subreaper;

void system_show_name(void) { (void)prctl(PR_SET_NAME, name_of_shims, 0, 0, 0); }

bool system_become_reaper(void) {
  char self[32];
  const ssize_t length = readlink("/proc/self", self, sizeof self - 1);
  if (length > 0) {
    self[length] = '\0';
    proc_is_ours = strtol(self, NULL, 10) == (long)getpid();
  }
  subreaper = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
  return subreaper;
}

static pid_t spared;

void system_spare(pid_t pid) { spared = pid; }

/* ---- what /proc says of a process ---- */

static void proc_path(char *path, size_t room, pid_t pid, const char *file) {
  struct text text = {path, 0, room - 1, false};
  text_add(&text, "/proc/");
  text_number(&text, (uint64_t)pid);
  text_add(&text, file);
  path[text.length] = '\0';
}

/* Reads the beginning of a file. Returns its length, or -1 with errno. */
static ssize_t read_proc(pid_t pid, const char *file, char *buffer, size_t room) {
  char path[64];
  proc_path(path, sizeof path, pid, file);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t length = 0;
  ssize_t got = 0;
  while (length < room - 1 && (got = read(fd, buffer + length, room - 1 - length)) > 0) length += (size_t)got;
  const int error = errno;
  (void)close(fd);
  errno = error;
  if (got < 0) return -1;
  buffer[length] = '\0';
  return (ssize_t)length;
}

/* The content of /proc/PID/stat. */
struct stat_line {
  struct process process;
  bool dead;
  bool is_shim; /* By its name. */
};

static bool parse_stat(const char *line, struct stat_line *found) {
  const char *const open_bracket = strchr(line, '(');
  const char *const close_bracket = strrchr(line, ')');
  if (open_bracket == NULL || close_bracket == NULL || close_bracket[1] != ' ') return false;
  const size_t name = (size_t)(close_bracket - open_bracket - 1);
  found->is_shim = name == sizeof name_of_shims - 1 && memcmp(open_bracket + 1, name_of_shims, name) == 0;
  found->process.pid = (pid_t)strtol(line, NULL, 10);
  const char state = close_bracket[2];
  /* After the state: parent 4, group 5, ... threads 20, start 22, as proc(5) counts. */
  uint64_t fields[23] = {0};
  const char *at = close_bracket + 3;
  for (int field = 4; field <= 22; field++) {
    char *end = NULL;
    fields[field] = strtoull(at, &end, 10);
    if (end == at) return false;
    at = end;
  }
  found->process.parent = (pid_t)fields[4];
  found->process.group = (pid_t)fields[5];
  found->process.start = fields[22];
  found->process.stopped = state == 'T' || state == 't';
  /* The first thread of a process may have ended while others go on. That looks like a zombie with threads. */
  found->dead = state == 'X' || (state == 'Z' && fields[20] <= 1);
  return true;
}

enum look { SEEN, GONE, UNREADABLE };

static enum look look_at(pid_t pid, struct stat_line *found) {
  char line[1024];
  if (read_proc(pid, "/stat", line, sizeof line) < 0)
    return errno == ENOENT || errno == ESRCH ? GONE : UNREADABLE;
  if (!parse_stat(line, found)) return UNREADABLE;
  return found->dead ? GONE : SEEN;
}

uint64_t system_start(pid_t pid) {
  struct stat_line found;
  return proc_is_ours && look_at(pid, &found) == SEEN ? found.process.start : 0;
}

bool system_is_gone(pid_t pid, uint64_t start) {
  if (kill(pid, 0) != 0 && errno == ESRCH) return true;
  struct stat_line found;
  found.dead = false;
  found.process.start = 0;
  /* Some mounts of /proc hide other users' processes. A process that is hidden may still live. */
  if (!proc_is_ours || look_at(pid, &found) == UNREADABLE) return false;
  return found.dead || (start != 0 && found.process.start != 0 && found.process.start != start);
}

bool system_may_be_stopped(pid_t pid) {
  struct stat_line found;
  const enum look look = proc_is_ours ? look_at(pid, &found) : UNREADABLE;
  return look == UNREADABLE || (look == SEEN && found.process.stopped);
}

void system_command_line(pid_t pid, struct text *text) {
  enum { CHARACTERS = 200 };
  char line[4 * CHARACTERS + 1];
  ssize_t length = read_proc(pid, "/cmdline", line, sizeof line);
  while (length > 0 && line[length - 1] == '\0') length--;
  if (length > 0) {
    for (ssize_t i = 0; i < length; i++) {
      if (line[i] == '\0') line[i] = ' ';
    }
    text_string(text, line, (size_t)length, CHARACTERS);
    return;
  }
  /* The kernel's name for a process that shows no command line, in brackets. */
  char name[64] = "[";
  length = read_proc(pid, "/comm", name + 1, sizeof name - 2);
  if (length > 0 && name[length] == '\n') length--;
  if (length < 0) length = 0;
  name[length + 1] = ']';
  text_string(text, name, (size_t)length + 2, CHARACTERS);
}

/* ---- the tree ---- */

static struct process table[MAX_PROCESSES];
static struct process shims[MAX_PROCESSES / 4];
/* A bit for each pid: whether it is known to descend from this process. */
static unsigned char marks[MAX_PID / 8];

static bool marked(pid_t pid) { return pid > 0 && pid < MAX_PID && ((marks[pid / 8] >> (pid % 8)) & 1) != 0; }

static void mark(pid_t pid, bool on) {
  if (pid <= 0 || pid >= MAX_PID) return;
  const unsigned char bit = (unsigned char)(1u << (pid % 8));
  if (on) marks[pid / 8] |= bit;
  else marks[pid / 8] &= (unsigned char)~bit;
}

/* Whose process it is, by the cookie at the beginning of its environment: nobody's, this task's, another's. */
enum owner { NOBODYS, OURS, ANOTHERS, UNREAD };

static enum owner owner_of(pid_t pid, const char *cookie) {
  static const char name[] = "OUTLIVE_TASK=";
  char environ[4096];
  const ssize_t length = read_proc(pid, "/environ", environ, sizeof environ);
  /*
   * It has ended, or hides its environment. After any other failure, such as a lack of descriptors, the owner is
   * unknown.
   */
  if (length < 0 && errno != ENOENT && errno != ESRCH && errno != EACCES && errno != EPERM) return UNREAD;
  for (ssize_t at = 0; at < length; at += (ssize_t)strlen(environ + at) + 1) {
    if (strncmp(environ + at, name, sizeof name - 1) != 0) continue;
    const char *const value = environ + at + sizeof name - 1;
    if (strcmp(value, cookie) == 0) return OURS;
    return strncmp(value, "bgb-", 4) == 0 ? ANOTHERS : NOBODYS;
  }
  return NOBODYS;
}

/* How many processes are in the table, and how many shims; and whether these are all. */
struct list {
  size_t count, shim_count;
  bool unknown;
};

static bool add_listed(const char *name, void *what) {
  struct list *const list = what;
  if (name[0] < '1' || name[0] > '9') return true;
  const pid_t pid = (pid_t)strtol(name, NULL, 10);
  if (pid == spared) return true;
  struct stat_line found;
  const enum look look = look_at(pid, &found);
  if (look == UNREADABLE) list->unknown = true;
  if (look != SEEN) return true;
  /* A stop must not treat the shim of a nested task as an ordinary process of this task. */
  if (found.is_shim && list->shim_count < sizeof shims / sizeof shims[0]) shims[list->shim_count++] = found.process;
  else if (!found.is_shim && list->count < MAX_PROCESSES) table[list->count++] = found.process;
  else list->unknown = true;
  return true;
}

/* Lists the live processes of the machine. Nested shims are listed apart. */
static struct list list_all(void) {
  struct list list = {.unknown = true};
  const int folder = proc_is_ours ? open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (folder < 0) return list;
  list.unknown = false;
  if (!system_names(folder, add_listed, &list)) list.unknown = true;
  (void)close(folder);
  return list;
}

/* Moves a process of the table to the members, which are at its beginning. */
static void take(size_t *members, size_t index) {
  const struct process found = table[index];
  table[index] = table[*members];
  table[(*members)++] = found;
  mark(found.pid, true);
}

/*
 * Where orphans get another parent, cookie and group show whose a process is. By now the group's number may belong to
 * another group. It is the task's if the command leads it, or if a member has the task's cookie.
 */
static void take_what_shows_it(size_t *members, size_t count, pid_t group, const char *cookie, bool *unknown) {
  const pid_t self = getpid();
  bool is_group_ours = false;
  for (size_t i = 0; i < count && !is_group_ours; i++) {
    if (table[i].group != group) continue;
    is_group_ours = table[i].parent == self || owner_of(table[i].pid, cookie) == OURS;
  }
  for (size_t i = 0; i < count; i++) {
    const enum owner owner = owner_of(table[i].pid, cookie);
    if (owner == UNREAD) *unknown = true;
    const bool is_in_group = is_group_ours && table[i].group == group && owner == NOBODYS;
    if (table[i].pid != self && (owner == OURS || is_in_group)) take(members, i);
  }
}

void system_tree(struct tree *tree, pid_t group, const char *cookie) {
  const pid_t self = getpid();
  const struct list list = list_all();
  size_t count = list.count;
  tree->unknown = list.unknown;
  tree->nested = 0;
  mark(self, true);
  size_t members = 0;
  if (!subreaper) take_what_shows_it(&members, count, group, cookie, &tree->unknown);
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < list.shim_count; i++) {
      if (shims[i].pid == self || !marked(shims[i].parent) || marked(shims[i].pid)) continue;
      /* The shim of a task that was spawned in this one is not part of this one; nor are its descendants. */
      const enum owner owner = owner_of(shims[i].pid, cookie);
      if (owner == ANOTHERS) tree->nested++;
      /* It may be a shim. Then a stop of this task must spare it. */
      else if (owner == UNREAD || count == MAX_PROCESSES) tree->unknown = true;
      /* A process that only has the name of a shim counts like others. */
      else table[count++] = shims[i];
      shims[i].parent = 0;
    }
    /* A parent is mostly before its children, so one or two rounds find all. */
    for (size_t i = members; i < count; i++) {
      if (table[i].pid == self || !marked(table[i].parent)) continue;
      take(&members, i);
      again = true;
    }
  }
  for (size_t i = 0; i < members; i++) mark(table[i].pid, false);
  mark(self, false);
  tree->members = table;
  tree->count = members;
}

void system_forget_tree(void) {
  const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
  const struct {
    void *begin;
    size_t size;
  } parts[] = {{table, sizeof table}, {shims, sizeof shims}, {marks, sizeof marks}};
  for (size_t i = 0; i < 3; i++) {
    const uintptr_t begin = ((uintptr_t)parts[i].begin + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)parts[i].begin + parts[i].size) / page * page;
    if (end > begin) (void)madvise((void *)begin, end - begin, MADV_DONTNEED);
  }
}

int system_children(pid_t *pids, int room, const char *cookie) {
  char children[2048], file[64];
  const pid_t self = getpid();
  if (!proc_is_ours) return -1;
  struct text text = {file, 0, sizeof file - 1, false};
  text_add(&text, "/task/");
  text_number(&text, (uint64_t)self);
  text_add(&text, "/children");
  file[text.length] = '\0';
  const ssize_t length = read_proc(self, file, children, sizeof children);
  if (length < 0 || length == (ssize_t)sizeof children - 1) return -1;
  int count = 0;
  for (char *at = children; *at != '\0';) {
    char *end = NULL;
    const pid_t pid = (pid_t)strtol(at, &end, 10);
    if (end == at) break;
    at = end;
    while (*at == ' ') at++;
    if (pid == spared) continue;
    struct stat_line found;
    const enum look look = look_at(pid, &found);
    if (look == UNREADABLE) return -1;
    if (count == room) break;
    const enum owner owner = look == SEEN && found.is_shim ? owner_of(pid, cookie) : OURS;
    if (owner == UNREAD) return -1;
    if (look == SEEN && owner != ANOTHERS) pids[count++] = pid;
  }
  return count;
}

/* ---- signals ---- */

bool system_signal(const struct process *process, int number) {
  /* A child that was not reaped keeps its pid. */
  if (process->parent == getpid()) return kill(process->pid, number) == 0;
  const long descriptor = syscall(SYS_pidfd_open, process->pid, 0);
  if (descriptor < 0 && errno == ESRCH) return false;
  struct stat_line now;
  const bool same = look_at(process->pid, &now) == SEEN && now.process.start == process->start;
  bool sent = false;
  if (same && descriptor >= 0) {
    sent = syscall(SYS_pidfd_send_signal, (int)descriptor, number, NULL, 0) == 0;
    if (!sent && (errno == ENOSYS || errno == EPERM)) sent = kill(process->pid, number) == 0;
  } else if (same) {
    /*
     * An old kernel, or a sandbox. The pid may belong to another process since the check. If that one was sent
     * SIGSTOP, it is continued.
     */
    sent = kill(process->pid, number) == 0;
    if (sent && number == SIGSTOP && look_at(process->pid, &now) == SEEN && now.process.start != process->start)
      (void)kill(process->pid, SIGCONT);
  }
  if (descriptor >= 0) (void)close((int)descriptor);
  return sent;
}

#endif
