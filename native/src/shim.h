/*
 * The shim: the one extra process of a command. It records how the command starts and ends, enforces its limits,
 * stops all its processes, and lives until the last process of the task is gone.
 *
 * Rules for all files here: no memory is allocated, and every buffer has a fixed size. All signals are blocked from
 * the first line on, so no handler interrupts a call. The shim writes only facts.
 */
#ifndef OUTLIVE_SHIM_H
#define OUTLIVE_SHIM_H

/* Before any header of the system: asks for what Linux has beyond POSIX. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The descriptors that the spawner passes. */
enum { OUTPUT_FD = 1, ERROR_FD = 2, LOG_FD = 3, BELL_FD = 4 };

/* The exit status of the launcher, from which the spawner reads the reason. */
enum { LAUNCHED = 0, BAD_REQUEST = 64, NO_INPUT = 66, NO_PROCESS = 71, NO_DESCRIPTORS = 74, NO_PLACE = 75 };

/* The exit status of `held LOG`: whether the shim of that log lives. UNTOLD, or any other status: unknown. */
enum { HELD = 10, FREE = 11, UNTOLD = 12 };

/* The exit status of `reader` when no process reads descriptor 3 any more. UNTOLD: descriptor 0 has ended before. */
enum { READER_GONE = 13 };

enum { MAX_WORDS = 128, NAME_BYTES = 24, COOKIE_BYTES = 64, PROOF_BYTES = 65, SEAL_BYTES = 33 };
enum { PATH_BYTES = 4096, OUTPUT_NAME_BYTES = 48 };

/* The longest command of a hook, with its NUL. */
enum { HOOK_BYTES = 4096 + 1 };

/* The longest word, with its NUL: the bound of Linux. */
enum { WORD_BYTES = 128 * 1024 };

/*
 * The longest content of a file of words, each with its NUL; and the most words, since Linux also counts a pointer
 * for each.
 */
enum { WORDS_BYTES = 2 * 1024 * 1024, MOST_WORDS = WORDS_BYTES / 8 };

/* The largest values that the numbers of locks have room for. */
static const uint64_t MOST_ORDER = 1ull << 55, MOST_LIMIT = 1ull << 54;

/* What happens to processes that are alive after the command ended. */
enum leftovers { REPORT, KILL, WAIT };

/*
 * What the command reads: nothing; data that comes through descriptor 0; descriptor 0 itself; the same, but nothing
 * came; what clients send while it runs.
 */
enum input { INPUT_NONE, INPUT_DATA, INPUT_HANDED, INPUT_SILENT, INPUT_OPEN };

/* The size of a terminal. */
struct window {
  uint16_t columns, rows;
};

enum { MOST_COLUMNS = 1000, MOST_ROWS = 1000 };

/*
 * Whether a call was interrupted and must be repeated. Not for ever: a user's own file system may interrupt it each
 * time. `times`: how often this call was interrupted.
 */
static inline bool is_interrupted(int *times) {
  enum { MOST_INTERRUPTIONS = 100 };
  return errno == EINTR && ++*times <= MOST_INTERRUPTIONS;
}

/* ---- main.c ---- */

/* Makes `ps` show this process as a pump. Its kernel name stays that of a shim, by which shims recognise each other. */
void show_as_pump(void);

/* ---- request.c: what the spawner asks for ---- */

struct request {
  char task[NAME_BYTES];
  char cookie[COOKIE_BYTES];
  char exit_proof[PROOF_BYTES];
  char gone_proof[PROOF_BYTES];
  char cgroup[PATH_BYTES];  /* Empty: the command stays in the spawner's. */
  char pipes[PATH_BYTES];   /* The folder in which the shell reports how its pipeline ended; empty: the shell is not asked. */
  bool zsh;                 /* The shell is zsh, and not bash. */
  char hook[HOOK_BYTES];    /* The command to run when the task has ended; empty: none. */
  uint64_t hook_ms;         /* How long it may run. */
  char hook_output[PATH_BYTES], hook_folder[PATH_BYTES]; /* The hook's output file, and its working folder. */
  char *words[MAX_WORDS + 1]; /* The command line; valid only until the environment is wiped. */
  size_t word_count;
  size_t from_file;         /* The index of the word that is replaced by the content of the file it names; 0: none. */
  bool many;                /* The file has this word and all that follow. */
  uint64_t log_offset;      /* Where facts of others begin: the end of the spec. */
  uint64_t timeout_ms;      /* 0: none. */
  uint64_t grace_ms;
  uint64_t max_output;      /* Bytes; 0: no limit. */
  const char *out, *err;    /* The output files; the second may be missing. Valid as long as the words. */
  enum input input;
  uint64_t data_bytes;      /* How many come through descriptor 0. */
  bool piped;               /* Descriptor 0 is copied to an input that stays open. */
  struct window window;     /* Of its terminal; 0 columns: it has none. */
  const char *socket;       /* Where the socket goes when it cannot be beside the output; NULL: nowhere. */
  bool separate;            /* stderr has its own file. */
  bool pumped;              /* A pump carries the output into the files. */
  const char *slots;        /* The file of locks of notice.c; NULL: none. Valid as long as the words. */
  enum leftovers leftovers;
  pid_t bound_pid;          /* 0: not bound to a process. */
  uint64_t bound_start;     /* 0: not known. */
  const char *queue_file;   /* The file of the session's locks; NULL: none. Valid as long as the words. */
  uint64_t order;           /* Its position in the queue: the lower comes first. */
  uint64_t limit;           /* It starts when fewer tasks of the session run. */
  bool queued;              /* When there is no place, it waits for one. */
  char after[NAME_BYTES];   /* The task that must complete first; empty: none. */
  const char *after_log;    /* The log of that task. Valid as long as the words. */
  char after_seal[SEAL_BYTES];
  bool bell;                /* There is a doorbell. */
  bool stays;               /* The shim stays the spawner's child. */
  mode_t mask;              /* The command's umask. The shim has none: its files have modes for their owner only, who can read them. */
  uint64_t memory_bytes, cpu_seconds, processes; /* 0: no limit. */
  int nicer;
};

/*
 * Parses a request in place. False when it is incomplete or invalid: then nothing runs. `request` must be all zeros:
 * writes of zeros would make its pages private.
 */
bool request_parse(char *text, size_t length, struct request *request);
/* Reads a number that consists of digits only. False for any other character, and above `most`. */
bool request_number(const char *text, size_t length, uint64_t most, uint64_t *value);
/* Takes the netstring at *at; its content is [*begin, *begin + *length). False when it is incomplete. */
bool request_netstring(char *text, size_t size, size_t *at, char **begin, size_t *length);
/*
 * The command line, with the words from its file; NULL ends it. Returns NULL, with errno, when the file is
 * incomplete.
 */
char **request_command(struct request *request);

/* ---- fork_server.c ---- */

/* Starts shims for a spawner, with its umask, until the input ends. Returns the exit status. */
int serve_forks(mode_t mask);

/* ---- text.c: facts as text ---- */

struct text {
  char *bytes;
  size_t length, room;
  bool overflow;
};

void text_add(struct text *text, const char *words);
void text_number(struct text *text, uint64_t number);
/* A JSON string of at most `most` characters. Bytes that are not UTF-8 become U+FFFD. */
void text_string(struct text *text, const char *bytes, size_t length, size_t most);
/* Where the value of a key begins in a line of JSON, or NULL. The line ends with NUL. */
const char *text_value(const char *line, const char *key);
/* The number that a key has, or `otherwise`. */
uint64_t text_integer(const char *line, const char *key, uint64_t otherwise);

/* ---- seal.c ---- */

/* Computes the seal of a secret. Both may be in the same place. */
void seal_of(const char *proof, char *seal);

/* ---- record.c: the task log ---- */

/* Appends a fact. If the disk does not take it, it is kept, and record_retry tries again. */
void record(const char *fact, size_t length);
/* Appends a fact, or returns false: nothing is kept. */
bool record_now(const char *fact, size_t length);
void record_retry(void);
bool record_is_complete(void);
/* Sends the spawner, if it lives, a fact that is on its way to the log. This is a hint that may get lost. */
void ring(const char *task, const char *fact, size_t length);
/* How far the log has been read. */
struct position {
  uint64_t offset;
  bool inside; /* Within a long line, whose beginning was passed on. */
};
/*
 * Passes to `take` every whole line that was appended since the last call, without its line break. Of a long line it
 * passes the beginning. False when the log could not be read.
 */
bool record_read(struct position *position, void (*take)(const char *line, void *what), void *what);
/* The same for another task's open log. */
bool record_read_from(int log_fd, struct position *position, void (*take)(const char *line, void *what), void *what);
/* Whether, before the command ran, a process recorded a stop or an outcome, or removed the record. */
bool record_forbids(struct position position);
bool record_is_removed(void);

/* ---- clock.c ---- */

/* Milliseconds in which the machine ran, since some fixed moment. Nobody can set this clock. */
uint64_t clock_ms(void);
uint64_t clock_epoch_ms(void);
/* One moment on both clocks. */
struct moment {
  uint64_t ms, epoch_ms;
};
struct moment clock_now(void);

/* ---- facts.c: what the shim says ---- */

struct tree;

/* How a command ended. */
struct ending {
  int status; /* As wait4 reports it. */
  struct rusage usage;
  const int *refusal; /* An errno, or 0 when the record forbade the command to run; NULL: it has run. */
  int left;           /* How many processes are left; -1: not known. */
  bool pending;       /* The task ends later: with `left` or `gone`. */
  uint64_t bytes;     /* Bytes of output: in the files, and on the way there. */
  uint64_t dropped;   /* Bytes that the disk did not take from a pump. */
  struct moment at;
};

/* `has_locks`: no supervisor needs to give the turn. */
void record_waiting(pid_t self, uint64_t start, bool has_locks);
void record_own_stop(const char *cause, uint64_t grace_ms);
void record_stopping(const char *id);
/* Appends the exit and rings the doorbell. Shows the first secret, and then wipes it. */
void record_exit(struct request *request, const struct ending *ending);
/*
 * Which processes are alive. `proof` ends a task whose end was pending; NULL: it was not. `dropped`: how many bytes
 * the disk has not taken until now.
 */
void record_left(const struct tree *tree, const char *proof, uint64_t dropped);
void record_stopped(const char *id, const struct tree *tree);
void record_gone(const char *proof, uint64_t dropped);
/* How many bytes of a stream are known to be erased, in total; 0: some may be. */
void record_erased(const char *stream, uint64_t bytes);
/* A process watches the terminal and may type into it; or no longer does. */
void record_attached(pid_t pid, bool is_attached);
/* The hook is about to run; this process is the hook runner. False when that could not be recorded: nothing is kept. */
bool record_hook(pid_t self, uint64_t start);
/* How the hook ended, as wait4 reports it, or the reason that ended it. */
void record_hook_ended(int status, const char *cause);
void record_hook_refused(int error);

/* ---- pipes.c: how the segments of the last pipeline ended ---- */

/* Prepares the environment, so that the shell reports the statuses. */
void pipes_ask(const struct request *request);
/* Adds the reported statuses to the fact of the end, and removes the folder. */
void pipes_tell(const struct request *request, struct text *text);

/* ---- marks.c: when the output had grown how far ---- */

/* The marks of one file of output. Before the first mark all zeros, and -1 for `file`. */
struct marks {
  int file;          /* -1: not made yet. */
  bool has_failed;   /* No more marks will be made. */
  uint32_t count;
  uint64_t interval_ms, begun_ms;
  uint64_t offset, at_ms; /* The last mark. */
};

/*
 * Notes that everything before `offset` had been written at that time of the epoch. The file of marks is beside the
 * output.
 */
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

/* The live processes of the task, and how reliable the list is. */
struct tree {
  const struct process *members;
  size_t count;
  size_t nested; /* Shims of tasks that were spawned in this one. */
  bool unknown;  /* A read failed. Listed processes are there; others may be, too. */
};

/* Gives this process the kernel name by which shims recognise each other. */
void system_show_name(void);
/*
 * Makes signals have no effect on this process, except those that cannot be blocked. Programs that it starts ignore
 * none.
 */
void system_reset_signals(void);
/* Prepares this process. True when every descendant that loses its parent becomes its child. */
bool system_become_reaper(void);
/*
 * Locks a file while the descriptor is open in any process, a child included. Processes that cannot see this one, for
 * example in another container, can see the lock. Does nothing if the kernel or the file system has no such locks.
 */
void system_hold(int fd);
/* Whether a file is held: HELD, FREE, or UNTOLD. */
int system_is_held(int fd);
/* Closes all descriptors from `first` on. */
void system_close_foreign(int first);
/*
 * Passes the names in an open folder to `each`, until there are no more or `each` returns false. `each` must not call
 * this function. False when the system stopped early.
 */
bool system_names(int folder, bool (*each)(const char *name, void *what), void *what);
uint64_t system_start(pid_t pid); /* Kernel start time; 0: not known. */
/* Whether a process has ended; a zombie has. `start`: when it started; 0: not known. */
bool system_is_gone(pid_t pid, uint64_t start);
/* Whether a process is suspended, or that cannot be read. */
bool system_may_be_stopped(pid_t pid);
/* `group`: the command's. `cookie`: the task's. */
void system_tree(struct tree *tree, pid_t group, const char *cookie);
/* Gives back the memory that the list of processes took. */
void system_forget_tree(void);
/* Writes the pids of direct children that are not shims, at most `room`. -1: they cannot be read. */
int system_children(pid_t *pids, int room, const char *cookie);
/* Sends a signal after a check that the process is still the same. False when it is gone or may not be signalled. */
bool system_signal(const struct process *process, int number);
void system_kill_cgroup(const char *dir);
void system_command_line(pid_t pid, struct text *text);
/* Forks a helper of the shim. `is_child`: `wait4` counts it among the children; otherwise it needs `__WCLONE`. */
pid_t system_fork_aside(bool *is_child);
/* The helper is no process of the task; 0: there is none. */
void system_spare(pid_t pid);
/* Makes the kernel send this process a signal when its parent dies; 0: no longer. Does nothing if the kernel cannot. */
void system_die_with_parent(int number);

/* Opens the descriptors that wake this process, and closes those that it has inherited from its parent. */
void wake_open(void);
/* Watches a process. False when that is impossible; then the caller checks it from time to time. */
bool wake_watch(pid_t pid, uint64_t start);
/*
 * How many other descriptors wake it: of inotify, a terminal, a socket, its clients, the command's input and its
 * source.
 */
enum { MOST_WAKERS = 16 };
/* A further descriptor that wakes this process; -1: none. */
struct waker {
  int fd;
  bool reads, writes; /* What it waits for. */
  bool is_ready;      /* At the last wait it could be read or written, or had failed. */
};
/* From now on waits for this descriptor, with the values that it then has. */
void wake_also(struct waker *waker);
/* Whether a process has sent SIGCONT since the last call. */
bool wake_continued(void);
/*
 * Sleeps until a signal comes, the watched process ends, or the time is over, which may be up to `slack_ms` later.
 * True when that process has ended.
 */
bool wake_wait(uint64_t milliseconds, uint64_t slack_ms);

/*
 * Forks a process that gets the locks of this one when this one exits, which must be its next act. -1 when the locks
 * would not pass.
 */
pid_t system_fork_with_locks(void);

/* ---- hook.c: what is run when the task has ended ---- */

/* Notes how the command ended; its proof is about to be in the log. */
void hook_hear(const struct request *request, const struct ending *ending);

/* ---- command.c: the child that becomes the command ---- */

/* The child's report right before it becomes the command, or after it has written itself why it cannot. */
enum { ITS_OWN_END = -1 };

/*
 * Never returns. `begin`: when the task's time begins. Through `report` it sends an errno, or 0 when the record
 * forbids the start, if nothing has run. If it sent nothing, it ended before the command ran.
 */
_Noreturn void command_become(struct request *request, pid_t shim, uint64_t shim_start, struct moment begin,
                              bool subreaper, int report);

/* ---- terminal.c, input.c ---- */

/* In the child, before it becomes the command: makes the terminal, if there is one, its descriptors. */
bool terminal_hand_over(void);
/* The same for its stdin. */
bool input_hand_over(void);
/*
 * Before there is a shim: takes the data, or checks the inherited descriptor. False, with errno, when the data is
 * incomplete.
 */
bool input_take(struct request *request);

/* ---- clients.c ---- */

/* Where the socket is. Empty: beside the output; NULL: there is none. */
const char *clients_socket(void);

/* ---- queue.c: the locks of the session ---- */

/* Takes a place to run, or joins the queue. False when a task that may not wait finds no place. */
bool queue_enter(struct request *request);
/* Gives up everything. */
void queue_close(void);
/* Whether another process sees a lock on an open file. */
bool queue_is_possible(int file);

/* ---- supervise.c ---- */

/* Wipes the request, and also the environment when it is no longer needed. The cookie stays visible, or is changed. */
typedef void (*wiper)(const char *cookie, bool environment);

/* The life of a shim. */
int supervise(struct request *request, wiper wipe);

/* ---- pump.c ---- */

/* In the child, before it becomes the command: connects its output to the FIFOs, if there are any. */
bool pump_hand_over(void);
/*
 * Starts a pump for a task whose shim is dead, and returns the exit status of this program. `words`: the limit, the
 * folder, and the names of one or two output files.
 */
int pump_rescue(int count, char **words);

/* ---- reader.c ---- */

/* Sleeps until no process reads the pipe that is descriptor 3, or descriptor 0 ends, and returns the exit status of this program. */
int wait_for_no_reader(void);

#endif
