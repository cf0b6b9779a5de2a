/*
 * Where the socket of a task is: in the folder of the output, which other users cannot enter. If that path is too
 * long, or its file system has no sockets, it is in a folder for such sockets.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* How many connections wait until they are accepted. */
enum { MOST_WAITING = 8 };

static int folder = -1;
static char name[OUTPUT_NAME_BYTES + 8];
static char elsewhere[sizeof ((struct sockaddr_un *)0)->sun_path];
static const char *bound_at; /* Empty: in the folder of the output. */

/* A path through the descriptor of an open folder: a path in the store may be too long for a socket. */
static bool path_in(int in_folder, const char *file, char *path, size_t size) {
  struct text text = {path, 0, size - 1, false};
#ifdef __linux__
  text_add(&text, "/proc/self/fd/");
  text_number(&text, (uint64_t)in_folder);
  text_add(&text, "/");
  text_add(&text, file);
#else
  char of_folder[PATH_BYTES];
  if (fcntl(in_folder, F_GETPATH, of_folder) != 0) return false;
  text_add(&text, of_folder);
  text_add(&text, "/");
  text_add(&text, file);
#endif
  path[text.length] = '\0';
  return !text.overflow;
}

static int bind_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -1;
  memcpy(address.sun_path, path, strlen(path) + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
  /* Only for its owner, from the first moment. The shim itself has no mask. */
  const mode_t mask = umask(S_IRWXG | S_IRWXO | S_IXUSR);
  const bool is_bound = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
  (void)umask(mask);
  if (is_bound && listen(fd, MOST_WAITING) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0) return fd;
  if (is_bound) (void)unlink(path);
  (void)close(fd);
  return -1;
}

/* The folder of a socket outside of the store. */
static bool name_folder(char *parent) {
  const char *const slash = strrchr(elsewhere, '/');
  if (slash == NULL || slash == elsewhere) return false;
  memcpy(parent, elsewhere, (size_t)(slash - elsewhere));
  parent[slash - elsewhere] = '\0';
  return true;
}

/* Whether the folder belongs to this user alone. Its parent may belong to anyone. */
static bool is_own_folder(const char *parent) {
  struct stat found;
  return lstat(parent, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid() &&
         (found.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static int bind_beside(void) {
  char path[sizeof elsewhere];
  return path_in(folder, name, path, sizeof path) ? bind_at(path) : -1;
}

static int bind_elsewhere(void) {
  char parent[sizeof elsewhere];
  if (!name_folder(parent)) return -1;
  if ((mkdir(parent, S_IRWXU) != 0 && errno != EEXIST) || !is_own_folder(parent)) return -1;
  return bind_at(elsewhere);
}

int socket_make(const char *other_path, int in_folder, const char *task) {
  folder = in_folder;
  struct text text = {name, 0, sizeof name - 1, false};
  text_add(&text, task);
  text_add(&text, ".sock");
  name[text.length] = '\0';
  if (other_path != NULL && strlen(other_path) < sizeof elsewhere) memcpy(elsewhere, other_path, strlen(other_path) + 1);
  bound_at = "";
  const int fd = bind_beside();
  if (fd >= 0) return fd;
  bound_at = elsewhere;
  return bind_elsewhere();
}

const char *socket_place(void) { return bound_at; }

int socket_make_again(void) {
  struct stat found;
  /* In the same place, because the record says where it is. */
  if (bound_at == elsewhere) return lstat(elsewhere, &found) == 0 ? -1 : bind_elsewhere();
  return fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? -1 : bind_beside();
}

void socket_remove(void) {
  (void)unlinkat(folder, name, 0);
  char parent[sizeof elsewhere];
  if (bound_at != elsewhere || !name_folder(parent) || !is_own_folder(parent)) return;
  (void)unlink(elsewhere);
  /* The last socket of the store removes the folder. */
  (void)rmdir(parent);
}
