/* SPDX-License-Identifier: Apache-2.0 */
/* V8's memory, read from outside of V8: words, objects and their types.
 *
 * Any thread, also the watchdog and a signal's handler: no malloc, no stdio, no libc that may set
 * errno, little stack. No pointer is followed but through walk->view; what cannot be read, or is
 * more than a walk may read, is 0 or false. */
#ifndef LH_PRELOAD_V8_HEAP_H
#define LH_PRELOAD_V8_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/v8/walker.h"

#define LH_V8_WORD 8

/* Behind the map and the length of an array. */
#define LH_V8_ARRAY_HEADER 16

/* A pointer to an object has 01 as its lowest bits, a small integer (Smi) 32 bits of zeroes. */
static inline bool lh_v8_is_object(uintptr_t tagged)
{
    return (tagged & 3) == 1;
}

static inline bool lh_v8_is_smi(uintptr_t tagged)
{
    return (tagged & 0xffffffff) == 0;
}

static inline int32_t lh_v8_smi(uintptr_t tagged)
{
    return (int32_t)(tagged >> 32);
}

/* Sets what a walk may do, which bounds its time: at most some 3 ms of a processor. */
void lh_v8_budget(struct lh_v8_walk *walk);

/* Takes so many bytes of tables off it. False: there are not so many left. */
bool lh_v8_spend(struct lh_v8_walk *walk, uint32_t bytes);

/* Has it been used up, so that there may have been more frames? Where only the tables were too
 * long, frames are told by where their function begins. */
bool lh_v8_is_spent(const struct lh_v8_walk *walk);

/* Begins a walk: what an earlier one has found is forgotten. */
void lh_v8_heap_begin(struct lh_v8_walk *walk);

/* Fetches what walk->view wants. */
void lh_v8_fetch(struct lh_v8_walk *walk);

/* The page at this address will be read from here on, more than once: it is fetched as a whole. */
void lh_v8_foresee(struct lh_v8_walk *walk, uintptr_t address);

bool lh_v8_read(struct lh_v8_walk *walk, void *to, uintptr_t address, size_t size);

/* The same of what is read once and is long. */
bool lh_v8_read_far(struct lh_v8_walk *walk, void *to, uintptr_t address, size_t size);

/* As much as can be read: an object may be the last one before memory that is not there. The rest
 * is 0. Returns the bytes that were read. */
size_t lh_v8_read_some(struct lh_v8_walk *walk, void *to, uintptr_t address, size_t size);

uintptr_t lh_v8_word(struct lh_v8_walk *walk, uintptr_t address);

/* The member of an object at this offset from its start, and half a word of it. */
uintptr_t lh_v8_field(struct lh_v8_walk *walk, uintptr_t tagged, int64_t offset);
uint32_t lh_v8_half(struct lh_v8_walk *walk, uintptr_t tagged, int64_t offset);

/* An element of an array. */
uintptr_t lh_v8_element(struct lh_v8_walk *walk, uintptr_t tagged, int64_t index);

/* The number in the array's second word; negative: there is none. */
int32_t lh_v8_length(struct lh_v8_walk *walk, uintptr_t tagged);

/* What an object is an instance of; negative: it is none. Its map is one only if the map's own map
 * is. */
int32_t lh_v8_type(struct lh_v8_walk *walk, uintptr_t tagged);
int32_t lh_v8_type_of_map(struct lh_v8_walk *walk, uintptr_t map);

bool lh_v8_is_function(struct lh_v8_walk *walk, uintptr_t tagged);

#endif
