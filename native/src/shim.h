/*
 * The shim: the one process beside a command. It records how the command starts and ends, holds its limits,
 * stops it whole, and lives until the last process of the task is gone.
 *
 * Rules for all files here: no memory is allocated, every buffer has a fixed size; all signals are blocked
 * from the first line on, so no call is interrupted by a handler; nothing is written but facts.
 */
#ifndef OUTLIVE_SHIM_H
#define OUTLIVE_SHIM_H

/* Before any header of the system: what Linux has beyond POSIX. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The descriptors that the spawner hands over. */
enum { OUTPUT_FD = 1, ERROR_FD = 2, LOG_FD = 3, BELL_FD = 4 };

/* How the launcher ends: the spawner reads the reason from the exit status. */
enum { LAUNCHED = 0, BAD_REQUEST = 64, NO_PROCESS = 71, NO_DESCRIPTORS = 74 };

enum { MAX_WORDS = 128, NAME_BYTES = 16, COOKIE_BYTES = 64, PROOF_BYTES = 65, PATH_BYTES = 4096 };

/* What becomes of processes that are alive after the command ended. */
enum leftovers { REPORT, KILL, WAIT };

/* ---- request.c: what the spawner asks for ---- */

struct request {
  char task[NAME_BYTES];
  char cookie[COOKIE_BYTES];
  char exit_proof[PROOF_BYTES];
  char gone_proof[PROOF_BYTES];
  char cgroup[PATH_BYTES];  /* Empty: the command stays in the spawner's. */
  char *words[MAX_WORDS + 1]; /* The command line; only valid until the environment is wiped. */
  size_t word_count;
  uint64_t log_offset;      /* Where facts of others begin: the end of the spec. */
  uint64_t timeout_ms;      /* 0: none. */
  uint64_t grace_ms;
  uint64_t max_output;      /* Bytes; 0: no limit. */
  bool separate;            /* stderr has a file of its own. */
  enum leftovers leftovers;
  pid_t bound_pid;          /* 0: not bound to a process. */
  uint64_t bound_start;     /* 0: not known. */
  bool queued;              /* It waits for its turn first. */
  bool bell;                /* There is a doorbell. */
  bool stays;               /* It stays the spawner's child. */
  uint64_t memory_bytes, cpu_seconds, processes; /* 0: no limit. */
  int nicer;
};

/* Parses a request in place. False when it is not whole or not understood: then nothing runs. */
bool request_parse(char *text, size_t length, struct request *request);

/* ---- text.c: facts as text ---- */

struct text {
  char *bytes;
  size_t length, room;
  bool overflow;
};

void text_add(struct text *text, const char *words);
void text_number(struct text *text, uint64_t number);
/* A JSON string. Bytes that are no UTF-8 become U+FFFD; at most `most` characters are taken. */
void text_string(struct text *text, const char *bytes, size_t length, size_t most);
/* The value of a key in a line of JSON: where it begins, or NULL. The line ends with NUL. */
const char *text_value(const char *line, const char *key);

/* ---- record.c: the task log ---- */

/* Appends a fact. What the disk does not take is kept and tried again by record_retry. */
void record(const char *fact, size_t length);
/* Appends a fact, or says that it could not: nothing is kept. */
bool record_now(const char *fact, size_t length);
void record_retry(void);
bool record_is_complete(void);
/* Tells the spawner, if it lives, of a fact that is on its way to the log. A hint that may get lost. */
void ring(const char *task, const char *fact, size_t length);
/* How far the log has been read. */
struct position {
  uint64_t offset;
  bool inside; /* Within a long line, whose beginning was taken. */
};
/*
 * Hands every whole line that was appended since the last call to `take`, without its line break; of a long one the
 * beginning. False when the log could not be read.
 */
bool record_read(struct position *position, void (*take)(const char *line, void *what), void *what);
/* Whether somebody asked for the end, or recorded one, or removed the record, before the command ran. */
bool record_forbids(struct position position);
bool record_is_removed(void);

/* ---- facts.c: what the shim says ---- */

struct tree;

/* How a command ended. */
struct ending {
  int status; /* As wait4 tells it. */
  struct rusage usage;
  const int *refusal; /* An errno, or 0 when the record forbade the command to run; NULL: it has run. */
  int left;           /* Processes that are left; -1: not known. */
  bool pending;       /* The task ends later: with `left` or `gone`. */
};

void record_waiting(pid_t self, uint64_t start);
void record_own_stop(const char *cause, uint64_t grace_ms);
void record_stopping(const char *id);
/* Appends it and rings. The first secret is shown once, and not kept. */
void record_exit(struct request *request, const struct ending *ending);
/* Who is alive. `proof` ends a task whose end was pending; NULL: it was not. */
void record_left(const struct tree *tree, const char *proof);
void record_stopped(const char *id, const struct tree *tree);
void record_gone(const char *proof);

/* ---- clock.c ---- */

/* Milliseconds in which the machine ran, since some moment. Nobody sets this clock. */
uint64_t clock_ms(void);
uint64_t clock_epoch_ms(void);
/* One moment by both clocks. */
struct moment {
  uint64_t ms, epoch_ms;
};

/* ---- signals.c: names ---- */

int signal_number(const char *name, size_t length); /* 0: not known. */
void signal_name(int number, struct text *text);

/* ---- linux.c, macos.c: what differs ---- */

struct process {
  pid_t pid, parent, group;
  uint64_t start;
  bool stopped;
};

/* The live processes of the task, and how far that can be believed. */
struct tree {
  const struct process *members;
  size_t count;
  size_t nested; /* Shims of tasks that were spawned in this one. */
  bool unknown;  /* Something could not be read: what is there counts, what is not proves nothing. */
};

/* Prepares this process. True when every descendant that loses its parent becomes its child. */
bool system_become_reaper(void);
/* Closes all descriptors from `first` on. */
void system_close_foreign(int first);
uint64_t system_start(pid_t pid); /* Kernel start time; 0: not known. */
/* Whether a process has ended: a zombie has. `start`: when it started; 0: not known. */
bool system_is_gone(pid_t pid, uint64_t start);
/* `group`: the command's. `shim`: this process. `cookie`: the task's. */
void system_tree(struct tree *tree, pid_t group, const char *cookie);
/* Gives back the memory that looking at processes took. */
void system_forget_tree(void);
/* Writes pids of direct children that are no shims, as many as there is room for; -1: that cannot be read. */
int system_children(pid_t *pids, int room, const char *cookie);
/* Sends a signal after a look that the process is still the same. False when it is gone or may not be signalled. */
bool system_signal(const struct process *process, int number);
void system_kill_cgroup(const char *dir);
void system_command_line(pid_t pid, struct text *text);
/* Ends this process with its parent; 0 takes that back. Where the kernel cannot, does nothing. */
void system_die_with_parent(int number);

/* Opens what wakes the shim. */
void wake_open(void);
/* Watches a process; false when that cannot be done (then it is looked at from time to time). */
bool wake_watch(pid_t pid, uint64_t start);
/*
 * Sleeps until a signal comes, the watched process ends, or the time is over, which may be up to `slack_ms` later.
 * True when that process has ended.
 */
bool wake_wait(uint64_t milliseconds, uint64_t slack_ms);

/* ---- command.c: the child that becomes the command ---- */

/* What the child says right before it becomes the command, or where it tells itself why it cannot. */
enum { ITS_OWN_END = -1 };

/*
 * Never returns. `begin`: from when its time counts. Through `report` it says with an errno, or 0 where the record
 * forbids it, that nothing has run. A child that has said nothing was ended before the command ran.
 */
_Noreturn void command_become(const struct request *request, pid_t shim, uint64_t shim_start, struct moment begin,
                              bool subreaper, int report);

/* ---- supervise.c ---- */

/* The life of a shim. `wipe` is called when the environment is needed no more. */
int supervise(struct request *request, void (*wipe)(const char *cookie));

#endif
