/*
 * How the segments of the last pipeline ended: `make | tee log` has the exit code 0 whatever make did. Bash and zsh
 * know it.
 *
 * They answer without a trace in the command's output, environment or exit code. Before the command the shell reads a
 * file of ours, named by a variable that this file restores at once. When the shell exits, it makes an empty file
 * whose name holds the statuses. That is a redirection and no command. So `set -x`, a trap of the user's, and a limit
 * on the size of files do not affect it.
 *
 * In bash the file sets a trap. The command must not list it, and it keeps bash from replacing itself by its last
 * command. The spawner asks only when neither makes a difference.
 */
#include "shim.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

enum {
  /* How many segments are recorded: the fact must fit into a line of the doorbell. */
  MOST_SEGMENTS = 24,
  MOST_STATUS = 255,
  /* How many names in the folder are read: a subshell of zsh makes one, too. */
  MOST_NAMES = 4096,
};

static const char bash_file[] = "bash", zsh_file[] = ".zshenv";

/* Puts a variable in place of the request, or of the same variable. `entry`: NAME=VALUE. */
static void set_variable(char *entry) {
  const size_t length = (size_t)(strchr(entry, '=') - entry) + 1;
  size_t at = 0;
  while (environ[at] != NULL && strncmp(environ[at], entry, length) != 0) at++;
  if (environ[at] == NULL) environ[at + 1] = NULL;
  environ[at] = entry;
}

/*
 * In bash each simple command sets `_` and PIPESTATUS, and takes `_` out of the environment. So both are shadowed
 * here, and `return` leaves the evaluation before `eval` itself could set them: the command finds everything as in a
 * fresh shell.
 */
static void add_bash(struct text *text, const char *folder) {
  text_add(text, "_= PIPESTATUS= eval 'unset BASH_ENV; case $$ in ");
  text_number(text, (uint64_t)getpid());
  text_add(text, ") trap \"{ _outlive() { :; }; } 2>/dev/null >|\\\"");
  text_add(text, folder);
  text_add(text, "/0-\\${PIPESTATUS[*]/%/,}\\\"\" EXIT;; esac; return'\n");
}

/* The file that this one replaces is read as well. A subshell that exits also calls the function. */
static void add_zsh(struct text *text, const char *folder) {
  const char *const own = getenv("ZDOTDIR");
  text_add(text, own == NULL ? "unset ZDOTDIR" : "ZDOTDIR='");
  if (own != NULL) text_add(text, own);
  text_add(text, own == NULL ? "\n[[ $$ = " : "'\n[[ $$ = ");
  text_number(text, (uint64_t)getpid());
  text_add(text, " ]] && zshexit() { { { } >| \"");
  text_add(text, folder);
  text_add(text, "/$ZSH_SUBSHELL-${(j:,:)pipestatus[@]},\" } 2>/dev/null }\n"
                 "if [[ -r \"${ZDOTDIR-$HOME}/.zshenv\" ]]; then . \"${ZDOTDIR-$HOME}/.zshenv\"; fi\n");
}

static bool write_file(const char *folder, const char *name, const struct text *text) {
  if (text->overflow || mkdir(folder, S_IRWXU) != 0) return false;
  const int at = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (at < 0) return false;
  const int file = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  const bool written = file >= 0 && write(file, text->bytes, text->length) == (ssize_t)text->length;
  if (file >= 0) (void)close(file);
  (void)close(at);
  return written;
}

void pipes_ask(const struct request *request) {
  static char script[4 * PATH_BYTES], entry[PATH_BYTES + 32];
  const char *const folder = request->pipes, *const own = getenv("ZDOTDIR");
  if (folder[0] == '\0' || (request->zsh && own != NULL && strchr(own, '\'') != NULL)) return;
  struct text text = {script, 0, sizeof script, false};
  if (request->zsh) add_zsh(&text, folder);
  else add_bash(&text, folder);
  /* Without the file the shell is not asked, and all else works. */
  if (!write_file(folder, request->zsh ? zsh_file : bash_file, &text)) return;
  struct text variable = {entry, 0, sizeof entry - 1, false};
  text_add(&variable, request->zsh ? "ZDOTDIR=" : "BASH_ENV=");
  text_add(&variable, folder);
  if (!request->zsh) text_add(&variable, "/bash");
  entry[variable.length] = '\0';
  if (!variable.overflow) set_variable(entry);
}

/* What this looks for in the folder, and how many names it has read. */
struct answer {
  int folder;
  int names;
  size_t count;
  uint64_t statuses[MOST_SEGMENTS];
};

/*
 * Reads a name such as `0-1,0,`, in which bash puts the first character of its IFS after each comma. The number
 * before it is 0 when no subshell has made the file.
 */
static void read_name(const char *name, struct answer *answer) {
  answer->count = 0;
  for (const char *at = name; *at != '\0';) {
    char *end = NULL;
    const unsigned long status = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : MOST_STATUS + 1ul;
    if (status > MOST_STATUS || *end != ',' || answer->count == MOST_SEGMENTS) {
      answer->count = 0;
      return;
    }
    answer->statuses[answer->count++] = status;
    at = end + 1;
    if (*at != '\0' && (*at < '0' || *at > '9')) at++;
  }
}

/* Empties the folder. Does not wait for a process that goes on making files in it. */
static bool take_name(const char *name, void *what) {
  struct answer *const answer = what;
  (void)unlinkat(answer->folder, name, 0);
  if (answer->count == 0 && strncmp(name, "0-", 2) == 0) read_name(name + 2, answer);
  return ++answer->names < MOST_NAMES;
}

void pipes_tell(const struct request *request, struct text *text) {
  if (request->pipes[0] == '\0') return;
  struct answer answer = {.folder = open(request->pipes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (answer.folder < 0) return;
  (void)system_names(answer.folder, take_name, &answer);
  (void)close(answer.folder);
  (void)rmdir(request->pipes);
  /* A single status is the command's own. */
  if (answer.count < 2) return;
  for (size_t i = 0; i < answer.count; i++) {
    text_add(text, i == 0 ? ",\"pipeStatus\":[" : ",");
    text_number(text, answer.statuses[i]);
  }
  text_add(text, "]");
}
