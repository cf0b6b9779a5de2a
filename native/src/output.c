/*
 * The output of the command. The shim makes the files that the command writes to, and checks them from time to time.
 * It sees how far they have grown, makes marks (marks.c), and notices when a part is erased. A command erases its own
 * output when it opens it anew (`echo x > /dev/stderr`, `sort -o /dev/stdout`). The shim cannot prevent that, so it
 * records it.
 */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  STREAMS = 2,
  /* How many bytes before the known end show whether the file is still the same. */
  EDGE_BYTES = 64,
  /* The time of a file is that of the kernel's last tick. */
  TICK_MS = 10,
  /* How often a removed folder is made again. */
  FOLDER_ATTEMPTS = 8,
};

struct stream {
  int file;          /* Shared with the command, or written by the pump. */
  int reading;       /* The same file, to read. */
  char name[OUTPUT_NAME_BYTES];
  uint64_t size;     /* Its last known size. */
  int64_t written_s, written_ns; /* The time of its last known write. */
  unsigned char edge[EDGE_BYTES];
  size_t edge_length;
  uint64_t position; /* Where the last append of the command ended, by its own descriptor. */
  uint64_t erased, told;
  bool is_told;
  struct marks marks;
};

static struct stream streams[STREAMS] = {{.reading = -1, .marks = {.file = -1}}, {.reading = -1, .marks = {.file = -1}}};
static size_t stream_count;
static int folder = -1;

static int file_of(size_t i) { return i == 0 ? OUTPUT_FD : ERROR_FD; }

/* ---- making the files ---- */

/*
 * Opens the folder of a path, and keeps the name in it, because the session may be moved while the command runs.
 * Makes a folder that is gone again: a process that removes sessions without tasks may have checked this one before
 * the task was there.
 */
static bool keep_name(struct stream *stream, const char *path) {
  char *const slash = strrchr(path, '/');
  if (slash == NULL || strlen(slash + 1) >= sizeof stream->name) {
    errno = ENAMETOOLONG;
    return false;
  }
  memcpy(stream->name, slash + 1, strlen(slash + 1) + 1);
  if (folder >= 0) return true;
  /* The request belongs to this process alone. */
  *slash = '\0';
  const char *const name = slash == path ? "/" : path;
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  folder = open(name, flags);
  if (folder < 0 && errno == ENOENT && (mkdir(name, S_IRWXU) == 0 || errno == EEXIST)) folder = open(name, flags);
  *slash = '/';
  return folder >= 0;
}

/*
 * The command appends, so that several descriptors of the file overwrite nothing. A pump writes at the end of the
 * file. A file that already exists belongs to another task, or was put there to catch this output.
 */
static bool make_file(struct stream *stream, const char *path, int descriptor, bool is_pumped) {
  if (!keep_name(stream, path)) return false;
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | (is_pumped ? 0 : O_APPEND);
  const int file = openat(folder, stream->name, flags, S_IRUSR | S_IWUSR);
  if (file < 0) return false;
  stream->file = descriptor;
  stream->reading = openat(folder, stream->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const bool is_there = dup2(file, descriptor) >= 0;
  (void)close(file);
  return is_there;
}

static bool make_files(const struct request *request) {
  stream_count = request->separate ? 2 : 1;
  if (!make_file(&streams[0], request->out, OUTPUT_FD, request->pumped)) return false;
  if (!request->separate) return dup2(OUTPUT_FD, ERROR_FD) >= 0;
  return make_file(&streams[1], request->err, ERROR_FD, request->pumped);
}

int output_folder(void) { return folder; }

const char *output_name(void) { return streams[0].name; }

bool output_open(const struct request *request) {
  bool is_there = make_files(request);
  /* The folder may be removed again after it was opened. Each process that removes it does so once. */
  for (int attempt = 0; !is_there && errno == ENOENT && attempt < FOLDER_ATTEMPTS; attempt++) {
    if (folder >= 0) (void)close(folder);
    folder = -1;
    is_there = make_files(request);
  }
  for (size_t i = 0; is_there && request->pumped && i < stream_count; i++)
    is_there = pump_open(folder, streams[i].name, file_of(i));
  const int files[STREAMS] = {OUTPUT_FD, ERROR_FD};
  if (is_there && !request->pumped) notice_begin(request->slots, files, stream_count);
  return is_there;
}

/* ---- looking ---- */

/* Whether the bytes before an end are the known ones. If they cannot be read, the answer is yes. */
static bool edge_holds(const struct stream *stream, uint64_t end) {
  unsigned char now[EDGE_BYTES];
  const size_t length = stream->edge_length;
  const ssize_t got = length == 0 ? 0 : pread(stream->reading, now, length, (off_t)(end - length));
  return got < 0 || ((size_t)got == length && memcmp(now, stream->edge, length) == 0);
}

static void take_edge(struct stream *stream) {
  const uint64_t at = stream->size < EDGE_BYTES ? 0 : stream->size - EDGE_BYTES;
  const ssize_t got = pread(stream->reading, stream->edge, (size_t)(stream->size - at), (off_t)at);
  stream->edge_length = got < 0 || (uint64_t)got != stream->size - at ? 0 : (size_t)got;
}

/*
 * Erasing may go on for ever, and a log has room for few facts. So this records it when the count has doubled, and at
 * the end.
 */
static void tell_erased(struct stream *stream, bool is_last) {
  const bool is_more = stream->erased > stream->told;
  if (stream->is_told && !(is_more && (is_last || stream->erased / 2 >= stream->told))) return;
  record_erased(stream == &streams[0] ? "stdout" : "stderr", stream->erased);
  stream->told = stream->erased;
  stream->is_told = true;
}

static uint64_t milliseconds(const struct timespec *time) {
  return (uint64_t)time->tv_sec * 1000u + (uint64_t)time->tv_nsec / 1000000u;
}

#ifdef __APPLE__
static const struct timespec *written_at(const struct stat *file) { return &file->st_mtimespec; }
#else
static const struct timespec *written_at(const struct stat *file) { return &file->st_mtim; }
#endif

static void mark(struct stream *stream, const struct stat *file) {
  const uint64_t now = clock_epoch_ms(), written = milliseconds(written_at(file)) + TICK_MS;
  marks_note(&stream->marks, folder, stream->name, stream->size, written < now ? written : now);
}

/*
 * Whether the command can have written so much. It may set its position to any value, and what it did not write is
 * not erased.
 */
static bool can_be_written(uint64_t position) {
  enum { AT_ONCE_MS = 1000 };
  return position / BYTES_A_MS <= clock_ms() - shim.begin.ms + AT_ONCE_MS;
}

/* `is_last`: the command has ended. */
static void look_at(struct stream *stream, struct noticed noticed, bool is_last) {
  struct stat file;
  uint64_t position = stream->position;
  /* Before the size is read: an append in between is no sign that something is gone. */
  if ((noticed.reopened > 0 || is_last) && !shim.request->pumped) position = notice_position(stream->file);
  if (fstat(stream->file, &file) != 0 || file.st_size < 0) return;
  const uint64_t size = (uint64_t)file.st_size, seen = stream->size;
  const struct timespec *const written = written_at(&file);
  const bool is_touched = written->tv_sec != stream->written_s || written->tv_nsec != stream->written_ns;
  if (size == seen && !is_touched && noticed.reopened == 0) return;
  /* The file reached this far when the command appended to it. */
  if (position != stream->position && position > size && position > seen && can_be_written(position))
    stream->size = position;
  const bool is_whole = size >= stream->size && edge_holds(stream, seen);
  if (!is_whole) {
    /* Readers count in the same way: all that was there is gone, and what is there now was written after it. */
    stream->erased += stream->size;
    marks_restart(&stream->marks);
    tell_erased(stream, is_last);
  } else if (noticed.is_unsure && (noticed.reopened > 1 || (noticed.reopened == 1 && position > 0))) {
    /* Older kernels report an opening that empties a file as a write before it, even when the file was empty. */
    tell_erased(stream, is_last);
  }
  stream->position = position;
  stream->written_s = written->tv_sec;
  stream->written_ns = written->tv_nsec;
  if (is_whole && size == seen) return;
  stream->size = size;
  take_edge(stream);
  mark(stream, &file);
}

uint64_t output_look(void) {
  uint64_t size = 0;
  for (size_t i = 0; i < stream_count; i++) {
    look_at(&streams[i], (struct noticed){0}, false);
    size += streams[i].size;
  }
  return size;
}

static void look_at_reopened(bool is_last) {
  struct noticed noticed[STREAMS] = {{0}};
  if (!notice_take(noticed) && !is_last) return;
  for (size_t i = 0; i < stream_count; i++) look_at(&streams[i], noticed[i], is_last);
  notice_looked();
}

void output_notice(void) { look_at_reopened(false); }

uint64_t output_end(void) {
  look_at_reopened(true);
  uint64_t size = 0;
  for (size_t i = 0; i < stream_count; i++) {
    if (streams[i].erased > streams[i].told) tell_erased(&streams[i], true);
    size += streams[i].size;
  }
  return size;
}

uint64_t output_size(void) {
  uint64_t size = 0;
  for (size_t i = 0; i < stream_count; i++) {
    struct stat file;
    if (fstat(streams[i].file, &file) == 0 && file.st_size > 0) size += (uint64_t)file.st_size;
  }
  return size;
}
