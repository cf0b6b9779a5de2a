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

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The descriptors that the spawner hands over. */
enum { OUTPUT_FD = 1, ERROR_FD = 2, LOG_FD = 3, BELL_FD = 4 };

/* How the launcher ends: the spawner reads the reason from the exit status. */
enum { LAUNCHED = 0, BAD_REQUEST = 64, NO_INPUT = 66, NO_PROCESS = 71, NO_DESCRIPTORS = 74, NO_PLACE = 75 };

/* What `held LOG` answers: whether the shim of that log lives. UNTOLD, or any other status: that cannot be told. */
enum { HELD = 10, FREE = 11, UNTOLD = 12 };

enum { MAX_WORDS = 128, NAME_BYTES = 24, COOKIE_BYTES = 64, PROOF_BYTES = 65, SEAL_BYTES = 33 };
enum { PATH_BYTES = 4096, OUTPUT_NAME_BYTES = 48 };

/* So long the command of a hook may be, with its NUL. */
enum { HOOK_BYTES = 4096 + 1 };

/* So long a word may be, with its NUL: the bound of Linux. */
enum { WORD_BYTES = 128 * 1024 };

/* So long all words in a file may be, each with its NUL; and so many, since Linux counts the pointer to each as well. */
enum { WORDS_BYTES = 2 * 1024 * 1024, MOST_WORDS = WORDS_BYTES / 8 };

/* What the numbers of locks have room for. */
static const uint64_t MOST_ORDER = 1ull << 55, MOST_LIMIT = 1ull << 54;

/* What becomes of processes that are alive after the command ended. */
enum leftovers { REPORT, KILL, WAIT };

/*
 * What the command reads: nothing; data that descriptor 0 brings; descriptor 0 itself; that, of which nothing came; what others
 * send while it runs.
 */
enum input { INPUT_NONE, INPUT_DATA, INPUT_HANDED, INPUT_SILENT, INPUT_OPEN };

/* The size of a terminal. */
struct window {
  uint16_t columns, rows;
};

enum { MOST_COLUMNS = 1000, MOST_ROWS = 1000 };

/*
 * Whether a call was interrupted, and is to be made again. Not for ever: a file system of somebody's own may say so each
 * time. `times`: how often this call was.
 */
static inline bool is_interrupted(int *times) {
  enum { MOST_INTERRUPTIONS = 100 };
  return errno == EINTR && ++*times <= MOST_INTERRUPTIONS;
}

/* ---- main.c ---- */

/* `ps` shows this process as a pump. Its name for the kernel stays that of a shim, by which shims know each other. */
void show_as_pump(void);

/* ---- request.c: what the spawner asks for ---- */

struct request {
  char task[NAME_BYTES];
  char cookie[COOKIE_BYTES];
  char exit_proof[PROOF_BYTES];
  char gone_proof[PROOF_BYTES];
  char cgroup[PATH_BYTES];  /* Empty: the command stays in the spawner's. */
  char pipes[PATH_BYTES];   /* The folder in which the shell tells how its pipeline ended; empty: it is not asked. */
  bool zsh;                 /* It is zsh, and not bash. */
  char hook[HOOK_BYTES];    /* The command to run when the task has ended; empty: none. */
  uint64_t hook_ms;         /* So long it may run. */
  char hook_output[PATH_BYTES], hook_folder[PATH_BYTES]; /* The file that it writes to, and where it runs. */
  char *words[MAX_WORDS + 1]; /* The command line; only valid until the environment is wiped. */
  size_t word_count;
  size_t from_file;         /* The word that is the path of a file and stands for its content; 0: none. */
  bool many;                /* The file has this word and all that follow. */
  uint64_t log_offset;      /* Where facts of others begin: the end of the spec. */
  uint64_t timeout_ms;      /* 0: none. */
  uint64_t grace_ms;
  uint64_t max_output;      /* Bytes; 0: no limit. */
  const char *out, *err;    /* The files that it writes to, of which the second may be absent: as long as the words. */
  enum input input;
  uint64_t data_bytes;      /* So many come by descriptor 0. */
  bool piped;               /* What comes by descriptor 0 goes into an input that stays open. */
  struct window window;     /* Of its terminal; 0 columns: it has none. */
  const char *socket;       /* Where its socket goes when it cannot be beside the output; NULL: nowhere. */
  bool separate;            /* stderr has a file of its own. */
  bool pumped;              /* A pump carries its output into the files. */
  const char *slots;        /* The file of locks that notice.c speaks of; NULL: none. As long as the words. */
  enum leftovers leftovers;
  pid_t bound_pid;          /* 0: not bound to a process. */
  uint64_t bound_start;     /* 0: not known. */
  const char *queue_file;   /* The file of the session's locks; NULL: none. As long as the words. */
  uint64_t order;           /* Its place in the line: the lower comes first. */
  uint64_t limit;           /* It starts when fewer tasks of the session run. */
  bool queued;              /* Where there is no place, it waits for one. */
  char after[NAME_BYTES];   /* The task that has to complete first; empty: none. */
  const char *after_log;    /* The log of that task: as long as the words. */
  char after_seal[SEAL_BYTES];
  bool bell;                /* There is a doorbell. */
  bool stays;               /* It stays the spawner's child. */
  mode_t mask;              /* The command's umask. The shim has none: what it makes is for its owner, who can read it. */
  uint64_t memory_bytes, cpu_seconds, processes; /* 0: no limit. */
  int nicer;
};

/*
 * Parses a request in place. False when it is not whole or not understood: then nothing runs. `request` is all zeros
 * before: to write these would make pages private that stay as they are.
 */
bool request_parse(char *text, size_t length, struct request *request);
/* Reads a number of digits only. False at the first thing that is none, and beyond `most`. */
bool request_number(const char *text, size_t length, uint64_t most, uint64_t *value);
/* Takes the netstring at *at; its content is [*begin, *begin + *length). False when it is not whole. */
bool request_netstring(char *text, size_t size, size_t *at, char **begin, size_t *length);
/* The command line, with the words that are in a file; it ends with NULL. NULL, with errno, when these cannot be had whole. */
char **request_command(struct request *request);

/* ---- fork_server.c ---- */

/* Starts shims for a spawner, with its mask for new files, until the input ends; the exit status. */
int serve_forks(mode_t mask);

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
/* The number that stands for a key, or `otherwise`. */
uint64_t text_integer(const char *line, const char *key, uint64_t otherwise);

/* ---- seal.c ---- */

/* The seal of a secret, which may take its place. */
void seal_of(const char *proof, char *seal);

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
/* The same of another task's log, which was opened before. */
bool record_read_from(int log_fd, struct position *position, void (*take)(const char *line, void *what), void *what);
/* Whether somebody asked for the end, or recorded one, or removed the record, before the command ran. */
bool record_forbids(struct position position);
bool record_is_removed(void);

/* ---- clock.c ---- */

/* Milliseconds in which the machine ran, since some moment. Nobody sets this clock. */
uint64_t clock_ms(void);
uint64_t clock_epoch_ms(void);
/* One moment by both clocks. */
struct moment {
  uint64_t ms, epoch_ms;
};
struct moment clock_now(void);

/* ---- facts.c: what the shim says ---- */

struct tree;

/* How a command ended. */
struct ending {
  int status; /* As wait4 tells it. */
  struct rusage usage;
  const int *refusal; /* An errno, or 0 when the record forbade the command to run; NULL: it has run. */
  int left;           /* Processes that are left; -1: not known. */
  bool pending;       /* The task ends later: with `left` or `gone`. */
  uint64_t bytes;     /* Of output: in the files, and on the way there. */
  uint64_t dropped;   /* Bytes that the disk did not take from a pump. */
  struct moment at;
};

/* `has_locks`: nobody needs to give it its turn. */
void record_waiting(pid_t self, uint64_t start, bool has_locks);
void record_own_stop(const char *cause, uint64_t grace_ms);
void record_stopping(const char *id);
/* Appends it and rings. The first secret is shown once, and not kept. */
void record_exit(struct request *request, const struct ending *ending);
/* Who is alive. `proof` ends a task whose end was pending; NULL: it was not. */
void record_left(const struct tree *tree, const char *proof);
void record_stopped(const char *id, const struct tree *tree);
void record_gone(const char *proof);
/* So many bytes of a stream are known to be erased, all in all; 0: some may be. */
void record_erased(const char *stream, uint64_t bytes);
/* A process watches the terminal and may type into it, or does so no more. */
void record_attached(pid_t pid, bool is_attached);
/* The hook is about to run, kept by this process. False when that could not be recorded: nothing is kept. */
bool record_hook(pid_t self, uint64_t start);
/* How it ended, as wait4 tells it, or what has ended it. */
void record_hook_ended(int status, const char *cause);
void record_hook_refused(int error);

/* ---- pipes.c: how the segments of the last pipeline ended ---- */

/* Has the shell that this process becomes tell it. */
void pipes_ask(const struct request *request);
/* Adds what it has told to the fact of its end, and removes what that took. */
void pipes_tell(const struct request *request, struct text *text);

/* ---- marks.c: when the output had grown how far ---- */

/* The marks of one file of output. All zeros, and -1 for `file`, before the first. */
struct marks {
  int file;          /* -1: not made yet. */
  bool has_failed;   /* There will be no more. */
  uint32_t count;
  uint64_t interval_ms, begun_ms;
  uint64_t offset, at_ms; /* The last one. */
};

/* Everything before `offset` was written at that time of the epoch. The file of marks is beside that of the output. */
void marks_note(struct marks *marks, int folder, const char *output, uint64_t offset, uint64_t at_ms);
/* The output begins anew. */
void marks_restart(struct marks *marks);

/* ---- signals.c: names ---- */

int signal_number(const char *name, size_t length); /* 0: not known. */
void signal_name(int number, struct text *text);

/* ---- linux.c, linux_processes.c and linux_wake.c, macos.c: what differs ---- */

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

/* Gives this process the name by which shims know each other. */
void system_show_name(void);
/* No signal has any effect on this process but those that nobody can block, and none is ignored by what it starts. */
void system_reset_signals(void);
/* Prepares this process. True when every descendant that loses its parent becomes its child. */
bool system_become_reaper(void);
/*
 * Holds a file for as long as the descriptor is open anywhere, also in a child. Who cannot see this process, from another
 * container say, sees that. Where the kernel or the file system cannot, nothing happens.
 */
void system_hold(int fd);
/* Whether a file is held: HELD, FREE, or UNTOLD. */
int system_is_held(int fd);
/* Closes all descriptors from `first` on. */
void system_close_foreign(int first);
/*
 * Hands over the names in an open folder, until there are no more or `each` has enough, which must not come here itself.
 * False when the system broke off.
 */
bool system_names(int folder, bool (*each)(const char *name, void *what), void *what);
uint64_t system_start(pid_t pid); /* Kernel start time; 0: not known. */
/* Whether a process has ended: a zombie has. `start`: when it started; 0: not known. */
bool system_is_gone(pid_t pid, uint64_t start);
/* Whether a process is stopped by a signal, or that cannot be seen. */
bool system_may_be_stopped(pid_t pid);
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
/* Forks a helper of the shim. `is_child`: `wait4` counts it among the children; else it waits apart (`__WCLONE`). */
pid_t system_fork_aside(bool *is_child);
/* The helper is no process of the task; 0: there is none. */
void system_spare(pid_t pid);
/* Ends this process with its parent; 0 takes that back. Where the kernel cannot, does nothing. */
void system_die_with_parent(int number);

/* Opens what wakes this process, and lets go of what woke the one that has forked it. */
void wake_open(void);
/* Watches a process; false when that cannot be done (then it is looked at from time to time). */
bool wake_watch(pid_t pid, uint64_t start);
/* So many descriptors wake it besides: of inotify, a terminal, a socket, its clients, the command's input and its source. */
enum { MOST_WAKERS = 16 };
/* A descriptor that wakes as well; -1: none. */
struct waker {
  int fd;
  bool reads, writes; /* For what it waits. */
  bool is_ready;      /* It can be read or written, or has failed: as of the last wait. */
};
/* Waits for it from now on, for whatever it then says. */
void wake_also(struct waker *waker);
/* Whether somebody has sent SIGCONT since the last call. */
bool wake_continued(void);
/*
 * Sleeps until a signal comes, the watched process ends, or the time is over, which may be up to `slack_ms` later.
 * True when that process has ended.
 */
bool wake_wait(uint64_t milliseconds, uint64_t slack_ms);

/*
 * Forks a process that has the locks of this one when this one ends; it must do nothing else than that. -1 where it
 * would not have them.
 */
pid_t system_fork_with_locks(void);

/* ---- hook.c: what is run when the task has ended ---- */

/* Notes how the command ended; its proof is about to be in the log. */
void hook_hear(const struct request *request, const struct ending *ending);

/* ---- command.c: the child that becomes the command ---- */

/* What the child says right before it becomes the command, or where it tells itself why it cannot. */
enum { ITS_OWN_END = -1 };

/*
 * Never returns. `begin`: from when its time counts. Through `report` it says with an errno, or 0 where the record
 * forbids it, that nothing has run. A child that has said nothing was ended before the command ran.
 */
_Noreturn void command_become(struct request *request, pid_t shim, uint64_t shim_start, struct moment begin,
                              bool subreaper, int report);

/* ---- terminal.c, input.c ---- */

/* In the child, before it becomes the command: its descriptors are those of the terminal, if it has one. */
bool terminal_hand_over(void);
/* And it reads what it is to read. */
bool input_hand_over(void);
/* Before there is a shim: takes the data, or looks what is handed on. False with errno when the data is not whole. */
bool input_take(struct request *request);

/* ---- clients.c ---- */

/* Where the socket is: empty: beside the output; NULL: there is none. */
const char *clients_socket(void);

/* ---- queue.c: the locks of the session ---- */

/* Takes a place among the tasks that run, or stands in the line. False when there is no place for one that may not wait. */
bool queue_enter(struct request *request);
/* Gives up everything. */
void queue_close(void);
/* Whether a lock on an open file is seen by another process. */
bool queue_is_possible(int file);

/* ---- supervise.c ---- */

/* Wipes the request, and the environment when that is needed no more; the cookie stays in sight, or is changed. */
typedef void (*wiper)(const char *cookie, bool environment);

/* The life of a shim. */
int supervise(struct request *request, wiper wipe);

/* ---- pump.c ---- */

/* In the child, before it becomes the command: its output goes to the FIFOs, if there are any. */
bool pump_hand_over(void);
/*
 * Starts a pump for a task whose shim is dead, and returns the exit status of this program. `words`: the limit, the
 * folder, the names of one file of output or of two.
 */
int pump_rescue(int count, char **words);

#endif
