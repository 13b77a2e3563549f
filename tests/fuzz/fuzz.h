/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzzers share: taking values out of the bytes that libFuzzer makes up.
 *
 * Each fuzzer is one file that defines LLVMFuzzerTestOneInput() and has its seeds, and what was
 * found with them, in corpus/NAME/ (https://llvm.org/docs/LibFuzzer.html). `make fuzz` runs them.
 */
#ifndef LH_TESTS_FUZZ_H
#define LH_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Called with each input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* An input that is taken from front to end. */
struct input {
    const uint8_t *at;
    size_t left;
};

static inline void must(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "does not hold: %s\n", what);
    abort();
}
#define MUST(condition) must(condition, #condition)

/* What the input no longer has is zero. */
static inline void take(struct input *input, void *to, size_t size)
{
    size_t there = size < input->left ? size : input->left;
    memset(to, 0, size);
    if (there > 0)
        memcpy(to, input->at, there);
    input->at += there;
    input->left -= there;
}

static inline uint8_t take_u8(struct input *input)
{
    uint8_t value;
    take(input, &value, sizeof(value));
    return value;
}

static inline uint64_t take_u64(struct input *input)
{
    uint64_t value;
    take(input, &value, sizeof(value));
    return value;
}

/* The next bytes as a string, up to a newline (which is left out) or the end: on the heap and no
 * longer than it must be, so that reading on is found. Free with free(3). */
static inline char *take_line(struct input *input)
{
    const uint8_t *end = input->left > 0 ? memchr(input->at, '\n', input->left) : NULL;
    size_t length = end != NULL ? (size_t)(end - input->at) : input->left;
    char *line = malloc(length + 1);
    if (line == NULL)
        abort();
    take(input, line, length);
    line[length] = '\0';
    if (end != NULL)
        (void)take_u8(input);
    return line;
}

#endif
