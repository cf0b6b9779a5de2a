/* What the fuzz targets share. libFuzzer calls a target with inputs of its own making; see test/support/fuzz/native.ts. */
#ifndef OUTLIVE_FUZZ_H
#define OUTLIVE_FUZZ_H

#include "../src/life.h"

/* Before the first input. */
int LLVMFuzzerInitialize(int *count, char ***words);
/* One input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run, which reports the input, unless a property holds. */
#define check(holds) check_that((holds), #holds, __FILE__, __LINE__)
void check_that(bool holds, const char *property, const char *file, int line);

/* Whether a text is one value of JSON, in UTF-8, and nothing else. */
bool is_json(const char *text, size_t length);

/* A file in memory in place of a descriptor of the shim. */
void put_file_at(int descriptor);
/* Makes such a file hold these bytes and nothing else. */
void fill_file(int descriptor, const uint8_t *data, size_t size);

/* Takes a number of some bytes from the front of an input; of what is not there 0. */
uint64_t take_number(const uint8_t **data, size_t *size, size_t bytes);

#endif
