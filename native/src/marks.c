/*
 * Marks say when the output had which size. They are in a file beside the output: a header of 16 bytes, then records
 * of 16 bytes, each an offset and a time, both little-endian. A record says that everything before its offset had
 * been written at its time, in milliseconds of the epoch.
 *
 * There is at most one record for each interval, which is a second at first. At 4,096 records every second one is
 * dropped, and the interval doubles. So the file is bounded, however long a task runs.
 */
#include "shim.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  RECORD_BYTES = 16,
  MOST_RECORDS = 4096,
  FIRST_INTERVAL_MS = 1000,
  /* How many records one read takes when every second one is dropped. */
  THINNED_AT_ONCE = 32,
};

/* A name and a version. */
static const unsigned char header[RECORD_BYTES] = {'o', 'u', 't', 'l', 'i', 'v', 'e', ' ', 'm', 'a', 'r', 'k', 's', 0, 0, 1};

static void put(unsigned char *to, uint64_t number) {
  for (size_t i = 0; i < 8; i++) to[i] = (unsigned char)(number >> (8 * i));
}

static bool write_record(const struct marks *marks, uint32_t index, uint64_t offset, uint64_t at_ms) {
  unsigned char record[RECORD_BYTES];
  put(record, offset);
  put(record + 8, at_ms);
  return pwrite(marks->file, record, sizeof record, (off_t)(index + 1) * RECORD_BYTES) == (ssize_t)sizeof record;
}

/* Most tasks end before there are two marks, and one mark says no more than the time of the output file. */
static bool make_file(struct marks *marks, int folder, const char *output) {
  char name[OUTPUT_NAME_BYTES + 8];
  struct text text = {name, 0, sizeof name - 1, false};
  text_add(&text, output);
  text_add(&text, ".marks");
  name[text.length] = '\0';
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  marks->file = text.overflow ? -1 : openat(folder, name, flags, S_IRUSR | S_IWUSR);
  if (marks->file >= 0 && pwrite(marks->file, header, sizeof header, 0) == (ssize_t)sizeof header &&
      write_record(marks, 0, marks->offset, marks->at_ms))
    return true;
  marks->has_failed = true;
  return false;
}

/* The later one of each two stays: it also holds for the bytes before the earlier one. */
static bool thin(struct marks *marks) {
  unsigned char records[THINNED_AT_ONCE * RECORD_BYTES];
  for (uint32_t from = 0; from < marks->count; from += THINNED_AT_ONCE) {
    const off_t at = (off_t)(from + 1) * RECORD_BYTES, to = (off_t)(from / 2 + 1) * RECORD_BYTES;
    if (pread(marks->file, records, sizeof records, at) != (ssize_t)sizeof records) return false;
    for (size_t i = 0; i < THINNED_AT_ONCE / 2; i++)
      memmove(records + i * RECORD_BYTES, records + (2 * i + 1) * RECORD_BYTES, RECORD_BYTES);
    if (pwrite(marks->file, records, sizeof records / 2, to) != (ssize_t)sizeof records / 2) return false;
  }
  marks->count /= 2;
  marks->interval_ms *= 2;
  return ftruncate(marks->file, (off_t)(marks->count + 1) * RECORD_BYTES) == 0;
}

void marks_note(struct marks *marks, int folder, const char *output, uint64_t offset, uint64_t at_ms) {
  if (marks->has_failed) return;
  if (marks->interval_ms == 0) marks->interval_ms = FIRST_INTERVAL_MS;
  /* The clock was set back, or the task sets the time of its file. Marks stay in order all the same. */
  if (at_ms < marks->at_ms) at_ms = marks->at_ms;
  const bool is_new = marks->count == 0 || at_ms - marks->begun_ms >= marks->interval_ms;
  if (is_new && marks->count > 0 && marks->file < 0 && !make_file(marks, folder, output)) return;
  if (is_new && marks->count == MOST_RECORDS && !thin(marks)) {
    marks->has_failed = true;
    return;
  }
  const uint32_t index = is_new ? marks->count : marks->count - 1;
  /* A record that a full disk does not take is tried again with the next one. */
  if (marks->file >= 0 && !write_record(marks, index, offset, at_ms)) return;
  if (is_new) marks->begun_ms = at_ms;
  marks->count = index + 1;
  marks->offset = offset;
  marks->at_ms = at_ms;
}

void marks_restart(struct marks *marks) {
  if (marks->file >= 0 && ftruncate(marks->file, RECORD_BYTES) != 0) marks->has_failed = true;
  marks->count = 0;
}
