/*
 * How the segments of the last pipeline ended: `make | tee log` has the exit code 0 whatever make did. Bash and zsh know it.
 *
 * They are asked without a trace in the command's output, environment or exit code. Before the command the shell reads a
 * file of ours, by a variable that this file takes back at once. When the shell ends it makes an empty file, whose name
 * holds the statuses. That is a redirection and no command, so neither `set -x`, nor a trap of the user's, nor a limit on
 * the size of files has anything to do with it.
 *
 * Of bash the file leaves a trap, which the command must not list, and which keeps bash from making its last command take
 * its place: the spawner asks only where neither makes a difference.
 */
#include "shim.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

enum {
  /* So many segments are told: the fact has to fit a line of the doorbell. */
  MOST_SEGMENTS = 24,
  MOST_STATUS = 255,
  /* So many names in the folder are looked at: a subshell of zsh leaves one, too. */
  MOST_NAMES = 4096,
};

static const char bash_file[] = "bash", zsh_file[] = ".zshenv";

/* Puts a variable where the request was, or in place of one that is there. `entry`: as it stands in an environment. */
static void set_variable(char *entry) {
  const size_t length = (size_t)(strchr(entry, '=') - entry) + 1;
  size_t at = 0;
  while (environ[at] != NULL && strncmp(environ[at], entry, length) != 0) at++;
  if (environ[at] == NULL) environ[at + 1] = NULL;
  environ[at] = entry;
}

/*
 * In bash each simple command sets `_` and PIPESTATUS, and takes `_` out of the environment. Both are shadowed here, and
 * `return` leaves the evaluation before `eval` itself could set them: the command finds all as in a fresh shell.
 */
static void add_bash(struct text *text, const char *folder) {
  text_add(text, "_= PIPESTATUS= eval 'unset BASH_ENV; case $$ in ");
  text_number(text, (uint64_t)getpid());
  text_add(text, ") trap \"{ _outlive() { :; }; } 2>/dev/null >|\\\"");
  text_add(text, folder);
  text_add(text, "/0-\\${PIPESTATUS[*]/%/,}\\\"\" EXIT;; esac; return'\n");
}

/* The file that it stands in for is read as well. A subshell that exits calls the function, too. */
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
  /* Without the file nothing is asked, and nothing else is lacking. */
  if (!write_file(folder, request->zsh ? zsh_file : bash_file, &text)) return;
  struct text variable = {entry, 0, sizeof entry - 1, false};
  text_add(&variable, request->zsh ? "ZDOTDIR=" : "BASH_ENV=");
  text_add(&variable, folder);
  if (!request->zsh) text_add(&variable, "/bash");
  entry[variable.length] = '\0';
  if (!variable.overflow) set_variable(entry);
}

/* What is looked for in the folder, and how much has been looked at. */
struct answer {
  int folder;
  int names;
  size_t count;
  uint64_t statuses[MOST_SEGMENTS];
};

/*
 * Reads a name such as `0-1,0,`, in which bash puts the first character of its IFS after each comma. What stands in front
 * of it is 0 where no subshell has made the file.
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

/* The folder is emptied. Who goes on making files in it is not waited for. */
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
