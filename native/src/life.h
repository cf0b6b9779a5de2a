/* What the supervisor's files share: the state of the one task of this process. */
#ifndef OUTLIVE_LIFE_H
#define OUTLIVE_LIFE_H

#include "shim.h"

#define never UINT64_MAX

enum {
  /* The pause between two checks of a process that cannot be watched. */
  BOUND_LOOK_MS = 1000,
  /* The first pause before a failed append is tried again. */
  RETRY_MS = 250,
  /* How many children one call reads at most. */
  MAX_CHILDREN = 256,
  ID_BYTES = 64,
  /* The fastest writer that is assumed: 1 GB/s. */
  BYTES_A_MS = 1000000,
};

struct life {
  struct request *request;
  pid_t self;
  uint64_t self_start;
  bool subreaper;
  struct position log;

  pid_t command;
  int report;      /* Through this the child reports whether the command has run. */
  bool reaped_any; /* Since the last complete check of the tree. */
  bool childless;
  bool ended;      /* The command has ended, and its exit is recorded. */
  bool pending;    /* The task ends later than its command. */
  int left;        /* Processes that were left when the command ended; -1: not known. */
  bool left_early; /* Processes were recorded as left, the command among them, before the command ended. */
  uint64_t left_at;
  bool drains;     /* Output is still on its way to the file, and the end of the task waits for it. */
  bool empty;      /* No process of the task is left. */
  uint64_t empty_look_at, empty_pause;
  uint64_t retry_at, retry_pause;

  struct moment begin;
  uint64_t timeout_at;
  uint64_t output_at, output_pause, output_bytes;
  bool bound_ended, bound_over;
  uint64_t bound_at;

  uint64_t hangup_at; /* When a stop sends SIGHUP to the leader of the terminal's session. */
  bool stopping;
  bool announced;    /* A fact asked for this stop, and gets an answer. */
  char stop_id[ID_BYTES];
  uint64_t grace_ends_at;
  uint64_t signalled; /* A bit for each signal that was sent. */
};

extern struct life shim;

/* ---- end.c ---- */

/* Reaps ended children, and records the end of the command. */
void reap(void);
/* Whether certainly no process of the task is left. Otherwise `tree` has the processes. */
bool is_empty(struct tree *tree);
/* The same, but stops at the first process that it finds: one that re-forks again and again may escape many checks. */
bool is_empty_or_seen(struct tree *tree);
/* Notes whether the last process of the task is gone. */
void look_for_emptiness(uint64_t now);

/* ---- stop.c ---- */

/* Begins a stop, or speeds up a running one: the earliest end of grace counts, and each signal is sent once. */
void stop(int number, uint64_t grace_ms);
/* Sends SIGHUP to the leader of a terminal's session. */
void hang_up(void);
/* Kills the rest when the grace is over. */
void finish_stop(void);
/* A line that another process has appended: acts on it if it asks for a stop. */
void take_line(const char *line, void *what);

/* Ends every process of the task. The survivors are in `tree`. */
void end_by_force(struct tree *tree);

/* ---- hook.c ---- */

/* Runs the hook, once, when the task has ended and the record says so. */
void hook_run(wiper wipe);
/* Whether the shim must stay for the hook: the record does not say yet that the hook runs. */
bool hook_needs_shim(void);

/* ---- supervise.c ---- */

/* Serves the terminal, the input and the socket. */
void carry(void);
/* Waits until the last fact is on the disk, which may be full. */
int until_recorded(void);

/* ---- limits.c ---- */

void hold_limits(uint64_t now);
/* Begins to watch the process that the task is bound to, if there is one. */
void watch_bound(void);
/* The watch reports that this process has ended. */
void bound_ended(void);
bool bound_is_gone(void);

/* ---- output.c ---- */

/* Makes the files, and the FIFOs. False with errno. */
bool output_open(const struct request *request);
/* Checks how far the output has grown, and whether it is still what was seen. Returns its size. */
uint64_t output_look(void);
/* The same when a process has opened the output anew. */
void output_notice(void);
/* The last check, when the command has ended. */
uint64_t output_end(void);
/* Returns only the size. */
uint64_t output_size(void);

/* The folder of the files, and the name of the first. */
int output_folder(void);
const char *output_name(void);

/* ---- notice.c ---- */

struct noticed {
  unsigned reopened; /* How often a process that had opened it to write has closed it. */
  bool is_unsure;    /* It was written to before it was opened, without a check in between. */
};

/* Watches files with inotify, if one of the slots of the store is free. `path`: the file of slots; NULL: none. */
void notice_begin(const char *path, const int *files, size_t count);
void notice_end(void);
/* What has happened since the last call. False: nothing. */
bool notice_take(struct noticed *noticed);
/* The files have been checked since. */
void notice_looked(void);
/*
 * The position of a descriptor, which after an append is where that ended. 0: not known. Waits for no lock of the
 * file.
 */
uint64_t notice_position(int file);

/* ---- terminal.c: does nothing for tasks without one ---- */

struct modes {
  bool is_canonical; /* The program reads typed input in lines. */
  bool echoes;
  unsigned char eof; /* The character that ends the input. */
  pid_t foreground;  /* The group in the foreground; 0: not known. */
};

/* Makes a terminal of the requested size, with its file of sizes beside the output. False with errno. */
bool terminal_open(const struct request *request, int folder, const char *output);
bool terminal_is_there(void);
/* The command now has its side. */
void terminal_start(void);
/* Copies new output, and does what is due. */
void terminal_tend(uint64_t now);
/* When to call terminal_tend() again, and terminal_drains(): a past time until that is done. */
uint64_t terminal_due(void);
/* Copies the rest when the command has ended. Returns the size of the output, or `size` when there is no terminal. */
uint64_t terminal_ended(uint64_t size);
/* Whether output is still to come; for a second at most. */
bool terminal_drains(uint64_t now);
/* Closes the terminal, when no process of the task is left. */
void terminal_close(void);
/* Drops it, because another process serves it. */
void terminal_let_go(void);
/* Bytes that the disk did not take, bytes over the limit, and bytes in the file. */
uint64_t terminal_dropped(void);
uint64_t terminal_beyond(void);
uint64_t terminal_written(void);
/* Sets the size, after a short pause if it was just set. False when there is no terminal. */
bool terminal_resize(struct window window);
struct window terminal_window(void);
struct modes terminal_modes(void);
/* The descriptor for typed input, or -1; and whether typed input waits. */
int terminal_typed(void);
void terminal_wants_to_type(bool wants);

/* ---- input.c: does nothing for tasks whose input is not open ---- */

/* Makes the pipe, if there is no terminal. False with errno. */
bool input_open(const struct request *request);
/* The command now has its end. */
void input_start(void);
/* Makes descriptor 0 an empty file, in a process that must not hold the command's stdin. */
bool input_take_nothing(void);
void input_tend(void);
/* Whether clients can send more; how much there is room for; how much waits. */
bool input_is_open(void);
size_t input_room(void);
size_t input_waiting(void);
/* Types bytes, as many as there is room for. Returns how many. */
size_t input_send(const char *bytes, size_t length);
/* Ends the input after what waits; for a terminal, types its end character. False: there was no room. */
bool input_end(void);

/* ---- socket.c ---- */

/*
 * Makes the socket of a task in a folder, else at the other path, if that is not NULL. Returns the listening
 * descriptor; -1: it cannot be made.
 */
int socket_make(const char *other_path, int folder, const char *task);
/* Makes the socket again if it is gone. Returns another descriptor, or -1. */
int socket_make_again(void);
/* Its path; empty: it is in the folder. */
const char *socket_place(void);
void socket_remove(void);

/* ---- clients.c: does nothing for tasks whose input is not open ---- */

/* The offset of output that is in no file. */
#define CLIENTS_UNKEPT UINT64_MAX

/* Makes the socket. Without one the task still runs. */
void clients_open(const struct request *request, int folder, const char *task);
void clients_tend(uint64_t now);
/* When to call clients_tend() again at the latest. */
uint64_t clients_due(void);
/* Tells all clients the end, and removes the socket. */
void clients_end(void);
/* Sends output of the terminal, with its offset in the file. */
void clients_output(uint64_t offset, const char *bytes, size_t length);
void clients_resized(void);

/* ---- pump.c: does nothing for tasks without one ---- */

/* Makes the FIFO for one file of output. False with errno. */
bool pump_open(int folder, const char *output, int file);
/* Starts the first pump, before there is a command. If it cannot be started, pump_tend() tries again. */
void pump_begin(wiper wipe);
/* The command now has its FIFOs. Without a command, removes what was made, and the pump exits by itself. */
void pump_let_go(bool has_command);
/* Starts a pump if there is none. */
void pump_tend(uint64_t now);
/* Whether the process that has ended was the pump. */
bool pump_ended(pid_t pid, int status);
bool pump_is_child(void);
/* When to call pump_tend() again, and pump_drains() and pump_lingers(): a past time until that is done. */
uint64_t pump_due(uint64_t now);
/* Bytes that were not kept: over the limit, or not taken by the disk. */
uint64_t pump_beyond(void);
uint64_t pump_dropped(void);
/* What the disk did not take of all output, whichever way it comes. */
uint64_t dropped_bytes(void);
/* What the command has written, including bytes on their way to the files. `size`: of the files. */
uint64_t pump_written(uint64_t size);
/* Whether written bytes are still missing in the files; for two seconds at most. */
bool pump_drains(uint64_t now);
/* Whether the pump is about to exit, because no process can write any more. True only for a short time. */
bool pump_lingers(uint64_t now);

/* ---- turn.c ---- */

/* Waits until the command may start. False when it never may. */
bool await_turn(void);

/* ---- queue.c: the locks of the session ---- */

/* Takes the lock that says that this shim lives. False when there are no locks. */
bool queue_open(void);
/* Makes the locks show the pid of this process. */
void queue_renew(void);
/* Takes a place to run, even above the limit. */
void queue_take_place(void);
/*
 * Joins the queue, and takes a place if this task is first and one is free; it then still holds its lock in the
 * queue. Otherwise the caller tries again after a pause. `is_due`: the last pause is over, and nothing has woken this
 * process.
 */
bool queue_try(bool is_due, uint64_t *pause_ms);
/* Leaves the queue, and wakes the next. */
void queue_leave_line(void);
/* Gives up everything but the lock that says that this shim lives. */
void queue_leave(void);
/* Wakes the shims of tasks that start after this one, so that they read how it ended. */
void queue_tell_followers(void);
/* Waits until the shim of another task wakes this one; and ends that. */
void queue_follow(const char *task);
void queue_unfollow(const char *task);
/* Whether the shim of another task holds no lock any more. Otherwise its pid, if it is known (0: it is not). */
bool queue_has_died(const char *task, pid_t *pid);

/* ---- after.c ---- */

enum after { AFTER_WAITS, AFTER_COMPLETED, AFTER_FAILED };

/* How the task before this one has ended. Shortens the pause until the next check. */
enum after after_look(uint64_t *pause_ms);

#endif
