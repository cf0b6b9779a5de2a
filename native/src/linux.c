/* Linux: this process, its forks and locks, its descriptors and folders. */
#include "shim.h"

#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- this process ---- */

/* Raw calls, because a C library keeps the first real-time signals for itself and would not change them. */
void system_reset_signals(void) {
  /* All zeros: the default action. It is at least as large as the kernel's own struct, which no header declares. */
  static const struct sigaction usual;
  const uint64_t all = UINT64_MAX;
  for (int number = 1; number <= 64; number++) (void)syscall(SYS_rt_sigaction, number, &usual, NULL, sizeof all);
  (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof all);
}

/*
 * A child whose end sends another signal than SIGCHLD is invisible to the `wait4` that reaps the task. So "no child"
 * still means that no process of the task is left. qemu's user mode has no such children.
 */
pid_t system_fork_aside(bool *is_child) {
  *is_child = false;
  const long pid = syscall(SYS_clone, (long)SIGURG, 0L, 0L, 0L, 0L);
  if (pid >= 0 || errno == EAGAIN || errno == ENOMEM) return (pid_t)pid;
  *is_child = true;
  return fork();
}

/*
 * Locks belong to a table of descriptors. The new process shares the table, and does not copy it, until the old one
 * ends. The C library has no such call. (Nor does qemu.)
 */
pid_t system_fork_with_locks(void) { return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0); }

void system_die_with_parent(int number) { (void)prctl(PR_SET_PDEATHSIG, (unsigned long)number, 0, 0, 0); }

/* ---- what is held ---- */

/* A lock that belongs to the open file, not to a process: a process that inherits the descriptor has it as well. */
static int lock(int fd, int what, struct flock *wanted) {
  *wanted = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(fd, what, wanted);
}

void system_hold(int fd) {
  struct flock wanted;
  (void)lock(fd, F_OFD_SETLK, &wanted);
}

int system_is_held(int fd) {
  struct flock wanted;
  /* This only asks for the lock. A process that is suspended while it asks holds up no other. */
  if (lock(fd, F_OFD_GETLK, &wanted) != 0) return UNTOLD;
  return wanted.l_type == F_UNLCK ? FREE : HELD;
}

/* ---- cgroups ---- */

void system_kill_cgroup(const char *dir) {
  char path[PATH_BYTES + 32];
  struct text text = {path, 0, sizeof path - 1, false};
  text_add(&text, dir);
  text_add(&text, "/cgroup.kill");
  path[text.length] = '\0';
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  const ssize_t ignored = write(file, "1\n", 2);
  (void)ignored;
  (void)close(file);
}

/* ---- folders and descriptors ---- */

/* As getdents64 returns it. */
struct entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

bool system_names(int folder, bool (*each)(const char *name, void *what), void *what) {
  static char names[4096] __attribute__((aligned(8)));
  for (;;) {
    const long got = syscall(SYS_getdents64, folder, names, sizeof names);
    if (got <= 0) return got == 0;
    for (long at = 0; at < got;) {
      const struct entry *const entry = (const void *)(names + at);
      at += entry->length;
      if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0 && !each(entry->name, what)) return true;
    }
  }
}

/* Which descriptors to close, and through which one they are listed. */
struct foreign {
  int first, folder;
};

static bool close_listed(const char *name, void *what) {
  const struct foreign *const foreign = what;
  const int fd = (int)strtol(name, NULL, 10);
  if (fd >= foreign->first && fd != foreign->folder) (void)close(fd);
  return true;
}

void system_close_foreign(int first) {
  if (syscall(SYS_close_range, (unsigned)first, ~0u, 0) == 0) return;
  struct foreign foreign = {first, open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (foreign.folder >= 0) {
    const bool is_whole = system_names(foreign.folder, close_listed, &foreign);
    (void)close(foreign.folder);
    if (is_whole) return;
  }
  struct rlimit most;
  const bool known = getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_cur < 65536;
  for (int fd = first; fd < (known ? (int)most.rlim_cur : 65536); fd++) (void)close(fd);
}

#endif
