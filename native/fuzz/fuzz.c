#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void check_that(bool holds, const char *property, const char *file, int line) {
  if (holds) return;
  (void)fprintf(stderr, "%s:%d: expected %s\n", file, line, property);
  abort();
}

void put_file_at(int descriptor) {
  const int file = memfd_create("fuzz", 0);
  check(file >= 0 && dup2(file, descriptor) == descriptor);
  if (file != descriptor) (void)close(file);
}

void fill_file(int descriptor, const uint8_t *data, size_t size) {
  check(ftruncate(descriptor, 0) == 0);
  check(pwrite(descriptor, data, size, 0) == (ssize_t)size);
}

uint64_t take_number(const uint8_t **data, size_t *size, size_t bytes) {
  uint64_t number = 0;
  for (; bytes > 0; bytes--) {
    number = number << 8 | (*size > 0 ? **data : 0);
    if (*size > 0) {
      (*data)++;
      (*size)--;
    }
  }
  return number;
}

/* ---- JSON, as RFC 8259 has it, read by a parser that shares nothing with the writer ---- */

struct json {
  const unsigned char *at, *end;
  int depth;
};

static bool value(struct json *json);

static bool take(struct json *json, unsigned char wanted) {
  if (json->at == json->end || *json->at != wanted) return false;
  json->at++;
  return true;
}

static bool words(struct json *json, const char *wanted) {
  while (*wanted != '\0')
    if (!take(json, (unsigned char)*wanted++)) return false;
  return true;
}

/* A code point beyond ASCII, in the one form that UTF-8 has for it. */
static bool code_point(struct json *json) {
  const unsigned char first = *json->at++;
  const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  uint32_t point = first & (0x3fu >> more);
  if (first < 0xc0 || first > 0xf7) return false;
  for (int i = 0; i < more; i++) {
    if (json->at == json->end || (*json->at & 0xc0) != 0x80) return false;
    point = point << 6 | (*json->at++ & 0x3fu);
  }
  static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
  return point >= least[more] && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
}

static bool escape(struct json *json) {
  if (json->at == json->end) return false;
  const unsigned char kind = *json->at++;
  if (kind != 'u') return strchr("\"\\/bfnrt", kind) != NULL && kind != '\0';
  for (int i = 0; i < 4; i++) {
    if (json->at == json->end || strchr("0123456789abcdefABCDEF", *json->at) == NULL || *json->at == '\0') return false;
    json->at++;
  }
  return true;
}

static bool string(struct json *json) {
  if (!take(json, '"')) return false;
  while (json->at < json->end && *json->at != '"') {
    if (*json->at < 0x20) return false;
    if (*json->at == '\\') {
      json->at++;
      if (!escape(json)) return false;
    } else if (*json->at < 0x80) {
      json->at++;
    } else if (!code_point(json)) {
      return false;
    }
  }
  return take(json, '"');
}

/* A whole number: the shim writes no other. */
static bool number(struct json *json) {
  const unsigned char *const from = json->at;
  while (json->at < json->end && *json->at >= '0' && *json->at <= '9') json->at++;
  return json->at > from && (*from != '0' || json->at == from + 1);
}

static bool members(struct json *json, unsigned char last, bool is_named) {
  json->at++;
  if (take(json, last)) return true;
  do {
    if (is_named && !(string(json) && take(json, ':'))) return false;
    if (!value(json)) return false;
  } while (take(json, ','));
  return take(json, last);
}

static bool value(struct json *json) {
  if (json->at == json->end || json->depth > 8) return false;
  bool is_value = false;
  json->depth++;
  switch (*json->at) {
  case '{': is_value = members(json, '}', true); break;
  case '[': is_value = members(json, ']', false); break;
  case '"': is_value = string(json); break;
  case 't': is_value = words(json, "true"); break;
  case 'f': is_value = words(json, "false"); break;
  case 'n': is_value = words(json, "null"); break;
  default: is_value = number(json);
  }
  json->depth--;
  return is_value;
}

bool is_json(const char *text, size_t length) {
  struct json json = {(const unsigned char *)text, (const unsigned char *)text + length, 0};
  return value(&json) && json.at == json.end;
}
