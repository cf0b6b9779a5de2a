/* What the files of the supervisor share: the state of the one task that this process lives for. */
#ifndef OUTLIVE_LIFE_H
#define OUTLIVE_LIFE_H

#include "shim.h"

#define never UINT64_MAX

enum {
  /* Between two looks at a process that cannot be watched. */
  BOUND_LOOK_MS = 1000,
  /* Between two tries of what the disk did not take, at first. */
  RETRY_MS = 250,
  /* At most so many children are looked at in one go. */
  MAX_CHILDREN = 256,
  ID_BYTES = 64,
  /* No writer is taken to be faster: 1 GB/s. */
  BYTES_A_MS = 1000000,
};

struct life {
  struct request *request;
  pid_t self;
  uint64_t self_start;
  bool subreaper;
  struct position log;

  pid_t command;
  int report;      /* Where the child says whether the command has run. */
  bool reaped_any; /* Since the last look at the tree that has seen all there is to see. */
  bool childless;
  bool ended;      /* The command; its exit is recorded. */
  bool pending;    /* The task ends later than its command. */
  int left;        /* Processes that were left when the command ended; -1: not known. */
  bool left_early; /* Processes were named as left, the command among them, before it ended. */
  uint64_t left_at;
  bool drains;     /* What the command had written is still on its way to the file; the end waits for that. */
  bool empty;      /* No process of the task is left. */
  uint64_t empty_look_at, empty_pause;
  uint64_t retry_at, retry_pause;

  struct moment begin;
  uint64_t timeout_at;
  uint64_t output_at, output_pause, output_bytes;
  bool bound_ended, bound_over;
  uint64_t bound_at;

  uint64_t hangup_at; /* A stop asks the leader of a terminal's session once more, by SIGHUP. */
  bool stopping;
  bool announced;    /* A fact asked for this stop, and is answered. */
  char stop_id[ID_BYTES];
  uint64_t grace_ends_at;
  uint64_t signalled; /* A bit for each signal that was sent. */
};

extern struct life shim;

/* ---- end.c ---- */

/* Reaps what has ended, and records the end of the command. */
void reap(void);
/* Whether no process of the task is left, for certain. Else `tree` has who is. */
bool is_empty(struct tree *tree);
/* The same, until somebody is seen: what hands on to a child and ends, again and again, may escape many looks. */
bool is_empty_or_seen(struct tree *tree);
/* Notes whether the last process of the task is gone. */
void look_for_emptiness(uint64_t now);

/* ---- stop.c ---- */

/* Begins a stop, or hurries one that is on its way: the earliest end of grace counts, and each signal is sent once. */
void stop(int number, uint64_t grace_ms);
/* Asks the leader of a terminal's session once more. */
void hang_up(void);
/* Ends what is left when the grace is over. */
void finish_stop(void);
/* A line that somebody has appended to the log: acts on it if it asks for a stop. */
void take_line(const char *line, void *what);

/* Ends every process of the task. What is alive after it is in `tree`. */
void end_by_force(struct tree *tree);

/* ---- hook.c ---- */

/* Runs the hook when the task has ended and the record says so, once. */
void hook_run(wiper wipe);
/* Whether the shim has to stay for the hook: the record does not say yet that it runs. */
bool hook_needs_shim(void);

/* ---- supervise.c ---- */

/* Carries what comes and goes through the terminal, the input and the socket. */
void carry(void);
/* The last word has to be on the disk, which may be full. */
int until_recorded(void);

/* ---- limits.c ---- */

void hold_limits(uint64_t now);
/* Begins to watch the process that the task is bound to, if there is one. */
void watch_bound(void);
/* It has ended, says who watches it. */
void bound_ended(void);
bool bound_is_gone(void);

/* ---- output.c ---- */

/* Makes the files, and the FIFOs; false with errno. */
bool output_open(const struct request *request);
/* Looks how far the output has grown, and whether it is still what was seen: its size. */
uint64_t output_look(void);
/* The same when somebody has opened it anew. */
void output_notice(void);
/* The last look, when the command has ended. */
uint64_t output_end(void);
/* The size alone. */
uint64_t output_size(void);

/* The folder of the files, and the name of the first. */
int output_folder(void);
const char *output_name(void);

/* ---- notice.c ---- */

struct noticed {
  unsigned reopened; /* So often it was closed by somebody who had opened it to write. */
  bool is_unsure;    /* It was written to before it was opened, and nobody has looked in between. */
};

/* Watches files by inotify, if one of the slots of the store is free. `path`: the file of slots; NULL: none. */
void notice_begin(const char *path, const int *files, size_t count);
void notice_end(void);
/* What has happened since the last call; false: nothing. */
bool notice_take(struct noticed *noticed);
/* The files have been looked at since. */
void notice_looked(void);
/* Where a descriptor stands: after an append, where that ended. 0: not known. Waits for no lock of the file. */
uint64_t notice_position(int file);

/* ---- terminal.c: does nothing for tasks without one ---- */

struct modes {
  bool is_canonical; /* What is typed is read in lines. */
  bool echoes;
  unsigned char eof; /* The character that ends the input. */
  pid_t foreground;  /* The group in the foreground; 0: not known. */
};

/* Makes a terminal of the size that is asked for, with its file of sizes beside the output; false with errno. */
bool terminal_open(const struct request *request, int folder, const char *output);
bool terminal_is_there(void);
/* The command has its side now. */
void terminal_start(void);
/* Copies what was written, and does what is due. */
void terminal_tend(uint64_t now);
/* When to tend it again, and to ask whether it drains: a time that has passed until that is done. */
uint64_t terminal_due(void);
/* Copies the rest when the command has ended. The size of the output, which is `size` where there is no terminal. */
uint64_t terminal_ended(uint64_t size);
/* Whether the rest is still to come; for a second at most. */
bool terminal_drains(uint64_t now);
/* The last of it, when no process of the task is left. */
void terminal_close(void);
/* Another process looks after it. */
void terminal_let_go(void);
/* Bytes that the disk did not take, that were over the limit, and that are in the file. */
uint64_t terminal_dropped(void);
uint64_t terminal_beyond(void);
uint64_t terminal_written(void);
/* Sets the size, soon if it was set just now. False where there is no terminal. */
bool terminal_resize(struct window window);
struct window terminal_window(void);
struct modes terminal_modes(void);
/* The descriptor that is typed into, or -1; and whether something waits to be. */
int terminal_typed(void);
void terminal_wants_to_type(bool wants);

/* ---- input.c: does nothing for tasks whose input is not open ---- */

/* Makes the pipe, where there is no terminal; false with errno. */
bool input_open(const struct request *request);
/* The command has its end now. */
void input_start(void);
/* Descriptor 0 is an empty file: of a process that has no business with what the command reads. */
bool input_take_nothing(void);
void input_tend(void);
/* Whether more can be sent; how much there is room for; how much waits. */
bool input_is_open(void);
size_t input_room(void);
size_t input_waiting(void);
/* Types bytes, as many as there is room for. */
size_t input_send(const char *bytes, size_t length);
/* Ends it after what waits; of a terminal, types the character for that. False: there was no room. */
bool input_end(void);

/* ---- socket.c ---- */

/*
 * Makes the socket of a task in that folder, else at the other path, if that is not NULL. The descriptor that listens; -1:
 * it can be made nowhere.
 */
int socket_make(const char *other_path, int folder, const char *task);
/* Makes it again where it is gone: another descriptor, or -1. */
int socket_make_again(void);
/* Its path; empty: it is in the folder. */
const char *socket_place(void);
void socket_remove(void);

/* ---- clients.c: does nothing for tasks whose input is not open ---- */

/* The offset of output that is in no file. */
#define CLIENTS_UNKEPT UINT64_MAX

/* Makes the socket. Without one the task runs all the same. */
void clients_open(const struct request *request, int folder, const char *task);
void clients_tend(uint64_t now);
/* When to tend them again, whatever comes. */
uint64_t clients_due(void);
/* Says the end to all, and removes the socket. */
void clients_end(void);
/* What the terminal shows, from an offset of the file on. */
void clients_output(uint64_t offset, const char *bytes, size_t length);
void clients_resized(void);

/* ---- pump.c: does nothing for tasks without one ---- */

/* Makes the FIFO for one file of output; false with errno. */
bool pump_open(int folder, const char *output, int file);
/* Starts the first one, before there is a command; if it cannot be started, pump_tend() tries again. */
void pump_begin(wiper wipe);
/* The command has its FIFOs now. Without one, what was made is removed, and the pump ends by itself. */
void pump_let_go(bool has_command);
/* Starts one when there is none. */
void pump_tend(uint64_t now);
/* Whether the process that has ended was the pump. */
bool pump_ended(pid_t pid, int status);
bool pump_is_child(void);
/* When to tend it again, and to ask whether it drains or lingers: a time that has passed until that is done. */
uint64_t pump_due(uint64_t now);
/* Bytes that were not kept, since they were over the limit, or the disk did not take them. */
uint64_t pump_beyond(void);
uint64_t pump_dropped(void);
/* What the command has written, on its way to the files too. `size`: of the files. */
uint64_t pump_written(uint64_t size);
/* Whether all that was written then is still not there; for two seconds at most. */
bool pump_drains(uint64_t now);
/* Whether the pump is about to end, since nobody can write any more. Says so for a moment only. */
bool pump_lingers(uint64_t now);

/* ---- turn.c ---- */

/* Waits until the command may start. False when it never may. */
bool await_turn(void);

/* ---- queue.c: the locks of the session ---- */

/* Says to all that this shim lives. False where there are no locks. */
bool queue_open(void);
/* The locks are those of this process, and show its pid. */
void queue_renew(void);
/* Takes a place among those that run, however many have one. */
void queue_take_place(void);
/*
 * Stands in the line, and takes a place if it is the first and there is one; then it still stands there. Else it is to
 * look again after a pause. `is_due`: the last pause is over, and nobody has woken it meanwhile.
 */
bool queue_try(bool is_due, uint64_t *pause_ms);
/* Leaves the line, and wakes the next. */
void queue_leave_line(void);
/* Gives up everything but the word that this shim lives. */
void queue_leave(void);
/* Has the shims of tasks that start after this one look how it has ended. */
void queue_tell_followers(void);
/* Waits for the word of another task's shim, and does so no more. */
void queue_follow(const char *task);
void queue_unfollow(const char *task);
/* Whether the shim of another task holds no lock any more; else who it is, as far as that can be told (0: it cannot). */
bool queue_has_died(const char *task, pid_t *pid);

/* ---- after.c ---- */

enum after { AFTER_WAITS, AFTER_COMPLETED, AFTER_FAILED };

/* How the task that comes before this one has ended; shortens the pause until the next look. */
enum after after_look(uint64_t *pause_ms);

#endif
