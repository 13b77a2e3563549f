/* SPDX-License-Identifier: Apache-2.0 */
/* V8's strings. See heap.h for who may call what. */
#ifndef LH_PRELOAD_V8_STRINGS_H
#define LH_PRELOAD_V8_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/v8/walker.h"

/* The name of a class: V8's, or ours. */
struct lh_v8_class {
    uintptr_t name;   /* a string; 0: … */
    const char *text; /* … this is it; NULL: there is none */
};

/* Where the characters of a string are that lies in one piece. */
struct lh_v8_flat {
    uintptr_t address;
    uint32_t length; /* characters */
    bool is_wide;    /* two bytes each; else one, of Latin-1 */
};

bool lh_v8_string_flat(struct lh_v8_walk *walk, uintptr_t string, struct lh_v8_flat *flat);

/* Its `count` characters from `from` on. */
bool lh_v8_flat_units(struct lh_v8_walk *walk, const struct lh_v8_flat *flat, uint32_t from,
                      uint32_t count, uint16_t *units);

bool lh_v8_is_string(struct lh_v8_walk *walk, uintptr_t tagged);

/* How many characters a string has, of whatever kind; 0: it is none. */
uint32_t lh_v8_string_length(struct lh_v8_walk *walk, uintptr_t string);

/* The bytes that its characters take in memory. */
uint64_t lh_v8_string_bytes(struct lh_v8_walk *walk, uintptr_t string);

/* Is it this text, of ASCII characters? */
bool lh_v8_string_is(struct lh_v8_walk *walk, uintptr_t string, const char *text);

/* Stores the string into the record's strings as UTF-8, at most `most` bytes of its begin, or of
 * its end, and its place in *offset. False: it is none, or empty, or there is no room. */
enum lh_v8_part { LH_V8_BEGIN, LH_V8_END };
bool lh_v8_store_string(struct lh_v8_walk *walk, uintptr_t string, enum lh_v8_part part,
                        uint32_t most, uint16_t *offset);

/* Stores a function as that of a class, "Array.map", with at most `most` bytes of each. */
bool lh_v8_store_member(struct lh_v8_walk *walk, struct lh_v8_class of, uintptr_t name,
                        uint32_t most, uint16_t *offset);

/* The same of a text of ours. */
bool lh_v8_store_text(struct lh_v8_walk *walk, const char *text, uint16_t *offset);

#endif
