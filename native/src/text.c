#include "shim.h"

#include <string.h>

static void add(struct text *text, const char *bytes, size_t length) {
  if (length > text->room - text->length) {
    text->overflow = true;
    return;
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

void text_add(struct text *text, const char *words) { add(text, words, strlen(words)); }

void text_number(struct text *text, uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do {
    digits[--at] = (char)('0' + number % 10u);
    number /= 10u;
  } while (number > 0);
  add(text, digits + at, sizeof digits - at);
}

/* The length of the UTF-8 character at the beginning of some bytes; 0 when there is none. */
static size_t character(const unsigned char *bytes, size_t left) {
  const unsigned char first = bytes[0];
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || length > left) return 0;
  for (size_t i = 1; i < length; i++) {
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  }
  /* An overlong form, half of a surrogate pair, or beyond the last character. */
  if (first == 0xe0 && bytes[1] < 0xa0) return 0;
  if (first == 0xed && bytes[1] > 0x9f) return 0;
  if (first == 0xf0 && bytes[1] < 0x90) return 0;
  if (first == 0xf4 && bytes[1] > 0x8f) return 0;
  return length;
}

void text_string(struct text *text, const char *bytes, size_t length, size_t most) {
  static const char hex[] = "0123456789abcdef";
  const unsigned char *at = (const unsigned char *)bytes;
  text_add(text, "\"");
  for (size_t taken = 0; length > 0 && taken < most; taken++) {
    const size_t size = character(at, length);
    if (size == 0) {
      text_add(text, "\\ufffd");
    } else if (*at == '"' || *at == '\\') {
      const char escaped[2] = {'\\', (char)*at};
      add(text, escaped, sizeof escaped);
    } else if (*at < 0x20 || *at == 0x7f) {
      const char escaped[6] = {'\\', 'u', '0', '0', hex[*at >> 4], hex[*at & 15]};
      add(text, escaped, sizeof escaped);
    } else {
      add(text, (const char *)at, size);
    }
    const size_t step = size == 0 ? 1 : size;
    at += step;
    length -= step;
  }
  text_add(text, "\"");
}

const char *text_value(const char *line, const char *key) {
  /* Quotes in a string are escaped, so a string never contains a quoted key with its colon. */
  const size_t length = strlen(key);
  for (const char *at = strstr(line, key); at != NULL; at = strstr(at + 1, key)) {
    if (at > line && at[-1] == '"' && at[length] == '"' && at[length + 1] == ':' &&
        (at < line + 2 || at[-2] != '\\')) {
      return at + length + 2;
    }
  }
  return NULL;
}

uint64_t text_integer(const char *line, const char *key, uint64_t otherwise) {
  const char *digits = text_value(line, key);
  if (digits == NULL || *digits < '0' || *digits > '9') return otherwise;
  uint64_t number = 0;
  for (; *digits >= '0' && *digits <= '9' && number < INT64_MAX / 20; digits++)
    number = number * 10u + (uint64_t)(*digits - '0');
  return number;
}
